/** The small process that starts others: see spawner.ts. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { type MountLoan, type MountView, makeViewNamespace, type ViewNamespace } from './mount-view.ts'

export interface RunRequest {
  id: number
  argv: string[]
  cwd?: string
  env?: Record<string, string>
  input?: string
  timeoutMs: number
  /** conmon: detached, with pipes on 3 (what it says) and 4 (when it may begin). */
  monitor?: boolean
  /** Where it sees less than the host has. */
  view?: MountView
  /** What a monitor sees there until it has answered. */
  loans?: MountLoan[]
}

export interface RunReply {
  id: number
  code: number | null
  signal: string | null
  stdout: string
  stderr: string
  timedOut: boolean
}

const maxOutputBytes = 4 * 2 ** 20
const children = new Map<number, ChildProcess>()
const views = new Map<string, ViewNamespace>()

// What it starts is to be made with the modes it asks for, whatever our caller's own limits are.
process.umask(0o022)
process.on('message', (request: RunRequest | { id: number; kill: true }) => {
  if ('kill' in request) end(children.get(request.id))
  else run(request)
})
process.on('disconnect', () => process.exit(0))

function end(child: ChildProcess | undefined): void {
  if (!child) return
  child.kill('SIGTERM')
  setTimeout(() => child.kill('SIGKILL'), 1_000).unref()
}

function viewOf(seen: MountView): ViewNamespace {
  const key = JSON.stringify(seen)
  const view = views.get(key) ?? makeViewNamespace(seen)
  views.set(key, view)
  return view
}

function startChild({ argv, cwd, env, input, monitor, view, loans = [] }: RunRequest): ChildProcess {
  const [file = '', ...args] = argv
  const options: SpawnOptions = {
    cwd: cwd ?? '/',
    env: { ...process.env, ...env },
    detached: monitor === true,
    stdio: monitor
      ? ['ignore', 'ignore', 'ignore', 'pipe', 'pipe']
      : [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  }
  const start = () => spawn(file, args, options)
  return view === undefined ? start() : viewOf(view).within(loans, start)
}

function run(request: RunRequest): void {
  const { id, input, timeoutMs, monitor, view, loans = [] } = request
  let child: ChildProcess
  try {
    child = startChild(request)
  } catch (error) {
    process.send?.(
      { id, code: 127, signal: null, stdout: '', stderr: String(error), timedOut: false },
      () => {},
    )
    return
  }
  children.set(id, child)
  let stdout = ''
  let stderr = ''
  let timedOut = false
  let answered = false
  const answer = (code: number | null, signal: string | null) => {
    if (answered) return
    answered = true
    clearTimeout(timer)
    children.delete(id)
    const reply: RunReply = { id, code, signal, stdout, stderr, timedOut }
    // Whoever asked may be dead: the write fails before the channel's end is seen, and nobody is left to be told.
    process.send?.(reply, () => {})
    if (view !== undefined && loans.length > 0) viewOf(view).takeBack(loans)
  }
  const timer = setTimeout(() => {
    timedOut = true
    end(child)
    if (monitor) answer(null, null)
  }, timeoutMs)
  child.on('error', (error) => {
    stderr += error.message
    answer(127, null)
  })
  if (monitor) {
    const said = child.stdio[3]
    said?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
      if (stdout.includes('\n')) answer(0, null)
    })
    said?.on('close', () => answer(null, null))
    said?.on('error', () => {})
    const begin = child.stdio[4] as NodeJS.WritableStream | null | undefined
    begin?.on('error', () => {})
    begin?.end(Buffer.from([0]))
    child.unref()
    return
  }
  child.stdout?.on('data', (chunk: Buffer) => {
    if (stdout.length < maxOutputBytes) stdout += chunk.toString()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    if (stderr.length < maxOutputBytes) stderr += chunk.toString()
  })
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  child.on('close', (code, signal) => answer(code, signal))
}
