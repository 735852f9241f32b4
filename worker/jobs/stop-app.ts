import type { JobData } from '../../platform/jobs.ts'
import { desiredApp } from '../../platform/worker/desired-state.ts'
import type { Host } from '../host.ts'
import { withWholeApp } from '../locks.ts'
import { removeApp } from '../remove-app.ts'

/** The address says that the app is stopped, then its containers end. Nothing happens when it is wanted again. */
export async function stopApp(host: Host, { appId }: JobData<'stop-app'>): Promise<void> {
  await withWholeApp(host.locks, appId, async () => {
    const app = await desiredApp(host.platform, host.id, appId)
    if (app?.desiredState !== 'stopped') return
    await removeApp(host, app)
    host.log.info({ app: appId }, `${app.slug} is stopped`)
  })
}
