import { notFound, requireInstallation, type Viewer } from './access.ts'
import { appAccess } from './app-access.ts'
import { deploymentsIn, rangeOf, showRange } from './metric-range.ts'
import {
  type AppMetrics,
  containerMetrics,
  type HostMetrics,
  hostMetrics,
  type MetricPoint,
  type MetricRangeInput,
} from './model/metrics.ts'
import type { Platform } from './open.ts'

interface Row {
  subject: string
  at: Date
  process: string | null
  replica: number | null
  means: (number | null)[]
  peaks: (number | null)[]
}

/** What an app's containers used, a series each, and which deployments went live meanwhile. */
export async function readAppMetrics(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  input: MetricRangeInput = {},
): Promise<AppMetrics> {
  await appAccess(platform, viewer, appId, 'metrics.read')
  const range = rangeOf(input)
  const rows = await platform.db.$queryRaw<Row[]>`
    SELECT subject, at, process, replica, means, peaks FROM metric_points
    WHERE "appId" = ${appId} AND "stepSeconds" = ${range.step}
      AND at >= ${range.from}::timestamp AND at < ${range.to}::timestamp
    ORDER BY process <> 'web', process, replica, subject, at`
  const series = new Map<string, AppMetrics['series'][number]>()
  for (const row of rows) {
    const { subject: container, process, replica } = row
    const known = series.get(container) ?? {
      container,
      process: process ?? 'web',
      replica: replica ?? 0,
      points: [],
    }
    known.points.push(showPoint(row))
    series.set(container, known)
  }
  return {
    ...showRange(range),
    metrics: [...containerMetrics],
    series: [...series.values()],
    deployments: await deploymentsIn(platform, appId, range),
  }
}

/** What a host used, for administrators. */
export async function readHostMetrics(
  platform: Platform,
  viewer: Viewer,
  hostId: string,
  input: MetricRangeInput = {},
): Promise<HostMetrics> {
  await requireInstallation(platform, viewer, 'installation.read-hosts')
  const host = await platform.db.host.findUnique({ where: { id: hostId }, select: { id: true } })
  if (host === null) throw notFound('host')
  const range = rangeOf(input)
  const rows = await platform.db.$queryRaw<Row[]>`
    SELECT subject, at, process, replica, means, peaks FROM metric_points
    WHERE subject = ${hostId} AND "stepSeconds" = ${range.step}
      AND at >= ${range.from}::timestamp AND at < ${range.to}::timestamp
    ORDER BY at`
  return { ...showRange(range), metrics: [...hostMetrics], points: rows.map(showPoint) }
}

function showPoint({ at, means, peaks }: Row): MetricPoint {
  return { at: at.toISOString(), means, peaks }
}
