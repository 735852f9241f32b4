import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import type { BenchContext } from './bench.ts'
import type { Samples } from './report.ts'

export type Contestant = Present | Absent

interface Absent {
  name: string
  /** Why it cannot take part. */
  absent: string
}

interface Present {
  name: string
  /** Makes everything cold again; not timed. */
  prepare(): Promise<void>
  /** The work, timed. A number that it answers with is taken instead of the time. */
  work(): Promise<unknown>
  /** Lets go of what `work` left, before the next one's turn; not timed. */
  finish(): Promise<void>
}

/**
 * Lets contestants take turns, so that what disturbs the machine disturbs all of them; the order turns round each time.
 * Answers with seconds by name. One that fails says so instead and is left out from then on.
 */
export async function takeTurns(
  { runs, signal, note }: Pick<BenchContext, 'runs' | 'signal' | 'note'>,
  contestants: Contestant[],
): Promise<Record<string, Samples>> {
  const results = new Map<string, Samples>(
    contestants.map((each) => [each.name, 'absent' in each ? each.absent : []]),
  )
  const present = contestants.filter((each): each is Present => !('absent' in each))
  for (let run = 0; run < runs; run++) {
    const order = run % 2 === 0 ? present : present.toReversed()
    for (const { name, prepare, work, finish } of order) {
      const samples = results.get(name)
      if (!Array.isArray(samples)) continue
      signal.throwIfAborted()
      try {
        await prepare()
        const startMs = performance.now()
        const answer = await orCalledOff(work(), signal)
        const seconds = typeof answer === 'number' ? answer : (performance.now() - startMs) / 1_000
        samples.push(seconds)
        note(`run ${run + 1} of ${runs}: ${name} ${seconds.toFixed(2)}`)
        await finish()
      } catch (error) {
        signal.throwIfAborted()
        const why = error instanceof Error ? error.message : String(error)
        results.set(name, why)
        note(`${name} cannot go on: ${why}`)
      }
    }
  }
  return Object.fromEntries(results)
}

/** Who does not heed the signal is not waited for: what it works with goes when the bench ends. */
async function orCalledOff<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = new AbortController()
  const calledOff = once(signal, 'abort', { signal: over.signal }).then(() => signal.throwIfAborted())
  calledOff.catch(() => {})
  try {
    return (await Promise.race([work, calledOff])) as T
  } finally {
    over.abort()
  }
}
