/** The small process that starts others: see spawner.ts. */
import { type ChildProcess, spawn } from 'node:child_process'

export interface RunRequest {
  id: number
  argv: string[]
  cwd?: string
  env?: Record<string, string>
  input?: string
  timeoutMs: number
  /** conmon: detached, with pipes on 3 (what it says) and 4 (when it may begin). */
  monitor?: boolean
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

function run({ id, argv, cwd, env, input, timeoutMs, monitor }: RunRequest): void {
  const [file = '', ...args] = argv
  const child = spawn(file, args, {
    cwd: cwd ?? '/',
    env: { ...process.env, ...env },
    detached: monitor === true,
    stdio: monitor
      ? ['ignore', 'ignore', 'ignore', 'pipe', 'pipe']
      : [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
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
