/**
 * Many idle containers: how long until they run, what each costs in memory, and whether the next one is slower. All
 * contestants have as many at a time, and take turns at each step.
 */
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench, BenchContext } from '../bench.ts'
import { memoryOf } from '../parts/memory.ts'
import { imagePackages, peerPackages } from '../parts/packages.ts'
import { type MaybeRunner, openRunners, type Runner } from '../parts/runners.ts'
import { makeRow, median, type Row, type Samples } from '../report.ts'
import { type Contestant, takeTurns } from '../turns.ts'

const steps = [0, 50, 100, 200]
const many = 100
const most = 200
const atOnce = 4
/** The kernel takes the namespaces of the one before apart after that has answered: nobody is to pay for another. */
const restMs = 300

export const bench: Bench = {
  description: `${many} containers: time, memory each; whether starts get slower up to ${most}: Berth, Docker, podman`,
  packages: [...imagePackages, ...peerPackages],
  async run(context) {
    const { berth, peers } = await openRunners(context)
    const results = [berth, ...peers].map((runner) => new Measured(runner))
    for (const [index, count] of steps.entries()) {
      const from = steps[index - 1] ?? 0
      for (const each of results)
        await each.attempt(context, (runner) => fill(each, runner, from, count, context))
      const starts = await takeTurns(context, results.map(starting))
      for (const each of results) each.starts.set(count, starts[each.name] ?? [])
    }
    const blocked = await berth.blocked?.()
    for (const each of results)
      await each.attempt(context, (runner) => inParts(0, most, (id) => runner.remove(id), context.signal))

    const row = (what: string, unit: string, pick: (all: Measured) => Samples): Row => {
      const samples = results.map((each): [string, Samples] => [each.name, each.absent ?? pick(each)])
      const { berth: ours = [], ...theirs } = Object.fromEntries(samples)
      return makeRow({ what, unit, berth: ours, peers: theirs })
    }
    return [
      row(`start ${many} containers, ${atOnce} at once`, 's', ({ seconds }) => [seconds]),
      row('memory of engine and monitors for each idle container', 'MB', ({ bytesEach }) => [
        bytesEach / 1e6,
      ]),
      ...steps.map((count) =>
        row(`start of one beside ${count}`, 's', ({ starts }) => starts.get(count) ?? []),
      ),
      row(`the same beside ${most} over beside none (1: it does not grow)`, 'times', growth),
      makeRow({
        what: `longest that the engine's event loop stood still while it started ${most}`,
        unit: 's',
        berth: blocked === undefined ? [] : [blocked],
      }),
    ]
  },
}

/** What is known of one contestant. */
class Measured {
  readonly name: string
  readonly runner: MaybeRunner
  /** Why it is out. */
  absent: string | null = null
  /** For `many`. */
  seconds = 0
  bytesEach = 0
  readonly starts = new Map<number, Samples>()

  constructor(runner: MaybeRunner) {
    this.name = runner.name
    this.runner = runner
    if ('absent' in runner) this.absent = runner.absent
  }

  async attempt({ signal }: BenchContext, work: (runner: Runner) => Promise<void>): Promise<void> {
    if ('absent' in this.runner || this.absent !== null) return
    try {
      await work(this.runner)
    } catch (error) {
      signal.throwIfAborted()
      this.absent = error instanceof Error ? error.message : String(error)
    }
  }
}

async function fill(
  each: Measured,
  runner: Runner,
  from: number,
  to: number,
  { signal, note }: BenchContext,
): Promise<void> {
  const before = memoryOf(runner.mark)
  if (from === 0) await runner.blocked?.()
  const startMs = performance.now()
  await inParts(from, to, (id) => runner.start(id), signal)
  if (to > many || to === 0) return
  each.seconds += (performance.now() - startMs) / 1_000
  each.bytesEach += (memoryOf(runner.mark) - before) / many
  note(`${runner.name}: ${to} run after ${each.seconds.toFixed(1)} s`)
}

function starting({ name, runner, absent }: Measured): Contestant {
  if ('absent' in runner || absent !== null) return { name, absent: absent ?? '' }
  return {
    name,
    prepare: () => sleep(restMs),
    work: () => runner.start('one'),
    finish: async () => void (await runner.remove('one')),
  }
}

function growth({ starts }: Measured): Samples {
  const [first, last] = [starts.get(0) ?? [], starts.get(most) ?? []]
  if (typeof first === 'string') return first
  return typeof last === 'string' ? last : [median(last) / median(first)]
}

async function inParts(
  from: number,
  to: number,
  work: (id: string) => Promise<unknown>,
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
