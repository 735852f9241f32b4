/** Requests through the edge, beside a bare HAProxy and the app itself; with one app and with many. */
import type { Bench, BenchContext } from '../bench.ts'
import { type BenchEdge, measure, type Origin, startBare, startEdge, startOrigin } from '../parts/edge.ts'
import { makeRow, type Row, type Samples, timesOver } from '../report.ts'
import { takeTurns } from '../turns.ts'

const packages = [
  { name: 'haproxy', files: ['/usr/sbin/haproxy'], why: 'the edge, and what it is compared with' },
  { name: 'wrk', files: ['/usr/bin/wrk'], why: 'makes the requests' },
]

export const bench: Bench = edgeBench()

/** @param options.apps of the larger of the two edges; @param options.seconds of load at each turn. */
export function edgeBench({ apps = 500, seconds = 3 } = {}): Bench {
  return {
    description: `requests through the edge with 1 and ${apps} apps: Berth, a bare HAProxy, the app directly`,
    packages,
    run: (context) => compare(context, apps, seconds),
  }
}

interface Way {
  name: string
  to: Origin
  rates: Samples
  p99s: number[]
}

async function compare(context: BenchContext, most: number, seconds: number): Promise<Row[]> {
  const origin = await startOrigin(context)
  const rows: Row[] = []
  const growth: { edge: BenchEdge; apps: number; berth: Way; bare: Way }[] = []
  for (const apps of [1, most]) {
    const edge = await startEdge(context, origin, apps)
    const berth = way('berth', edge)
    const bare = way('haproxy', await startBare(context, origin, apps))
    const ways = [berth, bare, way('direct', origin)]
    const rates = await takeTurns(
      context,
      ways.map((each) => load(context, each, apps - 1, seconds)),
    )
    for (const each of ways) each.rates = rates[each.name] ?? []
    const beside = `with ${apps} ${apps === 1 ? 'app' : 'apps'}`
    const row = (what: string, unit: string, better: 'less' | 'more', pick: (way: Way) => Samples) => {
      const { berth: ours = [], ...peers } = Object.fromEntries(ways.map((each) => [each.name, pick(each)]))
      return makeRow({ what: `${what}, ${beside}`, unit, berth: ours, peers, better })
    }
    rows.push(
      row('requests, 32 connections', '/s', 'more', (each) => each.rates),
      row('99% were answered within', 'ms', 'less', (each) =>
        typeof each.rates === 'string' ? each.rates : each.p99s,
      ),
    )
    growth.push({ edge, apps, berth, bare })
  }
  const [one, many] = growth
  if (one === undefined || many === undefined) return rows
  const growthRow = (what: string, of: (way: Way) => Samples, better: 'less' | 'more') =>
    makeRow({
      ...{ what: `${what} with ${most} apps over with 1 (1: it does not change)`, unit: 'times', better },
      berth: timesOver(of(one.berth), of(many.berth)),
      peers: { haproxy: timesOver(of(one.bare), of(many.bare)) },
    })
  rows.push(
    growthRow('requests', ({ rates }) => rates, 'more'),
    growthRow('the 99th percentile', ({ p99s }) => p99s, 'less'),
  )
  for (const { edge, apps } of growth) rows.push(await switching(context, edge, apps))
  return rows
}

function way(name: string, to: Origin): Way {
  return { name, to, rates: [], p99s: [] }
}

function load(context: BenchContext, { name, to, p99s }: Way, app: number, seconds: number) {
  return {
    name,
    prepare: async () => {},
    async work() {
      const { requestsPerSecond, p99Ms } = await measure(to, app, seconds, context)
      p99s.push(p99Ms)
      return requestsPerSecond
    },
    finish: async () => {},
  }
}

/** What a deployment waits for: the edge sends an app's requests elsewhere. */
async function switching(context: BenchContext, edge: BenchEdge, apps: number): Promise<Row> {
  const { berth = [] } = await takeTurns(context, [
    { name: 'berth', prepare: async () => {}, work: () => edge.switchOver(apps - 1), finish: async () => {} },
  ])
  return makeRow({
    what: `an app's traffic is switched, with ${apps} ${apps === 1 ? 'app' : 'apps'}`,
    unit: 's',
    berth,
  })
}
