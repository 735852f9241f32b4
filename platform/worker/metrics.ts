/** What hosts measure, written down by their workers: in one statement a round, and in a bounded number of rows. */
import { metricSteps } from '../model/metrics.ts'
import type { Platform } from '../open.ts'

export interface Measured {
  /** Id of the container or host. */
  subject: string
  hostId: string
  /** Null: of the host itself. */
  appId: string | null
  process: string | null
  replica: number | null
  /** In the order of platform/model/metrics.ts; null: nobody knows. */
  values: (number | null)[]
}

/** Points of the finest step. An app that was deleted meanwhile has none. */
export async function recordMetrics(platform: Platform, at: Date, measured: Measured[]): Promise<void> {
  if (measured.length === 0) return
  const rows = measured.map(({ values, ...rest }) => ({
    ...rest,
    numbers: values.map((value) => (value === null ? null : Math.round(value * 1_000) / 1_000)),
  }))
  await platform.db.$executeRaw`
    INSERT INTO metric_points (subject, "stepSeconds", at, "hostId", "appId", process, replica, means, peaks)
    SELECT subject, ${metricSteps[0].seconds}::int, ${at}::timestamp, "hostId", "appId", process, replica, numbers, numbers
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      AS row(subject text, "hostId" text, "appId" text, process text, replica int, numbers double precision[])
    WHERE "appId" IS NULL OR EXISTS (SELECT 1 FROM apps WHERE id = "appId")
    ON CONFLICT DO NOTHING`
}

/** Which points are made: of a step and of those of the finer one, in seconds; from and to are beginnings of points. */
export interface RollUp {
  finer: number
  seconds: number
  from: Date
  to: Date
}

/**
 * Makes points of a coarser step out of those of the finer one, for the time from `from` to `to`. Done again it makes
 * the same of them.
 */
export async function rollUpMetrics(
  platform: Platform,
  hostId: string,
  { finer, seconds, from, to }: RollUp,
): Promise<void> {
  await platform.db.$executeRaw`
    INSERT INTO metric_points (subject, "stepSeconds", at, "hostId", "appId", process, replica, means, peaks)
    SELECT subject, ${seconds}::int, bucket, ${hostId}, max("appId"), max(process), max(replica),
      array_agg(mean ORDER BY place), array_agg(peak ORDER BY place)
    FROM (
      SELECT subject, date_bin(make_interval(secs => ${seconds}), at, TIMESTAMP 'epoch') AS bucket, place,
        max("appId") AS "appId", max(process) AS process, max(replica) AS replica,
        avg(mean) AS mean, max(peak) AS peak
      FROM metric_points, unnest(means, peaks) WITH ORDINALITY AS numbers(mean, peak, place)
      WHERE "hostId" = ${hostId} AND "stepSeconds" = ${finer}::int AND at >= ${from}::timestamp AND at < ${to}::timestamp
      GROUP BY 1, 2, 3
    ) AS places
    GROUP BY subject, bucket
    ON CONFLICT (subject, "stepSeconds", at) DO UPDATE SET means = excluded.means, peaks = excluded.peaks`
}

/** The beginning of a host's newest point of a step; null: it has none. */
export async function newestPoint(platform: Platform, hostId: string, seconds: number): Promise<Date | null> {
  const newest = await platform.db.metricPoint.findFirst({
    where: { stepSeconds: seconds, hostId },
    orderBy: { at: 'desc' },
    select: { at: true },
  })
  return newest?.at ?? null
}

/** Removes what is older than it is kept. */
export async function sweepMetrics(platform: Platform, now = Date.now()): Promise<void> {
  for (const { seconds, keptSeconds } of metricSteps) {
    const before = new Date(now - keptSeconds * 1_000)
    await platform.db.metricPoint.deleteMany({ where: { stepSeconds: seconds, at: { lt: before } } })
  }
}
