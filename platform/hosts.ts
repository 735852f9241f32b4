import { PlatformError } from './errors.ts'
import type { Platform } from './open.ts'

/**
 * For a new app: makes sure that there is a row for a host whose worker has not reported yet. Throws `conflict` where
 * administrators let the host take no new apps.
 */
export async function requireOpenHost(platform: Platform, id: string): Promise<void> {
  await platform.db.host.createMany({ data: [{ id, name: id }], skipDuplicates: true })
  const closed = await platform.db.host.count({ where: { id, cordonedAt: { not: null } } })
  if (closed === 0) return
  throw new PlatformError(
    'conflict',
    'The host takes no new apps at the moment. Ask an administrator of this installation.',
  )
}
