import { requireTeam, type Viewer } from './access.ts'
import { completeTo, rangeOf, showRange } from './metric-range.ts'
import { edgeCounts } from './model/edge-use.ts'
import { containerMetrics, type MetricRangeInput, mostTopApps, type TeamMetrics } from './model/metrics.ts'
import type { Platform } from './open.ts'
import { visibleIn } from './visible.ts'

interface UseRow {
  appId: string | null
  at: Date | null
  cpuMillis: number | null
  memoryBytes: number | null
}

interface EdgeRow {
  appId: string | null
  at: Date | null
  requests: number
  status5xx: number
  bytesIn: number
  bytesOut: number
}

const noRequests = { requests: 0, status5xx: 0, bytesIn: 0, bytesOut: 0 }

/** What the apps of a team that the viewer sees used and were asked together, and which of them the most. */
export async function readTeamMetrics(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  input: MetricRangeInput = {},
): Promise<TeamMetrics> {
  await requireTeam(platform, viewer, teamId, 'metrics.read')
  const visible = await visibleIn(platform, viewer, teamId)
  const apps = await platform.db.app.findMany({
    where: { AND: [visible.apps, { project: { teamId } }] },
    select: { id: true, name: true, slug: true, project: { select: { slug: true } } },
  })
  const range = rangeOf(input)
  const complete = completeTo(range)
  const ids = apps.map(({ id }) => id)
  const place = (metric: (typeof containerMetrics)[number]) => containerMetrics.indexOf(metric) + 1
  const count = (name: (typeof edgeCounts)[number]) => edgeCounts.indexOf(name) + 1
  const [use, edge] = await Promise.all([
    // By time, and by app: on the mean of the times at which it was measured.
    platform.db.$queryRaw<UseRow[]>`
      SELECT at, "appId",
        sum(means[${place('cpuMillis')}::int]) / count(DISTINCT at) AS "cpuMillis",
        sum(means[${place('memoryBytes')}::int]) / count(DISTINCT at) AS "memoryBytes"
      FROM metric_points
      WHERE "appId" = ANY(${ids}::text[]) AND "stepSeconds" = ${range.step}
        AND at >= ${range.from}::timestamp AND at < ${complete}::timestamp
      GROUP BY GROUPING SETS ((at), ("appId"))`,
    platform.db.$queryRaw<EdgeRow[]>`
      SELECT at, "appId",
        sum(counts[${count('requests')}::int])::float8 AS requests,
        sum(counts[${count('status5xx')}::int])::float8 AS "status5xx",
        sum(counts[${count('bytesIn')}::int])::float8 AS "bytesIn",
        sum(counts[${count('bytesOut')}::int])::float8 AS "bytesOut"
      FROM edge_points
      WHERE "appId" = ANY(${ids}::text[]) AND "stepSeconds" = ${range.step}
        AND at >= ${range.from}::timestamp AND at < ${complete}::timestamp
      GROUP BY GROUPING SETS ((at), ("appId"))`,
  ])
  const key = ({ at, appId }: { at: Date | null; appId: string | null }) => appId ?? at?.toISOString() ?? ''
  const used = new Map(use.map((row) => [key(row), row]))
  const asked = new Map(edge.map((row) => [key(row), row]))
  const numbersOf = (of: string) => {
    const { requests, status5xx, bytesIn, bytesOut } = asked.get(of) ?? noRequests
    const { cpuMillis = null, memoryBytes = null } = used.get(of) ?? {}
    return { cpuMillis, memoryBytes, requests, status5xx, bytesIn, bytesOut }
  }
  const times = new Set([...use, ...edge].flatMap(({ at }) => (at === null ? [] : at.toISOString())))
  const busiest = apps
    .map(({ project, ...app }) => ({ ...app, project: project.slug, ...numbersOf(app.id) }))
    .filter(({ cpuMillis, requests }) => cpuMillis !== null || requests > 0)
    .sort((a, b) => (b.cpuMillis ?? 0) - (a.cpuMillis ?? 0) || b.requests - a.requests)
  return {
    ...showRange(range),
    completeTo: complete.toISOString(),
    points: [...times].sort().map((at) => ({ at, ...numbersOf(at) })),
    apps: busiest.slice(0, mostTopApps),
  }
}
