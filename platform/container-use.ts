import type { Viewer } from './access.ts'
import { appAccess } from './app-access.ts'
import { type ContainerMetric, containerMetrics, metricSteps } from './model/metrics.ts'
import type { Platform } from './open.ts'

export interface ContainerUse {
  memoryBytes: number
  /** Thousandths of a processor. */
  cpuMillis: number
}

/** What is older says nothing of now. */
const freshMs = 60_000

/** What the fullest and the busiest replica of what is live use; null while nobody has measured them. */
export async function readUseOfReplicas(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  now = Date.now(),
): Promise<ContainerUse | null> {
  await appAccess(platform, viewer, appId, 'app.read')
  const place = (metric: ContainerMetric) => containerMetrics.indexOf(metric) + 1
  const [most] = await platform.db.$queryRaw<{ memoryBytes: number | null; cpuMillis: number | null }[]>`
    SELECT max(means[${place('memoryBytes')}::int]) AS "memoryBytes", max(means[${place('cpuMillis')}::int]) AS "cpuMillis"
    FROM (
      SELECT DISTINCT ON (subject) means
      FROM containers
      JOIN apps ON apps.id = containers."appId" AND apps."liveDeploymentId" = containers."deploymentId"
      JOIN metric_points ON subject = containers.id
        AND "stepSeconds" = ${metricSteps[0].seconds}::int AND at > ${new Date(now - freshMs)}::timestamp
      WHERE apps.id = ${appId} AND containers.state = 'running'
      ORDER BY subject, at DESC
    ) AS newest`
  if (most?.memoryBytes == null || most.cpuMillis == null) return null
  return { memoryBytes: most.memoryBytes, cpuMillis: Math.round(most.cpuMillis) }
}
