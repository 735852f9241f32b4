import { type SpawnOptions, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { CommandError } from './say.ts'

/** The checkout that this command belongs to. */
export const root = new URL('..', import.meta.url).pathname.replace(/\/$/, '')

/** Runs a command to its end; throws with its last lines unless it ends with 0. */
export function run(
  argv: string[],
  options: Omit<SpawnOptions, 'env'> & {
    env?: Record<string, string | undefined>
    note?: (text: string) => void
    input?: string
  } = {},
): Promise<string> {
  const { note, input, env, ...rest } = options
  const [file = '', ...args] = argv
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: root,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      ...(env ? { env: env as NodeJS.ProcessEnv } : {}),
      ...rest,
    })
    let output = ''
    const take = (chunk: Buffer) => {
      output = (output + chunk).slice(-1_000_000)
      const line = String(chunk).trim().split('\n').at(-1)
      if (line) note?.(line)
    }
    child.stdout?.on('data', take)
    child.stderr?.on('data', take)
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
    child.on('error', (error) => {
      if (rest.signal?.aborted) return reject(rest.signal.reason)
      reject(new CommandError(`${argv.join(' ')} could not be started: ${error.message}`))
    })
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(output)
      const reason = signal ? `was ended by ${signal}` : `ended with ${code}`
      reject(
        new CommandError(`${argv.join(' ')} ${reason}:\n${output.trim().split('\n').slice(-20).join('\n')}`),
      )
    })
  })
}

/** When a process started, in ticks since boot: with its pid it names a process for good. Null if it has ended. */
export function processStart(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? null : (fields[19] ?? null)
  } catch {
    return null
  }
}

/** By proc(5), in ticks of 10 ms on every Linux that Node runs on. */
export function startedMsAgo(pid: number): number {
  const upMs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1_000
  return Math.max(0, upMs - Number(processStart(pid) ?? 0) * 10)
}

/** A process and all below it, with their proportional memory in bytes. */
export function processTree(pid: number): { pids: number[]; pssBytes: number } {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'utf8')
      const parent = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])
      children.set(parent, [...(children.get(parent) ?? []), Number(name)])
    } catch {
      // It ended while we looked.
    }
  }
  const pids = [pid]
  for (const next of pids) pids.push(...(children.get(next) ?? []))
  let pssBytes = 0
  for (const each of pids) {
    try {
      const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${each}/smaps_rollup`, 'utf8'))?.[1]
      pssBytes += Number(kilobytes ?? 0) * 1_024
    } catch {
      // As above.
    }
  }
  return { pids, pssBytes }
}
