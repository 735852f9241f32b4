import type { JobData } from '../../platform/jobs.ts'
import { keptImages } from '../../platform/worker/kept-images.ts'
import type { Host } from '../host.ts'
import type { JobRun } from '../run-job.ts'

/** An image that no deployment can go back to is kept for so long, as it is often deployed again. */
const unusedForMs = 7 * 24 * 3_600_000
const room = { highPercent: 85, lowPercent: 75 }

/** Frees what this host's deployments neither run nor can go back to, by age, and by room when the disk is full. */
export async function collectGarbage(
  host: Host,
  { hostId }: JobData<'collect-garbage'>,
  { stopping: signal }: JobRun,
): Promise<void> {
  const keep = await keptImages(host.platform, hostId)
  const { images, freedBytes } = await host.engine.garbage.collect({ keep, unusedForMs, room, signal })
  if (images.length === 0 && freedBytes === 0) return
  host.log.info(
    { images: images.map(({ digest, references, reason }) => ({ digest, references, reason })), freedBytes },
    `${images.length} images and ${Math.ceil(freedBytes / 2 ** 20)} MiB were removed that nothing needs`,
  )
}
