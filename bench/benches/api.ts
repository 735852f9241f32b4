/** What a team with a thousand apps waits for: the API, the dashboard; and what the platform takes while nobody asks. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root, run } from '../../cli/processes.ts'
import type { Bench, BenchContext } from '../bench.ts'
import { askTogether, p95 } from '../parts/clients.ts'
import { type BerthInstallation, makeToken, startInstallation } from '../parts/installation.ts'
import { makeApps } from '../parts/many-apps.ts'
import { openVisitor, type Visitor } from '../parts/visitor.ts'
import { makeRow, type Row } from '../report.ts'

const clients = 20

export const bench = apiBench()

/** @param options.seconds of load at each turn; @param options.restSeconds before memory is read. */
export function apiBench({ apps = 1_000, seconds = 4, restSeconds = 60 } = {}): Bench {
  return {
    description: `API and dashboard of a team with ${apps} apps, ${clients} clients; memory of the idle platform`,
    packages: [{ name: 'chromium', files: ['/usr/bin/chromium'], why: 'looks at the dashboard' }],
    async run(context) {
      const berth = await startInstallation(context)
      // Everybody who is idle has been asked before.
      const visitor = await openVisitor(berth, context)
      await sleep(restSeconds * 1_000, undefined, { signal: context.signal })
      const idle = [await memory(berth)]
      const { app, project } = await makeApps(berth, apps, context)
      const token = await makeToken(berth)
      const ask = (path: string) => waits(berth, `/api/v1${path}`, token, seconds, context)
      return [
        makeRow({
          ...{ what: `a page of 100 of ${apps} apps, p95 of ${clients} clients`, unit: 'ms' },
          ...{ berth: await ask(`/teams/${berth.teamId}/apps?limit=100`), budget: { atMost: 50 } },
        }),
        makeRow({
          ...{ what: `one app of ${apps}, p95 of ${clients} clients`, unit: 'ms' },
          ...{ berth: await ask(`/apps/${app.id}`), budget: { atMost: 20 } },
        }),
        ...(await pages(visitor, apps, [`/bench`, `/bench/${project}`], app.name, context)),
        makeRow({
          ...{ what: `memory of the whole platform, idle for ${restSeconds} s (PSS)`, unit: 'MiB' },
          ...{ berth: idle, budget: { atMost: 450 } },
        }),
        makeRow({
          ...{ what: 'the same right after all of this', unit: 'MiB' },
          berth: [await memory(berth)],
        }),
      ]
    },
  }
}

/** The p95 of each turn, after one that is not counted: code is compiled in it. */
async function waits(
  { port }: BerthInstallation,
  path: string,
  token: string,
  seconds: number,
  context: BenchContext,
): Promise<number[]> {
  const asking = { port, path, clients, headers: { host: 'localhost', authorization: `Bearer ${token}` } }
  await askTogether({ ...asking, seconds: seconds / 2 }, context)
  const samples: number[] = []
  for (let turn = 0; turn < context.runs; turn++) {
    const took = await askTogether({ ...asking, seconds }, context)
    context.note(`${path}: ${Math.round(took.length / seconds)} answers a second`)
    samples.push(p95(took))
  }
  return samples
}

async function pages(
  visitor: Visitor,
  apps: number,
  paths: string[],
  text: string,
  { runs, signal }: BenchContext,
): Promise<Row[]> {
  const rows: Row[] = []
  for (const path of paths) {
    const [first, whole]: [number[], number[]] = [[], []]
    for (let turn = 0; turn < runs; turn++) {
      signal.throwIfAborted()
      const { firstMs, wholeMs } = await visitor.visit(path, text)
      first.push(firstMs / 1_000)
      whole.push(wholeMs / 1_000)
    }
    const what = `${path} in a browser that knows nothing of it, ${apps} apps in the team`
    rows.push(
      makeRow({ what: `${what}: first content`, unit: 's', berth: first, budget: { atMost: 1 } }),
      makeRow({ what: `${what}: its first app`, unit: 's', berth: whole }),
    )
  }
  return rows
}

/** As `berth status` tells it, in MiB. */
async function memory({ home }: BerthInstallation): Promise<number> {
  const told = await run([join(root, 'berth'), 'status', '--json', '--home', home])
  return (JSON.parse(told) as { memoryBytes: number }).memoryBytes / 2 ** 20
}
