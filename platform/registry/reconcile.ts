import type { Platform } from '../open.ts'
import { listCatalog, listTagNames } from './client.ts'
import { splitName } from './scope.ts'
import { syncRepository } from './sync.ts'

/** So many tags are looked at in one transaction. */
const atOnce = 25

/**
 * Compares every repository with the registry, as what the registry tells is kept in its memory only and lost with it.
 * Answers the names of those that were not as the database had them. Throws `unavailable` when it does not answer.
 */
export async function reconcileRegistry(platform: Platform, signal: AbortSignal): Promise<string[]> {
  const rows = await platform.db.repository.findMany({
    where: { team: { deletedAt: null } },
    select: { name: true, team: { select: { imageNamespace: true } } },
  })
  const known = rows.map(({ name, team }) => `${team.imageNamespace}/${name}`)
  const mended: string[] = []
  for (const name of new Set([...known, ...(await listCatalog(platform))])) {
    signal.throwIfAborted()
    if (await reconcileOne(platform, name)) mended.push(name)
  }
  return mended
}

async function reconcileOne(platform: Platform, name: string): Promise<boolean> {
  const parts = splitName(name)
  if (parts === null) return false
  const recorded = await platform.db.imageTag.findMany({
    where: { repository: { name: parts.repository, team: { imageNamespace: parts.namespace } } },
    select: { name: true },
  })
  const tags = [...new Set([...recorded.map((tag) => tag.name), ...(await listTagNames(platform, name))])]
  let changed = false
  for (let from = 0; from < tags.length; from += atOnce)
    changed = (await syncRepository(platform, { name, tags: tags.slice(from, from + atOnce) })) || changed
  return changed
}
