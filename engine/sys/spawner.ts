/**
 * Starts processes through one small child: `spawn` blocks the event loop in proportion to the memory of the process
 * that forks, so the one that forks stays small. The child ends with us; what it started detached does not.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { EngineError } from '../errors.ts'
import { enterCgroup } from './cgroups.ts'
import type { MountLoan, MountView } from './mount-view.ts'
import { killProcesses } from './processes.ts'
import type { RunReply, RunRequest } from './spawner-child.ts'

export interface RunOptions {
  cwd?: string
  env?: Record<string, string>
  /** Written to standard input, which then ends. */
  input?: string
  /** SIGTERM after this long, SIGKILL a second later; default 30,000. */
  timeoutMs?: number
  signal?: AbortSignal
  /** It sees no more of the host's mounts than this; default: all. */
  view?: MountView
}

export interface MonitorOptions {
  cwd: string
  env: Record<string, string>
  timeoutMs: number
  /** What it and the runtime see, for as long as they live. */
  view: MountView
  /** What they see beside it until the container is made. */
  loans: MountLoan[]
}

export interface RunResult {
  code: number | null
  signal: string | null
  stdout: string
  stderr: string
}

export interface Spawner {
  run(argv: string[], options?: RunOptions): Promise<RunResult>
  /** Like run, and throws EngineError with the whole story unless the exit code is 0. */
  mustRun(argv: string[], options?: RunOptions): Promise<string>
  /**
   * Starts conmon: detached, with its synchronisation pipes on 3 and 4. Resolves with the pid of the container's
   * first process; throws with what the runtime said.
   */
  startMonitor(argv: string[], options: MonitorOptions): Promise<number>
  close(): Promise<void>
}

const defaultTimeoutMs = 30_000
const childEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C.UTF-8',
  NODE_ENV: 'production' as const,
}
const spawnerFile = new URL('./spawner-child.ts', import.meta.url)

/** Ends a spawner that a killed process left: it would end by itself, but not before what it was about to start. */
export function endLeftSpawners(tag: string): Promise<void> {
  return killProcesses((argv) => argv.includes(spawnerFile.pathname) && argv.includes(tag))
}

export interface SpawnerOptions {
  /** Shows in the child's command line, so that the next process can find a child that an earlier one left. */
  tag?: string
  /** Folders of the control group that the child, and so whatever it starts, belongs to; default: ours. */
  cgroup?: string[]
}

export function startSpawner({ tag = '', cgroup = [] }: SpawnerOptions = {}): Spawner {
  const waiting = new Map<number, { resolve: (reply: RunReply) => void; reject: (error: Error) => void }>()
  let lastId = 0
  let closed = false
  let child: ChildProcess | null = start()

  function start(): ChildProcess {
    const started = fork(spawnerFile, tag === '' ? [] : [tag], {
      cwd: '/',
      env: childEnvironment,
      execArgv: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=1'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // A terminal's Ctrl+C is for us; the child is needed to end in order, and ends with us.
      detached: true,
    })
    if (started.pid !== undefined) enterCgroup(cgroup, started.pid)
    started.on('message', (reply: RunReply) => {
      waiting.get(reply.id)?.resolve(reply)
      waiting.delete(reply.id)
    })
    started.on('exit', () => {
      child = null
      for (const { reject } of waiting.values())
        reject(new EngineError('unavailable', 'the process that starts others ended'))
      waiting.clear()
    })
    return started
  }

  async function ask(request: Omit<RunRequest, 'id'>, signal?: AbortSignal): Promise<RunReply> {
    signal?.throwIfAborted()
    if (closed) throw new EngineError('unavailable', 'the engine is closed')
    child ??= start()
    const to = child
    const id = ++lastId
    return new Promise((resolve, reject) => {
      const abort = () => to.connected && to.send({ id, kill: true })
      signal?.addEventListener('abort', abort, { once: true })
      const done = () => signal?.removeEventListener('abort', abort)
      waiting.set(id, {
        resolve: (reply) => {
          done()
          resolve(reply)
        },
        reject: (error) => {
          done()
          reject(error)
        },
      })
      to.send({ ...request, id }, (error) => {
        if (error) waiting.get(id)?.reject(error)
      })
    })
  }

  async function run(argv: string[], options: RunOptions = {}): Promise<RunResult> {
    const { signal, timeoutMs = defaultTimeoutMs, ...rest } = options
    const reply = await ask({ argv, timeoutMs, ...rest }, signal)
    signal?.throwIfAborted()
    if (reply.timedOut)
      throw new EngineError(
        'unavailable',
        `timed out after ${timeoutMs} ms: ${argv.join(' ')}: ${reply.stderr}`,
      )
    return reply
  }

  return {
    run,
    async mustRun(argv, options) {
      const { code, signal, stdout, stderr } = await run(argv, options)
      if (code === 0) return stdout
      const reason = signal ? `killed with ${signal}` : `exit code ${code}`
      throw new EngineError(
        'internal',
        `${reason}: ${argv.join(' ')}: ${(stderr || stdout).trim().slice(0, 2_000)}`,
      )
    },
    async startMonitor(argv, options) {
      const { timeoutMs } = options
      const reply = await ask({ argv, ...options, monitor: true })
      const line = reply.stdout.split('\n').find((text) => text.trim() !== '')
      const said = line ? (JSON.parse(line) as { data?: number; pid?: number; message?: string }) : {}
      const pid = said.data ?? said.pid ?? -1
      if (pid > 0) return pid
      const why = said.message ?? (reply.timedOut ? `no answer in ${timeoutMs} ms` : reply.stderr)
      throw new EngineError(
        'internal',
        `the runtime could not make the container: ${why.trim().slice(0, 2_000)}`,
      )
    },
    async close() {
      closed = true
      if (!child) return
      const gone = new Promise((resolve) => child?.once('exit', resolve))
      child.disconnect()
      await gone
    },
  }
}
