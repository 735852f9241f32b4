import { countOf, edgeCounts, latencyBounds } from './model/edge-use.ts'
import { metricSteps } from './model/metrics.ts'
import type { Platform } from './open.ts'
import { family, type Sample } from './prometheus-text.ts'
import { totalStep } from './worker/edge-use.ts'

/** A series for each of all bounds would be many. */
const shownBounds = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000]

interface Row {
  domain: string
  counts: bigint[]
  open: number | null
  app: string
  project: string
  team: string
}

/** What the edge counted of every domain since it was first asked for. */
export async function edgeFamilies(platform: Platform, freshMs: number): Promise<string[]> {
  const rows = await platform.db.$queryRaw<Row[]>`
    SELECT total.domain, total.counts, apps.slug AS app, projects.slug AS project, teams.slug AS team,
      (
        SELECT "openPeak" FROM edge_points AS point
        WHERE point."appId" = total."appId" AND point.domain = total.domain
          AND point."stepSeconds" = ${metricSteps[0].seconds}
          AND point.at > ${new Date(Date.now() - freshMs)}::timestamp
        ORDER BY point.at DESC LIMIT 1
      ) AS open
    FROM edge_points AS total
    JOIN apps ON apps.id = total."appId"
    JOIN projects ON projects.id = apps."projectId"
    JOIN teams ON teams.id = projects."teamId"
    WHERE total."stepSeconds" = ${totalStep}
    ORDER BY team, project, app, domain`
  const domains = rows.map(({ team, project, app, domain, counts, open }) => ({
    labels: { team, project, app, domain },
    counts: counts.map(Number),
    open: open ?? 0,
  }))
  const each = (samples: (domain: (typeof domains)[number]) => Sample[]) => domains.flatMap(samples)
  return [
    ...family(
      'berth_edge_requests_total',
      'counter',
      'Requests that are over, by the class of their answer.',
      each(({ labels, counts }) =>
        statusesOf(counts).map(([code, value]) => ({ labels: { ...labels, code }, value })),
      ),
    ),
    ...family(
      'berth_edge_received_bytes_total',
      'counter',
      'Bytes from visitors.',
      each(({ labels, counts }) => [{ labels, value: countOf(counts, 'bytesIn') }]),
    ),
    ...family(
      'berth_edge_sent_bytes_total',
      'counter',
      'Bytes to visitors.',
      each(({ labels, counts }) => [{ labels, value: countOf(counts, 'bytesOut') }]),
    ),
    ...family(
      'berth_edge_request_duration_seconds',
      'histogram',
      'Time until an answer began.',
      each(({ labels, counts }) => durations(labels, counts)),
    ),
    ...family(
      'berth_edge_open_requests',
      'gauge',
      'Requests and WebSockets under way.',
      each(({ labels, open }) => [{ labels, value: open }]),
    ),
  ]
}

function statusesOf(counts: number[]): [code: string, count: number][] {
  const named = (['1xx', '2xx', '3xx', '4xx', '5xx'] as const).map(
    (code) => [code, countOf(counts, `status${code}`)] as [string, number],
  )
  const answered = named.reduce((sum, [, count]) => sum + count, 0)
  // Nobody waited for their answer.
  return [...named, ['none', countOf(counts, 'requests') - answered]]
}

function durations(labels: Sample['labels'], counts: number[]): Sample[] {
  const answers = counts.slice(edgeCounts.length)
  const upTo = (place: number) => answers.slice(0, place).reduce((sum, count) => sum + count, 0)
  const buckets = shownBounds.map((bound) => ({
    ...{ labels: { ...labels, le: bound / 1_000 }, suffix: '_bucket' },
    value: upTo(latencyBounds.indexOf(bound) + 1),
  }))
  const count = upTo(answers.length)
  return [
    ...buckets,
    { labels: { ...labels, le: '+Inf' }, suffix: '_bucket', value: count },
    { labels, suffix: '_sum', value: countOf(counts, 'latencyMs') / 1_000 },
    { labels, suffix: '_count', value: count },
  ]
}
