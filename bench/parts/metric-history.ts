/** A month of a team: every point that is kept of its containers and of what the edge counted. */
import { edgeCounts, latencyBounds } from '../../platform/model/edge-use.ts'
import { containerMetrics, metricSteps } from '../../platform/model/metrics.ts'
import type { Platform } from '../../platform/open.ts'

export interface History {
  teamId: string
  appIds: string[]
}

/** Of each container: no statement may take long. */
const pointsAtOnce = 360

/** Each app has one domain and so many replicas; all run on the host of the configuration. */
export async function writeHistory(
  platform: Platform,
  { containers, replicas }: { containers: number; replicas: number },
): Promise<History> {
  const { db, config } = platform
  const [teamId, projectId, environmentId] = ['team_bench', 'prj_bench', 'env_bench']
  const named = (id: string) => ({ id, slug: id.replaceAll('_', '-'), name: id })
  await db.team.create({ data: { ...named(teamId), imageNamespace: 'bench' } })
  await db.project.create({ data: { ...named(projectId), teamId } })
  await db.environment.create({ data: { ...named(environmentId), projectId } })
  await db.host.create({ data: { id: config.hostId, name: 'bench' } })
  const appIds = Array.from({ length: Math.ceil(containers / replicas) }, (_, index) => `app_bench_${index}`)
  const place = { projectId, environmentId, hostId: config.hostId, settings: {} }
  await db.app.createMany({ data: appIds.map((id) => ({ ...named(id), ...place })) })
  for (const { seconds, keptSeconds } of metricSteps)
    for (let to = 0; to < keptSeconds; to += seconds * pointsAtOnce) {
      const from = Math.min(keptSeconds, to + seconds * pointsAtOnce)
      await writePoints(platform, { containers, replicas, seconds, from, to })
      await writeCounts(platform, { appIds, seconds, from, to })
    }
  await db.$executeRaw`ANALYZE`
  return { teamId, appIds }
}

/** Seconds before now. */
interface Span {
  seconds: number
  from: number
  to: number
}

const seriesOf = ({ seconds, from, to }: Span) => [
  new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 - from * 1_000),
  new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 - to * 1_000),
  seconds,
]

async function writePoints(
  { db, config }: Platform,
  { containers, replicas, ...span }: Span & { containers: number; replicas: number },
): Promise<void> {
  const [from, to, seconds] = seriesOf(span)
  await db.$executeRaw`
    INSERT INTO metric_points (subject, "stepSeconds", at, "hostId", "appId", process, replica, means, peaks)
    SELECT 'dep_bench-' || number, ${seconds}::int, at, ${config.hostId}, 'app_bench_' || number / ${replicas}::int,
      'web', number % ${replicas}::int, numbers.made, numbers.made
    FROM generate_series(0, ${containers - 1}::int) AS number,
      generate_series(${from}::timestamp, ${to}::timestamp - interval '1 second', make_interval(secs => ${seconds}::int)) AS at,
      LATERAL (
        SELECT ARRAY(
          SELECT round((random() * 1e6 + place + number)::numeric, 3)::float8
          FROM generate_series(1, ${containerMetrics.length}::int) AS place WHERE at IS NOT NULL
        ) AS made
      ) AS numbers`
}

async function writeCounts(
  { db, config }: Platform,
  { appIds, ...span }: Span & { appIds: string[] },
): Promise<void> {
  const [from, to, seconds] = seriesOf(span)
  const places = edgeCounts.length + latencyBounds.length / 2
  await db.$executeRaw`
    INSERT INTO edge_points ("appId", domain, "stepSeconds", at, "hostId", counts, "openPeak")
    SELECT "appId", "appId" || '.example', ${seconds}::int, at, ${config.hostId}, numbers.made, 5
    FROM unnest(${appIds}::text[]) AS "appId",
      generate_series(${from}::timestamp, ${to}::timestamp - interval '1 second', make_interval(secs => ${seconds}::int)) AS at,
      LATERAL (
        SELECT ARRAY(
          SELECT (random() * 1000)::bigint
          FROM generate_series(1, ${places}::int) WHERE "appId" IS NOT NULL AND at IS NOT NULL
        ) AS made
      ) AS numbers`
}
