import type { JobData } from '../../platform/jobs.ts'
import type { RegistryCollection } from '../../platform/model/registry-collection.ts'
import { applyRetention } from '../../platform/registry/retention.ts'
import { noteCollection } from '../../platform/worker/registry-garbage.ts'
import { messageOf } from '../failure.ts'
import type { Host } from '../host.ts'
import { collectRegistry } from '../registry/collect.ts'
import type { JobRun } from '../run-job.ts'

const nothing = { freedBytes: 0, blobCount: 0, uploadCount: 0, storedBytes: 0, heldBack: 0 }

/** Removes what the rules of its repository don't keep, frees what no image of Berth's own registry needs, and writes down how it went. Only where the registry's files are. */
export async function collectRegistryGarbage(
  { platform, log }: Host,
  _: JobData<'collect-registry'>,
  { stopping: signal }: JobRun,
): Promise<void> {
  const startedAt = new Date().toISOString()
  const note = (rest: Partial<RegistryCollection>) =>
    noteCollection(platform, { startedAt, finishedAt: null, ...nothing, problem: null, ...rest })
  const now = () => new Date().toISOString()
  try {
    await note({})
    const { tags, images } = await applyRetention(platform, signal)
    if (tags + images > 0) log.info({ tags, images }, 'images went that no rule of their repository keeps')
    const collected = await collectRegistry(platform, { signal })
    await note({ finishedAt: now(), ...(collected ?? {}) })
    if (collected !== null && collected.freedBytes > 0)
      log.info(collected, `${Math.ceil(collected.freedBytes / 2 ** 20)} MiB of the registry were freed`)
  } catch (error) {
    await note({ finishedAt: now(), problem: messageOf(error).slice(0, 500) }).catch(() => undefined)
    throw error
  }
}
