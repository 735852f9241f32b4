/** Many idle containers: how long until they run, what each costs in memory, and whether the next one is slower. */
import { performance } from 'node:perf_hooks'
import type { Bench, BenchContext } from '../bench.ts'
import { memoryOf } from '../parts/memory.ts'
import { imagePackages, peerPackages } from '../parts/packages.ts'
import { openRunners, type Runner } from '../parts/runners.ts'
import { makeRow, median, type Row, type Samples } from '../report.ts'

const many = 100
const most = 200
const atOnce = 4
const few = 10

export const bench: Bench = {
  description: `${many} containers: time, memory each; whether starts get slower up to ${most}: Berth, Docker, podman`,
  packages: [...imagePackages, ...peerPackages],
  async run(context) {
    const { berth, peers } = await openRunners(context)
    const results = new Map<string, Measured | string>()
    for (const runner of [berth, ...peers])
      results.set(runner.name, 'absent' in runner ? runner.absent : await measure(runner, context))
    const rowOf = (what: string, unit: string, pick: (all: Measured) => number): Row => {
      const samples = [...results].map(([name, all]): [string, Samples] => [
        name,
        typeof all === 'string' ? all : [pick(all)],
      ])
      const { berth: ours = [], ...theirs } = Object.fromEntries(samples)
      return makeRow({ what, unit, berth: ours, peers: theirs })
    }
    const growth = `start of one beside ${most} compared with beside none (1: as fast)`
    return [
      rowOf(`start ${many} containers, ${atOnce} at once`, 's', ({ seconds }) => seconds),
      rowOf(
        'memory of engine and monitors for each idle container',
        'MB',
        ({ bytesEach }) => bytesEach / 1e6,
      ),
      rowOf(growth, 'times', ({ first, last }) => last / first),
      rowOf(`start of one beside ${most}`, 's', ({ last }) => last),
      makeRow({
        what: `longest that the engine's event loop stood still while it started ${most}`,
        unit: 's',
        berth: typeof results.get('berth') === 'string' ? [] : [(results.get('berth') as Measured).blocked],
      }),
    ]
  },
}

interface Measured {
  /** For `many`. */
  seconds: number
  bytesEach: number
  /** Median start beside none and beside `most`, in seconds. */
  first: number
  last: number
  blocked: number
}

async function measure(runner: Runner, { signal, note }: BenchContext): Promise<Measured | string> {
  try {
    const first = await medianStart(runner, signal)
    const before = memoryOf(runner.mark)
    await runner.blocked?.()
    const seconds = await startAll(runner, 0, many, signal)
    note(`${runner.name}: ${many} in ${seconds.toFixed(1)} s`)
    const bytesEach = (memoryOf(runner.mark) - before) / many
    await startAll(runner, many, most, signal)
    const blocked = (await runner.blocked?.()) ?? 0
    const last = await medianStart(runner, signal)
    note(`${runner.name}: one takes ${first.toFixed(3)} s beside none, ${last.toFixed(3)} s beside ${most}`)
    await inParts(most, (id) => runner.remove(id), 0, signal)
    return { seconds, bytesEach, first, last, blocked }
  } catch (error) {
    signal.throwIfAborted()
    return error instanceof Error ? error.message : String(error)
  }
}

async function medianStart(runner: Runner, signal: AbortSignal): Promise<number> {
  const all: number[] = []
  for (let count = 0; count < few; count++) {
    signal.throwIfAborted()
    const startMs = performance.now()
    await runner.start(`one-${count}`)
    all.push((performance.now() - startMs) / 1_000)
    await runner.remove(`one-${count}`)
  }
  return median(all)
}

async function startAll(runner: Runner, from: number, to: number, signal: AbortSignal): Promise<number> {
  const startMs = performance.now()
  await inParts(to, (id) => runner.start(id), from, signal)
  return (performance.now() - startMs) / 1_000
}

async function inParts(
  to: number,
  work: (id: string) => Promise<unknown>,
  from: number,
  signal: AbortSignal,
): Promise<void> {
  let next = from
  const worker = async () => {
    while (next < to) {
      signal.throwIfAborted()
      await work(`many-${next++}`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}
