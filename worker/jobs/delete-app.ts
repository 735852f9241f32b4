import type { JobData } from '../../platform/jobs.ts'
import { removeBuildCache } from '../../platform/registry/remove-build-cache.ts'
import { desiredApp, finishDelete } from '../../platform/worker/desired-state.ts'
import type { Host } from '../host.ts'
import { withWholeApp } from '../locks.ts'
import { removeApp } from '../remove-app.ts'

/** Everything of the app leaves the host, then its row goes: whoever still sees it knows that it is not done. */
export async function deleteApp(host: Host, { appId }: JobData<'delete-app'>): Promise<void> {
  await withWholeApp(host.locks, appId, async () => {
    const app = await desiredApp(host.platform, host.id, appId)
    if (app?.desiredState !== 'deleted') return
    await removeApp(host, app)
    await host.logStore.removeApp(appId)
    // A registry that is away keeps nobody from deleting an app.
    await removeBuildCache(host.platform, appId).catch((error) =>
      host.log.warn({ app: appId, err: error }, 'what its builds left in the registry stays there'),
    )
    await finishDelete(host.platform, appId)
    host.log.info({ app: appId }, `${app.slug} is deleted`)
  })
  await host.edge.sync()
}
