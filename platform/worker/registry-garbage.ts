import { type RegistryCollection, registryCollectionSchema } from '../model/registry-collection.ts'
import type { Platform } from '../open.ts'
import { lockTeam } from '../quotas.ts'
import { splitName } from '../registry/scope.ts'

/** Work on a repository's files takes at most this long in one go: who wants to push waits for it. */
const holdMs = 20_000

/**
 * Does work on a repository while nobody can get a token to push to it. Answers false, and does nothing, when somebody
 * got one since.
 */
export async function whileNobodyPushes(
  platform: Platform,
  name: string,
  since: Date,
  work: () => Promise<void>,
): Promise<boolean> {
  const parts = splitName(name)
  const team =
    parts === null ? null : await platform.db.team.findFirst({ where: { imageNamespace: parts.namespace } })
  if (parts === null || team === null) {
    // Nobody's: no token is given for it.
    await work()
    return true
  }
  return platform.db.$transaction(
    async (tx) => {
      // Who grants a push takes this lock first: registry/grant.ts.
      await lockTeam(tx, team.id)
      const row = await tx.repository.findUnique({
        where: { teamId_name: { teamId: team.id, name: parts.repository } },
        select: { pushGrantedAt: true, createdAt: true },
      })
      if (row !== null && (row.pushGrantedAt ?? row.createdAt) > since) return false
      await work()
      return true
    },
    { timeout: holdMs },
  )
}

/** Names of the repositories that somebody got a token to push to since. */
export async function grantedSince(platform: Platform, since: Date): Promise<string[]> {
  const rows = await platform.db.repository.findMany({
    where: { pushGrantedAt: { gt: since } },
    select: { name: true, team: { select: { imageNamespace: true } } },
  })
  return rows.map(({ name, team }) => `${team.imageNamespace}/${name}`)
}

/** What a repository takes beside its images: it counts for its team's disk. */
export async function noteLooseBytes(platform: Platform, name: string, looseBytes: number): Promise<void> {
  const parts = splitName(name)
  if (parts === null) return
  await platform.db.repository.updateMany({
    where: {
      name: parts.repository,
      team: { imageNamespace: parts.namespace },
      looseBytes: { not: looseBytes },
    },
    data: { looseBytes },
  })
}

export async function noteCollection(
  platform: Platform,
  registryCollected: RegistryCollection,
): Promise<void> {
  await platform.db.installation.updateMany({ data: { registryCollected } })
}

/** Null: there was none, or it was written down by another version. */
export async function lastCollection(platform: Platform): Promise<RegistryCollection | null> {
  const row = await platform.db.installation.findFirst({ select: { registryCollected: true } })
  return registryCollectionSchema.safeParse(row?.registryCollected).data ?? null
}
