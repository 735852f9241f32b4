import type { Platform } from './open.ts'

/** Makes sure that there is a row for a host whose worker has not reported yet. */
export async function ensureHost(platform: Platform, id: string): Promise<void> {
  await platform.db.host.createMany({ data: [{ id, name: id }], skipDuplicates: true })
}
