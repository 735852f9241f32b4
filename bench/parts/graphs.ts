/** How long what graphs are drawn from is waited for. */
import { performance } from 'node:perf_hooks'
import { readEdgeUse } from '../../platform/edge-use.ts'
import { readAppMetrics } from '../../platform/metrics.ts'
import type { Platform } from '../../platform/open.ts'
import { readTeamMetrics } from '../../platform/team-metrics.ts'
import type { BenchContext } from '../bench.ts'
import { makeRow, type Row } from '../report.ts'
import type { History } from './metric-history.ts'

const spans: [name: string, hours: number][] = [
  ['an hour', 1],
  ['a day', 24],
  ['a week', 168],
  ['30 days', 720],
]

export async function askGraphs(
  { runs, signal }: BenchContext,
  platform: Platform,
  { teamId, appIds }: History,
): Promise<Row[]> {
  const viewer = { kind: 'operator' } as const
  const appId = appIds[0] ?? ''
  const graphs: [what: string, ask: (range: { from: string }) => Promise<unknown>][] = [
    ['use of an app', (range) => readAppMetrics(platform, viewer, appId, range)],
    ['requests of an app', (range) => readEdgeUse(platform, viewer, appId, range)],
    [`a team of ${appIds.length} apps`, (range) => readTeamMetrics(platform, viewer, teamId, range)],
  ]
  const rows: Row[] = []
  for (const [what, ask] of graphs)
    for (const [span, hours] of spans) {
      const times: number[] = []
      for (let turn = 0; turn < runs; turn++) {
        signal.throwIfAborted()
        const begin = performance.now()
        await ask({ from: new Date(Date.now() - hours * 3_600_000).toISOString() })
        times.push(performance.now() - begin)
      }
      rows.push(makeRow({ what: `graph: ${what}, ${span}`, unit: 'ms', berth: times }))
    }
  return rows
}
