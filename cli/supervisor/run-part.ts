/** One part under supervision: started, watched, started again with growing waits, stopped. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Part } from '../parts/part.ts'
import { CommandError } from '../say.ts'
import { openPartLog } from './part-log.ts'
import { type PartProcess, spawnPart, takeOverPart } from './part-process.ts'

const firstWaitMs = 500
const longestWaitMs = 30_000
/** One that ran this long was well: the next wait is short again. */
const wellAfterMs = 60_000
const lastLinesShown = 12

export interface RunningPart {
  readonly name: Part['name']
  readonly pid: number | null
  readonly restarts: number
  stop(): Promise<void>
  /** It runs on, for the next supervisor to take over. */
  leave(): Promise<void>
  /** Ends it at once. */
  kill(): void
}

/** A line that the part wrote, or one about the part. */
export type OnLine = (name: string, line: string, from: 'part' | 'supervisor') => void

export interface RunPartOptions {
  home: string
  onLine: OnLine
  /** Gives the first start up. */
  signal?: AbortSignal
}

/**
 * Resolves when the part answers; what an earlier supervisor left of it is taken over. Throws, with the part ended, when
 * it does not answer in time or ends by itself.
 */
export async function runPart(part: Part, { home, onLine, signal }: RunPartOptions): Promise<RunningPart> {
  const log = openPartLog(home, part.name)
  const stopping = new AbortController()
  const lastLines: string[] = []
  let restarts = 0

  const hear = (line: string, from: 'part' | 'supervisor') => {
    log.write(line)
    lastLines.push(line)
    if (lastLines.length > lastLinesShown) lastLines.shift()
    onLine(part.name, line, from)
  }
  const tell = (line: string) => hear(line, 'supervisor')
  const hearPart = (line: string) => hear(line, 'part')

  /** Throws a sentence when it ends, does not answer in time, or nobody waits for it any more. */
  async function untilItAnswers(
    { pid, startedAtMs, ended }: PartProcess,
    waiting: AbortSignal,
  ): Promise<void> {
    const over = ended.then((how) => {
      throw new Error(`${part.name} ${how} while it started`)
    })
    over.catch(() => {})
    for (;;) {
      waiting.throwIfAborted()
      try {
        await Promise.race([over, pid === undefined ? over : part.check(pid)])
        return
      } catch (error) {
        await Promise.race([over, sleep(50)])
        if (Date.now() - startedAtMs < part.readyWithinMs) continue
        throw new Error(
          `${part.name} did not answer within ${part.readyWithinMs / 1_000} s (${(error as Error).message})`,
        )
      }
    }
  }

  /** Until it is to stop: waits for its end, and starts it again. */
  async function keepRunning(): Promise<void> {
    let waitMs = firstWaitMs
    while (!stopping.signal.aborted) {
      const how = await run.ended
      if (stopping.signal.aborted) return
      if (Date.now() - run.startedAtMs > wellAfterMs) waitMs = firstWaitMs
      tell(`${part.name} ${how}: it starts again in ${waitMs / 1_000} s`)
      await sleep(waitMs, undefined, { signal: stopping.signal })
      waitMs = Math.min(waitMs * 2, longestWaitMs)
      restarts++
      try {
        run = await spawnPart(part, home, hearPart)
        await untilItAnswers(run, stopping.signal)
        tell(`${part.name} was started again and answers`)
      } catch (error) {
        if (stopping.signal.aborted) return
        tell((error as Error).message)
        run.killGroup()
      }
    }
  }

  async function stop(): Promise<void> {
    stopping.abort()
    if (!run.isOver) {
      run.signal(part.stopSignal)
      const waited = new AbortController()
      const late = sleep(part.stopWithinMs, 'late', { signal: waited.signal }).catch(() => 'over')
      if ((await Promise.race([run.ended, late])) === 'late') {
        tell(`${part.name} did not stop within ${part.stopWithinMs / 1_000} s: it is killed`)
        run.killGroup()
      }
      waited.abort()
      await run.ended
    }
    log.close()
  }

  let run = (await takeOverPart(part, home, hearPart)) ?? (await spawnPart(part, home, hearPart))
  try {
    await untilItAnswers(run, signal ? AbortSignal.any([signal, stopping.signal]) : stopping.signal)
  } catch (error) {
    await stop()
    signal?.throwIfAborted()
    const said = lastLines.length > 0 ? ` It said:\n${lastLines.join('\n')}` : ''
    throw new CommandError(`${(error as Error).message}.${said}`)
  }
  keepRunning().catch((error: Error) => {
    if (!stopping.signal.aborted) tell(`${part.name} is not watched any more: ${error.message}`)
  })
  return {
    name: part.name,
    get pid() {
      return run.isOver ? null : (run.pid ?? null)
    },
    get restarts() {
      return restarts
    },
    stop,
    async leave() {
      stopping.abort()
      await run.leave()
      log.close()
    },
    kill() {
      stopping.abort()
      run.killGroup()
    },
  }
}
