/** What containers and hosts used of what they may, in the last minute. */
import { containerMetrics, type HostMetric, hostMetrics, metricSteps } from '../model/metrics.ts'
import type { Platform } from '../open.ts'

const lastMs = 60_000

/** Percent of the limit; null where nobody knows, or there is none. */
export interface Used {
  process: string | null
  replica: number | null
  cpu: number | null
  memory: number | null
  disk: number | null
}

/** By the ids of apps, a container each, or by those of hosts. */
export async function usedLately(
  platform: Platform,
  now: Date,
  of: 'containers' | 'hosts',
): Promise<Map<string, Used[]>> {
  const metrics: readonly string[] = of === 'hosts' ? hostMetrics : containerMetrics
  const place = (metric: HostMetric) => metrics.indexOf(metric) + 1
  // Where there is no such metric the place is 0, at which a list has nothing.
  const rows = await platform.db.$queryRaw<(Used & { id: string })[]>`
    SELECT coalesce("appId", subject) AS id, process, replica,
      avg(means[${place('cpuMillis')}::int] / nullif(means[${place('cpuLimitMillis')}::int], 0)) * 100 AS cpu,
      avg(means[${place('memoryBytes')}::int] / nullif(means[${place('memoryLimitBytes')}::int], 0)) * 100 AS memory,
      avg(means[${place('diskBytes')}::int] / nullif(means[${place('diskLimitBytes')}::int], 0)) * 100 AS disk
    FROM metric_points
    WHERE "stepSeconds" = ${metricSteps[0].seconds}::int AND ("appId" IS NULL) = ${of === 'hosts'}
      AND at > ${new Date(now.getTime() - lastMs)}::timestamp AND at <= ${now}::timestamp
    GROUP BY subject, "appId", process, replica`
  const found = new Map<string, Used[]>()
  for (const { id, ...used } of rows) found.set(id, [...(found.get(id) ?? []), used])
  return found
}
