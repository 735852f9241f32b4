import { notFound, requireInstallation, type Viewer } from './access.ts'
import { appAccess } from './app-access.ts'
import { PlatformError } from './errors.ts'
import {
  type AppMetrics,
  containerMetrics,
  type HostMetrics,
  hostMetrics,
  type MetricPoint,
  type MetricRangeInput,
  metricRangeSchema,
  metricSteps,
  mostPoints,
} from './model/metrics.ts'
import type { Platform } from './open.ts'
import { validate } from './validate.ts'

const hourMs = 3_600_000

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
  const deployments = await platform.db.deployment.findMany({
    where: { appId, liveAt: { gte: range.from, lt: range.to } },
    orderBy: { number: 'asc' },
    select: { id: true, number: true, liveAt: true },
  })
  return {
    ...showRange(range),
    metrics: [...containerMetrics],
    series: [...series.values()],
    deployments: deployments.map(({ liveAt, ...rest }) => ({ ...rest, liveAt: liveAt?.toISOString() ?? '' })),
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

interface Range {
  from: Date
  to: Date
  step: number
}

function rangeOf(input: MetricRangeInput, now = Date.now()): Range {
  const asked = validate(metricRangeSchema, input)
  const to = asked.to === undefined ? new Date(now) : new Date(asked.to)
  const from = asked.from === undefined ? new Date(to.getTime() - hourMs) : new Date(asked.from)
  const seconds = (to.getTime() - from.getTime()) / 1_000
  if (seconds <= 0) throw invalid('from', 'must be before the end')
  const fits = (step: number) => seconds / step <= mostPoints
  const isKept = (keptSeconds: number) => from.getTime() >= now - keptSeconds * 1_000
  const finest = metricSteps.find(({ seconds, keptSeconds }) => fits(seconds) && isKept(keptSeconds))
  const step = asked.step ?? (finest ?? metricSteps[2]).seconds
  if (!fits(step))
    throw invalid('step', `must be larger for so long a time: at most ${mostPoints} points are answered`)
  return { from, to, step }
}

function showRange({ from, to, step }: Range) {
  return { from: from.toISOString(), to: to.toISOString(), step }
}

function showPoint({ at, means, peaks }: Row): MetricPoint {
  return { at: at.toISOString(), means, peaks }
}

function invalid(path: string, message: string): PlatformError {
  return new PlatformError('invalid', `${path} ${message}.`, { fields: [{ path, message }] })
}
