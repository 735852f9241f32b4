import { loadConfig } from '../../platform/config.ts'
import { openPlatform, type Platform } from '../../platform/open.ts'

// Next.js bundles each route by itself, so a module's own variable would exist several times in one process.
const shared = globalThis as typeof globalThis & { __berthPlatform?: Promise<Platform> }

/** The one platform of this process. What fails to open is tried again by the next caller. */
export function getPlatform(): Promise<Platform> {
  shared.__berthPlatform ??= open()
  return shared.__berthPlatform
}

async function open(): Promise<Platform> {
  try {
    return await openPlatform(loadConfig(), { part: 'web' })
  } catch (error) {
    shared.__berthPlatform = undefined
    throw error
  }
}
