/** What the edge of a host counted, written down by its worker. */
import { addCounts } from '../model/edge-use.ts'
import { metricSteps } from '../model/metrics.ts'
import type { Platform } from '../open.ts'
import type { RollUp } from './metrics.ts'

export interface EdgeUse {
  appId: string
  /** `shop.example`, `*.shop.example`, `shop.example/api`. */
  domain: string
  /** Milliseconds since 1970, the beginning of a point. */
  at: number
  /** platform/model/edge-use.ts */
  counts: number[]
  /** Requests, WebSockets included, that were under way at once. */
  openPeak: number
}

/** Step and time of the row that has all that was ever counted of a domain, for whoever reads counters. */
export const totalStep = 0

/**
 * Adds to what is there of the same points. An app that was deleted meanwhile has none. What fails has added nothing, also
 * where the database is slow (database.ts): so it may be done again.
 */
export async function addEdgeUse(platform: Platform, hostId: string, use: readonly EdgeUse[]): Promise<void> {
  if (use.length === 0) return
  const rows = [...use.map((each) => ({ ...each, step: metricSteps[0].seconds })), ...totalsOf(use)]
  const shown = rows.map(({ at, ...rest }) => ({ ...rest, at: new Date(at).toISOString() }))
  await platform.db.$executeRaw`
    INSERT INTO edge_points ("appId", domain, "stepSeconds", at, "hostId", counts, "openPeak")
    SELECT "appId", domain, step, at, ${hostId}, counts, "openPeak"
    FROM jsonb_to_recordset(${JSON.stringify(shown)}::jsonb)
      AS row("appId" text, domain text, step int, at timestamp, counts bigint[], "openPeak" int)
    WHERE EXISTS (SELECT 1 FROM apps WHERE id = "appId")
    ON CONFLICT ("appId", domain, "stepSeconds", at) DO UPDATE SET
      counts = (
        SELECT array_agg(coalesce(had, 0) + coalesce(more, 0) ORDER BY place)
        FROM unnest(edge_points.counts, excluded.counts) WITH ORDINALITY AS both_counts(had, more, place)
      ),
      "openPeak" = greatest(edge_points."openPeak", excluded."openPeak")`
}

function totalsOf(use: readonly EdgeUse[]): (EdgeUse & { step: number })[] {
  const totals = new Map<string, EdgeUse & { step: number }>()
  for (const { appId, domain, counts } of use) {
    const key = `${appId},${domain}`
    const total = totals.get(key) ?? { appId, domain, at: 0, counts: [], openPeak: 0, step: totalStep }
    addCounts(total.counts, counts)
    totals.set(key, total)
  }
  return [...totals.values()]
}

/** As rollUpMetrics does, with sums instead of means. */
export async function rollUpEdgeUse(
  platform: Platform,
  hostId: string,
  { finer, seconds, from, to }: RollUp,
): Promise<void> {
  await platform.db.$executeRaw`
    INSERT INTO edge_points ("appId", domain, "stepSeconds", at, "hostId", counts, "openPeak")
    SELECT "appId", domain, ${seconds}::int, bucket, ${hostId}, array_agg(total ORDER BY place), max("openPeak")
    FROM (
      SELECT "appId", domain, date_bin(make_interval(secs => ${seconds}), at, TIMESTAMP 'epoch') AS bucket, place,
        sum(count)::bigint AS total, max("openPeak") AS "openPeak"
      FROM edge_points, unnest(counts) WITH ORDINALITY AS numbers(count, place)
      WHERE "hostId" = ${hostId} AND "stepSeconds" = ${finer}::int AND at >= ${from}::timestamp AND at < ${to}::timestamp
      GROUP BY 1, 2, 3, 4
    ) AS places
    GROUP BY "appId", domain, bucket
    ON CONFLICT ("appId", domain, "stepSeconds", at)
      DO UPDATE SET counts = excluded.counts, "openPeak" = excluded."openPeak"`
}

/** Removes what is older than it is kept, and the totals of domains of which nothing else is left. */
export async function sweepEdgeUse(platform: Platform, now = Date.now()): Promise<void> {
  for (const { seconds, keptSeconds } of metricSteps) {
    const before = new Date(now - keptSeconds * 1_000)
    await platform.db.edgePoint.deleteMany({ where: { stepSeconds: seconds, at: { lt: before } } })
  }
  await platform.db.$executeRaw`
    DELETE FROM edge_points AS total WHERE "stepSeconds" = ${totalStep} AND NOT EXISTS (
      SELECT 1 FROM edge_points AS point
      WHERE point."appId" = total."appId" AND point.domain = total.domain AND point."stepSeconds" <> ${totalStep}
    )`
}
