import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { slugSchema } from '../platform/model/names.ts'

/**
 * Takes all repositories of a team out of Berth's registry: its folder of links, as Distribution's own storage lays it
 * out (docs/content/spec/storage). What only they named, the next collection of garbage frees. May be called twice.
 */
export async function removeNamespace(home: string, namespace: string): Promise<void> {
  const folder = join(home, 'registry/data/docker/registry/v2/repositories', slugSchema.parse(namespace))
  await rm(folder, { recursive: true, force: true })
}
