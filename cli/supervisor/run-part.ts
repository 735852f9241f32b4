/** One part under supervision: started, watched, started again with growing waits, stopped. */
import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Part } from '../parts/part.ts'
import { processStart, root } from '../processes.ts'
import { CommandError } from '../say.ts'
import { openPartLog } from './part-log.ts'

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

interface Run {
  child: ChildProcess
  startedAtMs: number
  /** How it ended, in words. */
  ended: Promise<string>
  isOver: boolean
}

/** Resolves when the part answers. Throws, with the part ended, when it does not in time or ends by itself. */
export async function runPart(part: Part, { home, onLine, signal }: RunPartOptions): Promise<RunningPart> {
  const log = openPartLog(home, part.name)
  const pidFile = join(home, 'run', `${part.name}.pid`)
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

  async function start(): Promise<Run> {
    await part.prepare?.()
    const [file = '', ...args] = part.argv
    const child = spawn(file, args, {
      cwd: part.uid === undefined ? root : '/',
      env: part.env as NodeJS.ProcessEnv,
      stdio: ['ignore', 'pipe', 'pipe'],
      // Ctrl-C in a terminal goes to the whole group: parts are stopped by us, in order.
      detached: true,
      ...(part.uid === undefined ? {} : { uid: part.uid, gid: part.gid }),
    })
    if (child.pid !== undefined) writeFileSync(pidFile, `${child.pid} ${processStart(child.pid)}`)
    for (const stream of [child.stdout, child.stderr])
      if (stream) createInterface({ input: stream }).on('line', (line) => hear(line, 'part'))
    const ended = new Promise<string>((resolve) => {
      const over = (how: string) => {
        started.isOver = true
        rmSync(pidFile, { force: true })
        resolve(how)
      }
      child.once('error', (error) => over(`could not be started (${error.message})`))
      child.once('exit', (code, by) => over(by ? `was ended by ${by}` : `ended with exit code ${code}`))
    })
    const started: Run = { child, startedAtMs: Date.now(), ended, isOver: false }
    return started
  }

  /** Throws a sentence when it ends, does not answer in time, or nobody waits for it any more. */
  async function untilItAnswers({ child, startedAtMs, ended }: Run, waiting: AbortSignal): Promise<void> {
    const over = ended.then((how) => {
      throw new Error(`${part.name} ${how} while it started`)
    })
    over.catch(() => {})
    for (;;) {
      waiting.throwIfAborted()
      try {
        await Promise.race([over, child.pid === undefined ? over : part.check(child.pid)])
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

  function killGroup({ child, isOver }: Run): void {
    if (isOver || child.pid === undefined) return
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      child.kill('SIGKILL')
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
        run = await start()
        await untilItAnswers(run, stopping.signal)
        tell(`${part.name} was started again and answers`)
      } catch (error) {
        if (stopping.signal.aborted) return
        tell((error as Error).message)
        killGroup(run)
      }
    }
  }

  async function stop(): Promise<void> {
    stopping.abort()
    if (!run.isOver) {
      run.child.kill(part.stopSignal)
      const waited = new AbortController()
      const late = sleep(part.stopWithinMs, 'late', { signal: waited.signal }).catch(() => 'over')
      if ((await Promise.race([run.ended, late])) === 'late') {
        tell(`${part.name} did not stop within ${part.stopWithinMs / 1_000} s: it is killed`)
        killGroup(run)
      }
      waited.abort()
      await run.ended
    }
    log.close()
  }

  let run = await start()
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
      return run.isOver ? null : (run.child.pid ?? null)
    },
    get restarts() {
      return restarts
    },
    stop,
    kill() {
      stopping.abort()
      killGroup(run)
    },
  }
}
