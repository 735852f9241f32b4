import { buildCacheOf } from '../model/build-cache.ts'
import type { Platform } from '../open.ts'
import { deleteRepository } from './remove.ts'

/** What builds of an app left for hosts that have none of it. Its disk is free after the next collection. */
export async function removeBuildCache(platform: Platform, appId: string): Promise<void> {
  const rows = await platform.db.repository.findMany({
    where: { name: { endsWith: buildCacheOf('', appId) } },
    select: { id: true },
  })
  for (const { id } of rows) await deleteRepository(platform, { kind: 'system' }, id)
}
