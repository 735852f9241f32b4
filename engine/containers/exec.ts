/** More processes in a container that runs: each has a folder for its pipes, its socket and its pid. */
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { EngineError, isEngineError } from '../errors.ts'
import { expectMoves } from '../sys/cgroup-moves.ts'
import { openInput, openOutput } from '../sys/pipes.ts'
import { processStart, signalProcess } from '../sys/processes.ts'
import { listenForTerminal, type TerminalSize } from '../sys/terminal.ts'
import { checkCommand, checkEnvironment, signalNumber } from './check-spec.ts'
import type { ContainerRow } from './container-rows.ts'
import type { ContainerExec, ExecProcess, ExecSpec } from './containers.ts'
import type { Core } from './core.ts'
import { execConfig } from './exec-config.ts'
import { canExec, mustBe } from './status.ts'

const startWithinMs = 30_000
const endWithinMs = 5_000
const endSeenWithinMs = 3_000

export interface Execs extends ContainerExec {
  /** Ends them all. */
  close(): Promise<void>
}

interface Streams {
  input: Writable | null
  output: Readable
  errors: Readable | null
  resize(size: TerminalSize): void
  /** The process has ended: what it wrote is still read. */
  ended(): void
}

export async function createExecs(core: Core): Promise<Execs> {
  const { runs, runtime, rowOf } = core
  const open = new Map<Promise<number>, () => void>()
  let count = 0
  const terminals = join(core.runDir, 'terminals')
  await rm(terminals, { recursive: true, force: true })
  await mkdir(terminals, { mode: 0o700 })

  async function exec(idOrName: string, spec: ExecSpec, signal?: AbortSignal): Promise<ExecProcess> {
    checkCommand(spec.command)
    checkEnvironment(spec.environment)
    const row = rowOf(idOrName)
    mustBe(canExec, row, 'run a process in', 'start or resume it first')
    const { id } = row
    signal?.throwIfAborted()
    const number = String(++count)
    const folder = join(runs.execFolder(id), number)
    await mkdir(folder, { recursive: true, mode: 0o711 })
    const files = { processFile: join(folder, 'process.json'), pidFile: join(folder, 'pid') }
    const logFile = join(folder, 'log')
    const failed = new AbortController()
    const noMoreMoves = expectMoves()
    try {
      const process = execConfig(JSON.parse(await runs.configText(id)), spec, `/proc/${row.pid}/root`)
      await writeFile(files.processFile, JSON.stringify(process), { mode: 0o600 })
      const hasInput = spec.input === true
      const pipes = {
        input: hasInput ? join(folder, 'in') : null,
        output: join(folder, 'out'),
        errors: join(folder, 'err'),
      }
      // A socket's address is short, and an id may be long.
      const consoleSocket = join(terminals, number)
      const listener = spec.terminal ? listenForTerminal(consoleSocket) : null
      const streams = listener ? null : openPipes(pipes, spec.aheadBytes)
      const running = runtime.exec(id, {
        ...files,
        logFile,
        pipes: listener ? null : pipes,
        consoleSocket: listener ? consoleSocket : null,
      })
      // A failure is told by whoever waits for the start, and by `exited`.
      running.catch(() => failed.abort())
      running.then(
        () => failed.abort(),
        () => {},
      )
      const terminal = listener?.receive({ timeoutMs: startWithinMs, signal: failed.signal })
      terminal?.catch(() => {})
      const found = await startOf(files.pidFile, running)
      noMoreMoves()
      const kill = (number: number | NodeJS.Signals) => {
        if (found !== null) signalProcess(found.pid, found.start, number)
      }
      const master = await terminal?.catch(async (error) => {
        kill('SIGKILL')
        await running
        throw error
      })
      listener?.close()
      if (master && spec.terminal) master.resize(spec.terminal)
      const all: Streams | null = master ? { ...master, errors: null, ended: () => {} } : streams
      if (all === null) throw new EngineError('internal', 'a process has neither pipes nor a terminal')
      const cancel = () => kill('SIGKILL')
      if (signal?.aborted) cancel()
      signal?.addEventListener('abort', cancel, { once: true })
      const exited = running
        .finally(async () => {
          signal?.removeEventListener('abort', cancel)
          all.ended()
          all.input?.destroy()
          await rm(folder, { recursive: true, force: true })
        })
        .catch(async (error) => {
          throw await causeOf(error, row)
        })
      exited.catch(() => {})
      open.set(exited, cancel)
      exited.finally(() => open.delete(exited)).catch(() => {})
      return {
        input: all.input,
        output: all.output,
        errors: all.errors,
        resize(size) {
          if (!spec.terminal) throw new EngineError('failed-precondition', 'there is no terminal to resize')
          all.resize(size)
        },
        kill: (killSignal = 'SIGKILL') => kill(signalNumber(killSignal)),
        exited,
      }
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw await causeOf(error, row)
    } finally {
      noMoreMoves()
    }
  }

  /** What fails while a container ends under it failed for that; the end itself is seen a moment later. */
  async function causeOf(error: unknown, row: ContainerRow): Promise<unknown> {
    if (isEngineError(error) && error.kind !== 'internal') return error
    for (const until = Date.now() + endSeenWithinMs; core.isAlive(row); await sleep(10))
      if (Date.now() > until) return error
    const message = `cannot run a process in container ${row.id}: it ended meanwhile`
    return new EngineError('failed-precondition', message, { cause: error })
  }

  return {
    exec: (idOrName, spec, { signal } = {}) => exec(idOrName, spec, signal),
    async close() {
      for (const cancel of open.values()) cancel()
      const ended = Promise.allSettled(open.keys())
      await Promise.race([ended, sleep(endWithinMs, undefined, { ref: false })])
    },
  }
}

function openPipes(
  pipes: { input: string | null; output: string; errors: string },
  aheadBytes: number | undefined,
): Streams {
  const output = openOutput(pipes.output, aheadBytes)
  const errors = openOutput(pipes.errors, aheadBytes)
  return {
    input: pipes.input === null ? null : openInput(pipes.input),
    output: output.stream,
    errors: errors.stream,
    resize: () => {},
    ended() {
      output.ended()
      errors.ended()
    },
  }
}

/** Waits until the runtime has written the pid; null when it has ended already. Throws why it could not be started. */
async function startOf(
  pidFile: string,
  running: Promise<number>,
): Promise<{ pid: number; start: string } | null> {
  let hasEnded = false
  const ended = running.then(() => {
    hasEnded = true
  })
  for (const until = Date.now() + startWithinMs; ; await Promise.race([ended, sleep(2)])) {
    const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0
    const start = pid > 1 ? processStart(pid) : null
    if (start !== null) return { pid, start }
    if (hasEnded) return null
    if (Date.now() > until)
      throw new EngineError('unavailable', `the process did not start in ${startWithinMs} ms`)
  }
}

/** Ends the processes that a killed engine left in a container that runs on: nobody reads what they write. */
export async function endLeftExecs(folder: string, cgroup: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const pid = Number(await readFile(join(folder, name, 'pid'), 'utf8').catch(() => ''))
    const groups = pid > 1 ? await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '') : ''
    const isOurs = groups.split('\n').some((line) => line.split(':')[2] === cgroup)
    const start = processStart(pid)
    if (isOurs && start !== null) signalProcess(pid, start, 'SIGKILL')
  }
  await rm(folder, { recursive: true, force: true })
}
