/** What it costs to measure many containers every ten seconds and to keep that, and how long graphs wait for it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig } from '../../platform/config.ts'
import { metricSteps } from '../../platform/model/metrics.ts'
import { openPlatform, type Platform } from '../../platform/open.ts'
import { rollUpEdgeUse } from '../../platform/worker/edge-use.ts'
import { rollUpMetrics } from '../../platform/worker/metrics.ts'
import { labels } from '../../worker/container-spec.ts'
import type { Bench, BenchContext } from '../bench.ts'
import { askGraphs } from '../parts/graphs.ts'
import { type History, writeHistory } from '../parts/metric-history.ts'
import { imagePackages, peerPackages } from '../parts/packages.ts'
import { type MaybeRunner, openRunners } from '../parts/runners.ts'
import { type Stores, startStores } from '../parts/stores.ts'
import { makeRow, type Row } from '../report.ts'
import { type Contestant, takeTurns } from '../turns.ts'

const [finest, ...coarser] = metricSteps
const roundMs = finest.seconds * 1_000
const startsAtOnce = 4
/** A worker that has run for a while has had its compiler look at what it does again and again. */
const warmUpRounds = 10
/** Of an app. */
const replicas = 10
const rollUpTurns = 30

export const bench: Bench = metricsBench()

/** @param options.containers that run, and have a history of a month. */
export function metricsBench({ containers = 100 } = {}): Bench {
  return {
    description: `measuring ${containers} containers every 10 s, beside docker stats and podman stats; graphs of a month`,
    packages: [...imagePackages, ...peerPackages],
    async run(context) {
      const stores = await startStores(context)
      const platform = await openPlatform(loadConfig(stores.environment))
      context.defer(() => platform.close())
      context.note('writing a month of points')
      const history = await writeHistory(platform, { containers, replicas })
      return [
        ...(await measureSampling(context, stores, history, containers)),
        ...(await measureRollUps(context, stores, platform)),
        ...(await askGraphs(context, platform, history)),
      ]
    },
  }
}

async function measureSampling(
  context: BenchContext,
  { environment, databaseSeconds }: Stores,
  { appIds }: History,
  containers: number,
): Promise<Row[]> {
  const { berth, peers } = await openRunners(context, {
    sampling: { environment, labels: { [labels.app]: appIds[0] ?? '', [labels.replica]: '0' } },
  })
  const results = [berth, ...peers]
  for (const runner of results) await fill(context, runner, containers)
  for (let round = 0; round < warmUpRounds; round++) await berth.measure()
  const ofDatabase: number[] = []
  const turns = await takeTurns(
    context,
    results.map((runner): Contestant => {
      if ('absent' in runner) return runner
      return {
        name: runner.name,
        prepare: () => untilNextRound(context),
        async work() {
          const before = databaseSeconds()
          const share = shareOf(await runner.measure())
          if (runner === berth) ofDatabase.push(shareOf(databaseSeconds() - before))
          return share
        },
        finish: async () => {},
      }
    }),
  )
  const { berth: ours = [], ...theirs } = turns
  return [
    makeRow({
      what: `${containers} containers measured every 10 s, share of a core`,
      ...{ unit: '%', berth: ours, peers: theirs, budget: { atMost: 1 } },
    }),
    makeRow({ what: "PostgreSQL's part in that, besides", unit: '%', berth: [meanOf(ofDatabase)] }),
  ]
}

/** What one round every ten seconds takes of a processor, in percent. */
function shareOf(seconds: number): number {
  return (seconds / finest.seconds) * 100
}

/** The kernel tells in hundredths of a second what PostgreSQL took: of a single round that says little. */
function meanOf(samples: number[]): number {
  return samples.reduce((sum, each) => sum + each, 0) / Math.max(1, samples.length)
}

/** A point is of ten seconds, and is written once. */
async function untilNextRound({ signal }: BenchContext): Promise<void> {
  await sleep(roundMs - (Date.now() % roundMs) + 200, undefined, { signal })
}

async function fill({ signal, note }: BenchContext, runner: MaybeRunner, count: number): Promise<void> {
  if ('absent' in runner) return
  let next = 0
  const start = async () => {
    while (next < count) {
      signal.throwIfAborted()
      await runner.start(`measured-${next++}`)
    }
  }
  await Promise.all(Array.from({ length: startsAtOnce }, start))
  note(`${runner.name}: ${count} run`)
}

/** The same time again and again, which makes the same points of it. */
async function measureRollUps(
  { signal }: BenchContext,
  { databaseSeconds }: Stores,
  platform: Platform,
): Promise<Row[]> {
  const rows: Row[] = []
  for (const [index, { seconds }] of coarser.entries()) {
    const finer = (metricSteps[index] ?? finest).seconds
    const to = Math.floor(Date.now() / 3_600_000) * 3_600_000
    const part = { finer, seconds, from: new Date(to - seconds * 1_000), to: new Date(to) }
    const before = databaseSeconds()
    for (let turn = 0; turn < rollUpTurns; turn++) {
      signal.throwIfAborted()
      await rollUpEdgeUse(platform, platform.config.hostId, part)
      await rollUpMetrics(platform, platform.config.hostId, part)
    }
    const ms = ((databaseSeconds() - before) / rollUpTurns) * 1_000
    rows.push(
      makeRow({
        what: `rolling ${finer} s up into ${seconds} s, every ${seconds} s, PostgreSQL's processor time`,
        ...{ unit: 'ms', berth: [ms] },
      }),
    )
  }
  return rows
}
