import type { JobData } from '../../platform/jobs.ts'
import type { Host } from '../host.ts'
import type { JobRun } from '../run-job.ts'
import { mendServing } from '../serving.ts'

/** Runs what was live before, with what it had then. It is reachable again when it answers. */
export async function startApp(
  host: Host,
  { appId }: JobData<'start-app'>,
  { stopping }: JobRun,
): Promise<void> {
  await mendServing(host, appId, stopping)
  await host.edge.sync()
}
