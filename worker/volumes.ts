import type { Container } from '../engine/index.ts'
import { madeVolumes, reportVolumeUse } from '../platform/worker/volumes.ts'
import { find } from './containers.ts'
import type { Host } from './host.ts'
import { appKey, servingKey } from './locks.ts'
import { usualGraceMs } from './remove-app.ts'
import { mendServing } from './serving.ts'
import { leaveTraffic, stopAfterTraffic } from './traffic.ts'

const mendMs = 120_000

/**
 * Runs work while no container has the volume: those that do are stopped just before, with their grace, and started
 * again when it is done or has failed. Deployments of the app wait.
 */
export async function whileUnused<T>(
  host: Host,
  { id, appId }: { id: string; appId: string | null },
  work: () => Promise<T>,
): Promise<T> {
  if (appId === null) return work()
  return host.locks.run(appKey(appId), async () => {
    try {
      return await host.locks.run(servingKey(appId), async () => {
        await stopUsers(host, id)
        return work()
      })
    } finally {
      await mendServing(host, appId, AbortSignal.timeout(mendMs), { evenJustEnded: true })
    }
  })
}

async function stopUsers(host: Host, volumeId: string): Promise<void> {
  const { engine, edge } = host
  const { usedBy } = await engine.volumes.inspect(volumeId)
  const users = (await Promise.all(usedBy.map((id) => find(host, id)))).filter(
    (each): each is Container => each?.status === 'running',
  )
  const ids = users.map(({ id }) => id)
  if (ids.length === 0) return
  await leaveTraffic(host, ids)
  await edge.sync()
  await stopAfterTraffic(host, ids, { graceMs: usualGraceMs })
}

/** What is in the volumes that containers have open, and in those that nobody has looked into yet. */
export async function measureVolumes(host: Host): Promise<void> {
  const { engine, platform } = host
  const running = new Set(
    (await engine.containers.list()).filter(({ status }) => status === 'running').map(({ id }) => id),
  )
  const known = new Map((await engine.volumes.list()).map((volume) => [volume.name, volume]))
  for (const { id, usedBytes: before } of await madeVolumes(platform, host.id)) {
    const volume = known.get(id)
    if (volume === undefined) continue
    if (before !== null && !volume.usedBy.some((user) => running.has(user))) continue
    // One that can't be looked into keeps nobody from the others.
    const use = await engine.volumes.usage(id).catch((error) => {
      host.log.debug({ err: error, volume: id }, 'what a volume holds could not be told')
      return null
    })
    if (use !== null) await reportVolumeUse(platform, id, use.usedBytes)
  }
}
