/** What a build signs in to the registry with: good for one repository, and as long as that build goes on; or for its cache. */
import { z } from 'zod'
import type { Platform } from '../open.ts'
import { seal, unseal } from '../secrets.ts'

export const buildPasswordPrefix = 'berth_build_'
const context = 'registry:build'

const passwordSchema = z.object({
  deploymentId: z.string(),
  teamId: z.string(),
  /** Such as acme/shop. */
  repository: z.string(),
  /** The cache of the app's builds that it is good for, also behind the build's answer; null: for the repository. */
  cache: z.string().nullable(),
  until: z.number(),
})

export type BuildRights = z.infer<typeof passwordSchema>

export function buildPassword(
  platform: Platform,
  rights: Omit<BuildRights, 'until'>,
  lastsMs: number,
): string {
  const text = JSON.stringify({ ...rights, until: Date.now() + lastsMs } satisfies BuildRights)
  return buildPasswordPrefix + Buffer.from(seal(platform.keyring, text, context)).toString('base64url')
}

/** Null for one that was made up, has run out, or whose build is over. */
export async function openBuildPassword(platform: Platform, password: string): Promise<BuildRights | null> {
  const rights = read(platform, password)
  if (rights === null || rights.until < Date.now()) return null
  const isUnderWay = { status: 'building' as const, cancelAskedAt: null }
  const where = { id: rights.deploymentId, ...(rights.cache === null ? isUnderWay : {}) }
  return (await platform.db.deployment.count({ where })) === 1 ? rights : null
}

function read(platform: Platform, password: string): BuildRights | null {
  try {
    const sealed = Buffer.from(password.slice(buildPasswordPrefix.length), 'base64url').toString('utf8')
    return passwordSchema.parse(JSON.parse(unseal(platform.keyring, sealed, context)))
  } catch {
    return null
  }
}
