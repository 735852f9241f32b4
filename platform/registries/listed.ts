import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Config } from '../config.ts'

const address = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' })
const reached = {
  /** A PEM file. */
  caFile: z.string().startsWith('/', 'must be an absolute path').optional(),
  tokenServers: z.array(address).max(20).optional(),
}
const mirror = z.strictObject({
  ...reached,
  url: address,
  username: z.string().optional(),
  password: z.string().optional(),
})
const registry = z.strictObject({
  ...reached,
  url: address.optional(),
  mirrors: z.array(mirror).max(20).optional(),
})
const file = z.record(z.string().min(1), registry)

/** How one of them is reached. `ca`: PEM certificates. */
export interface Listed {
  url?: string
  ca?: string
  tokenServers?: string[]
  mirrors?: { url: string; ca?: string; tokenServers?: string[]; username?: string; password?: string }[]
}

/**
 * What the operator wrote into `<home>/registries.json`, by host; empty where it is missing. Throws one Error that lists
 * every problem with its place, and never a value.
 */
export function readListedRegistries(config: Pick<Config, 'home'>): Record<string, Listed> {
  const path = join(config.home, 'registries.json')
  const wrong = (problems: string[]) =>
    new Error(`${path} is not right:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
  const text = readIfThere(path)
  if (text === null) return {}
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw wrong(['it is not JSON'])
  }
  const parsed = file.safeParse(json)
  if (!parsed.success)
    throw wrong(parsed.error.issues.map(({ path: place, message }) => `${place.join('.')} ${message}`))
  const all = Object.entries(parsed.data).map(([host, { caFile, mirrors, ...rest }]) => [
    host,
    {
      ...rest,
      ca: authority(caFile),
      mirrors: mirrors?.map(({ caFile: mirrorCa, ...each }) => ({ ...each, ca: authority(mirrorCa) })),
    },
  ])
  return Object.fromEntries(all)

  function authority(caFile: string | undefined): string | undefined {
    if (caFile === undefined) return undefined
    const pem = readIfThere(caFile)
    if (pem === null) throw wrong([`caFile ${caFile} does not exist`])
    return pem
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
