import { requireInstallation, type Viewer } from '../access.ts'
import { record } from '../audit.ts'
import { PlatformError } from '../errors.ts'
import { enqueue } from '../jobs.ts'
import type { RegistryCollection } from '../model/registry-collection.ts'
import type { Platform } from '../open.ts'
import { lastCollection } from '../worker/registry-garbage.ts'

/** How the last collection of the registry's garbage went, or how far the one under way is; null: there was none. */
export async function getRegistryCollection(
  platform: Platform,
  viewer: Viewer,
): Promise<RegistryCollection | null> {
  await requireInstallation(platform, viewer, 'installation.collect-images')
  return lastCollection(platform)
}

/**
 * Asks the worker beside the registry to free now what it frees every hour. One that is under way is the one that was
 * asked for. Throws `unavailable` when the worker can't be asked.
 */
export async function startRegistryCollection(platform: Platform, viewer: Viewer): Promise<void> {
  await requireInstallation(platform, viewer, 'installation.collect-images')
  const { hostId } = platform.config
  if (!(await enqueue(platform, hostId, 'collect-registry', { hostId })))
    throw new PlatformError('unavailable', 'The worker can’t be asked right now. Try again in a moment.')
  await platform.db.$transaction((tx) =>
    record(tx, viewer, { teamId: null, action: 'installation.collect-images' }),
  )
}
