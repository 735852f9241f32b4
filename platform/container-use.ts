import { z } from 'zod'
import type { Viewer } from './access.ts'
import { appAccess } from './app-access.ts'
import type { Platform } from './open.ts'

const useSchema = z.object({
  memoryBytes: z.number(),
  /** Thousandths of a processor, since the last look. */
  cpuMillis: z.number(),
})

export type ContainerUse = z.infer<typeof useSchema>

/** Where a host's worker says what a container uses. */
export function keyOfUse(containerId: string): string {
  return `berth:use:${containerId}`
}

/** What the fullest and the busiest replica of what is live use; null while nobody has measured them. */
export async function readUseOfReplicas(
  platform: Platform,
  viewer: Viewer,
  appId: string,
): Promise<ContainerUse | null> {
  await appAccess(platform, viewer, appId, 'app.read')
  const app = await platform.db.app.findUnique({
    where: { id: appId },
    select: {
      liveDeploymentId: true,
      containers: { where: { state: 'running' }, select: { id: true, deploymentId: true } },
    },
  })
  const live = app?.containers.filter(({ deploymentId }) => deploymentId === app.liveDeploymentId) ?? []
  if (live.length === 0) return null
  // It is no reason not to show the app.
  const texts = await platform.redis.mget(live.map(({ id }) => keyOfUse(id))).catch(() => [])
  const uses = texts.flatMap((text) => (text === null ? [] : [useSchema.parse(JSON.parse(text))]))
  if (uses.length === 0) return null
  return {
    memoryBytes: Math.max(...uses.map(({ memoryBytes }) => memoryBytes)),
    cpuMillis: Math.max(...uses.map(({ cpuMillis }) => cpuMillis)),
  }
}
