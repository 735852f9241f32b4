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

export interface RunningPart {
  readonly name: Part['name']
  readonly pid: number | null
  readonly restarts: number
  readonly startedAt: string
  stop(): Promise<void>
  /** Ends it at once. */
  kill(): void
}

export interface RunPartOptions {
  home: string
  /** A line of the part's output, or about the part. */
  onLine: (name: string, line: string) => void
}

/** Resolves when the part answers. Throws, with the part ended, when it does not in time or ends by itself. */
export async function runPart(part: Part, { home, onLine }: RunPartOptions): Promise<RunningPart> {
  const log = openPartLog(home, part.name)
  const pidFile = join(home, 'run', `${part.name}.pid`)
  let child: ChildProcess | null = null
  let stopping = false
  let restarts = 0
  let startedAtMs = Date.now()
  let waitMs = firstWaitMs
  const lastLines: string[] = []

  const tell = (line: string) => {
    log.write(line)
    lastLines.push(line)
    if (lastLines.length > 20) lastLines.shift()
    onLine(part.name, line)
  }

  async function start(): Promise<ChildProcess> {
    await part.prepare?.()
    startedAtMs = Date.now()
    const [file = '', ...args] = part.argv
    const started = spawn(file, args, {
      cwd: part.uid === undefined ? root : '/',
      env: part.env as NodeJS.ProcessEnv,
      stdio: ['ignore', 'pipe', 'pipe'],
      // Ctrl-C in a terminal goes to the whole group: parts are stopped by us, in order.
      detached: true,
      ...(part.uid === undefined ? {} : { uid: part.uid, gid: part.gid }),
    })
    child = started
    for (const stream of [started.stdout, started.stderr])
      if (stream) createInterface({ input: stream }).on('line', tell)
    started.once('error', (error) => tell(`could not be started: ${error.message}`))
    started.once('exit', (code, signal) => {
      rmSync(pidFile, { force: true })
      child = null
      if (!stopping) void again(signal ? `was ended by ${signal}` : `ended with ${code}`)
    })
    if (started.pid !== undefined) writeFileSync(pidFile, `${started.pid} ${processStart(started.pid)}`)
    return started
  }

  let isReady = false
  async function again(how: string): Promise<void> {
    if (!isReady) return
    if (Date.now() - startedAtMs > wellAfterMs) waitMs = firstWaitMs
    tell(`${part.name} ${how}: starting it again in ${waitMs / 1_000} s`)
    await sleep(waitMs)
    waitMs = Math.min(waitMs * 2, longestWaitMs)
    if (stopping) return
    restarts++
    try {
      await start()
      tell(`${part.name} was started again`)
    } catch (error) {
      tell(`could not be started: ${(error as Error).message}`)
      void again('could not be started')
    }
  }

  async function stop(): Promise<void> {
    stopping = true
    const running = child
    if (running && running.exitCode === null && running.signalCode === null) {
      const gone = new Promise((resolve) => running.once('exit', resolve))
      running.kill(part.stopSignal)
      const waited = new AbortController()
      const late = sleep(part.stopWithinMs, 'late', { signal: waited.signal }).catch(() => 'over')
      if ((await Promise.race([gone, late])) === 'late') {
        tell(`did not stop within ${part.stopWithinMs / 1_000} s: killed`)
        kill()
        await gone
      }
      waited.abort()
    }
    log.close()
  }

  function kill(): void {
    stopping = true
    if (!child?.pid) return
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      child?.kill('SIGKILL')
    }
  }

  const first = await start()
  const deadline = Date.now() + part.readyWithinMs
  for (;;) {
    if (first.exitCode !== null || first.signalCode !== null || first.pid === undefined) {
      stopping = true
      throw new CommandError(
        `${part.name} ended while it started. It said:\n${lastLines.slice(-12).join('\n')}`,
      )
    }
    try {
      await part.check(first.pid)
      break
    } catch (error) {
      if (Date.now() > deadline) {
        await stop()
        throw new CommandError(
          `${part.name} did not answer within ${part.readyWithinMs / 1_000} s (${(error as Error).message}). It said:\n${lastLines.slice(-12).join('\n')}`,
        )
      }
      await sleep(50)
    }
  }
  isReady = true
  return {
    name: part.name,
    get pid() {
      return child?.pid ?? null
    },
    get restarts() {
      return restarts
    },
    get startedAt() {
      return new Date(startedAtMs).toISOString()
    },
    stop,
    kill,
  }
}
