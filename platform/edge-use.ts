import type { Viewer } from './access.ts'
import { appAccess } from './app-access.ts'
import { Prisma } from './generated/prisma/client.ts'
import { completeTo, deploymentsIn, rangeOf, showRange } from './metric-range.ts'
import { addCounts, countOf, type EdgeCount, edgeCounts, latencyPercentile } from './model/edge-use.ts'
import {
  type EdgeMetrics,
  type EdgeNumbers,
  type EdgeRangeInput,
  edgeRangeSchema,
  metricSteps,
} from './model/metrics.ts'
import type { Platform } from './open.ts'
import { validate } from './validate.ts'

export interface RecentEdgeUse {
  requests: number
  errors5xx: number
  /** Null when no answer was measured. */
  p95Ms: number | null
}

export interface RecentOf {
  appId: string
  sinceMs: number
}

/**
 * Of all domains of each app together, in the last `sinceMs` before `now`, to ten seconds; at most two hours. In the order
 * of what was asked for, with one question. Asks for no right.
 */
export async function edgeUseOf(
  platform: Platform,
  asked: readonly RecentOf[],
  now = new Date(),
): Promise<RecentEdgeUse[]> {
  const wanted = asked.map(({ appId, sinceMs }, place) => ({ place, appId, seconds: sinceMs / 1_000 }))
  const oldest = new Date(now.getTime() - Math.max(0, ...asked.map(({ sinceMs }) => sinceMs)))
  const rows = await platform.db.$queryRaw<{ place: number; counts: number[] }[]>`
    SELECT place, array_agg(total ORDER BY number) AS counts FROM (
      SELECT wanted.place, number, sum(count)::float8 AS total
      FROM edge_points
      JOIN jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) AS wanted(place int, "appId" text, seconds float8)
        ON wanted."appId" = edge_points."appId"
        AND at > ${now}::timestamp - make_interval(secs => wanted.seconds),
        unnest(counts) WITH ORDINALITY AS numbers(count, number)
      WHERE "stepSeconds" = ${metricSteps[0].seconds}::int
        AND at > ${oldest}::timestamp AND at <= ${now}::timestamp
      GROUP BY 1, 2
    ) AS totals GROUP BY place`
  const counts = new Map(rows.map((row) => [row.place, row.counts]))
  return asked.map((_, place) => {
    const all = counts.get(place) ?? []
    return {
      requests: countOf(all, 'requests'),
      errors5xx: countOf(all, 'status5xx'),
      p95Ms: latencyPercentile(all, 0.95),
    }
  })
}

interface Row {
  domain: string | null
  at: Date | null
  counts: number[]
  openPeak: number
}

/** What the edge counted of an app over time, of all its domains or one, and of each domain in the whole time. */
export async function readEdgeUse(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  input: EdgeRangeInput = {},
): Promise<EdgeMetrics> {
  await appAccess(platform, viewer, appId, 'metrics.read')
  const { domain, ...asked } = validate(edgeRangeSchema, input)
  const range = rangeOf(asked)
  const complete = completeTo(range)
  const of = Prisma.sql`"appId" = ${appId} AND "stepSeconds" = ${range.step}
    AND at >= ${range.from}::timestamp AND at < ${complete}::timestamp`
  const chosen = domain === undefined ? of : Prisma.sql`${of} AND domain = ${domain}`
  const [points, domains] = await Promise.all([
    // Of domains at the same time, what is open adds up.
    platform.db.$queryRaw<Row[]>`
      SELECT at, array_agg(total ORDER BY place) AS counts, max(open)::int AS "openPeak" FROM (
        SELECT at, place, sum(count)::float8 AS total, sum("openPeak") AS open
        FROM edge_points, unnest(counts) WITH ORDINALITY AS numbers(count, place) WHERE ${chosen} GROUP BY 1, 2
      ) AS places GROUP BY at ORDER BY at`,
    platform.db.$queryRaw<Row[]>`
      SELECT domain, array_agg(total ORDER BY place) AS counts, max(open) AS "openPeak" FROM (
        SELECT domain, place, sum(count)::float8 AS total, max("openPeak") AS open
        FROM edge_points, unnest(counts) WITH ORDINALITY AS numbers(count, place) WHERE ${of} GROUP BY 1, 2
      ) AS places GROUP BY domain ORDER BY (array_agg(total ORDER BY place))[1] DESC, domain`,
  ])
  const all: number[] = []
  for (const { counts } of points) addCounts(all, counts)
  return {
    ...showRange(range),
    completeTo: complete.toISOString(),
    points: points.map((row) => ({ at: row.at?.toISOString() ?? '', ...showNumbers(row) })),
    total: showNumbers({ counts: all, openPeak: Math.max(0, ...points.map(({ openPeak }) => openPeak)) }),
    domains: domains.map((row) => ({ domain: row.domain ?? '', ...showNumbers(row) })),
    deployments: await deploymentsIn(platform, appId, range),
  }
}

export function showNumbers({ counts, openPeak }: Pick<Row, 'counts' | 'openPeak'>): EdgeNumbers {
  const percentile = (share: number) => {
    const ms = latencyPercentile(counts, share)
    return ms === null ? null : Math.round(ms * 10) / 10
  }
  return {
    ...(Object.fromEntries(edgeCounts.map((name) => [name, countOf(counts, name)])) as Record<
      EdgeCount,
      number
    >),
    ...{ p50Ms: percentile(0.5), p95Ms: percentile(0.95), p99Ms: percentile(0.99) },
    openPeak,
  }
}
