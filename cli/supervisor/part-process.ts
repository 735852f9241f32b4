/** The process of a part: one that is started here, or one that an earlier supervisor left for us. */
import { spawn } from 'node:child_process'
import { closeSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Part } from '../parts/part.ts'
import { processStart, root } from '../processes.ts'
import { followOutput, type PartOutput } from './part-output.ts'

export interface PartProcess {
  readonly pid: number | undefined
  readonly startedAtMs: number
  /** How it ended, in words. */
  readonly ended: Promise<string>
  readonly isOver: boolean
  signal(name: NodeJS.Signals): void
  /** Ends it and all that it started. */
  killGroup(): void
  /** It goes on without us: this process may end, or become another. */
  leave(): Promise<void>
}

const pidFile = (home: string, name: string) => join(home, 'run', `${name}.pid`)
const outputFile = (home: string, name: string) => join(home, 'run', `${name}.out`)

export async function spawnPart(
  part: Part,
  home: string,
  onLine: (line: string) => void,
): Promise<PartProcess> {
  await part.prepare?.()
  const [file = '', ...args] = part.argv
  const output = part.takeOver === undefined ? null : followOutput(outputFile(home, part.name), onLine)
  const to = output?.descriptor ?? 'pipe'
  const more = part.opens === undefined ? [] : [part.opens()]
  const child = spawn(file, args, {
    cwd: part.uid === undefined ? root : '/',
    env: part.env as NodeJS.ProcessEnv,
    stdio: ['ignore', to, to, ...more],
    // Ctrl-C in a terminal goes to the whole group: parts are stopped by us, in order.
    detached: true,
    ...(part.uid === undefined ? {} : { uid: part.uid, gid: part.gid }),
  })
  for (const descriptor of more) closeSync(descriptor)
  if (child.pid !== undefined)
    writeFileSync(pidFile(home, part.name), `${child.pid} ${processStart(child.pid)}`)
  for (const stream of [child.stdout, child.stderr])
    if (stream) createInterface({ input: stream }).on('line', onLine)
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started (${error.message})`))
    child.once('exit', (code, by) => resolve(by ? `was ended by ${by}` : `ended with exit code ${code}`))
  })
  return partProcess(child.pid, { ended, output, file: pidFile(home, part.name) })
}

/**
 * The process of this part that an earlier supervisor left, told to load itself anew. Null when there is none; one that is
 * not what this part would be is ended.
 */
export async function takeOverPart(
  part: Part,
  home: string,
  onLine: (line: string) => void,
): Promise<PartProcess | null> {
  const left = part.takeOver === undefined ? null : leftPart(home, part.name)
  if (left === null) return null
  if (!isSame(left.pid, part, outputFile(home, part.name))) {
    // Two on one port would both be asked.
    await endLeft(left, 'SIGTERM')
    return null
  }
  const output = followOutput(outputFile(home, part.name), onLine)
  const ended = (async () => {
    while (processStart(left.pid) === left.start) await sleep(250, undefined, { ref: false })
    return 'ended'
  })()
  await part.takeOver?.(left.pid)
  return partProcess(left.pid, { ended, output, file: pidFile(home, part.name) })
}

export interface Left {
  pid: number
  start: string
}

/** What runs of this part without a supervisor. */
export function leftPart(home: string, name: string): Left | null {
  try {
    const [pid = '0', start = ''] = readFileSync(pidFile(home, name), 'utf8').trim().split(' ')
    return processStart(Number(pid)) === start ? { pid: Number(pid), start } : null
  } catch {
    return null
  }
}

/** Ends it, at its limit with all that it started. */
export async function endLeft({ pid, start }: Left, signal: NodeJS.Signals): Promise<void> {
  process.kill(pid, signal)
  const deadline = Date.now() + 20_000
  while (processStart(pid) === start) {
    if (Date.now() > deadline) process.kill(-pid, 'SIGKILL')
    await sleep(50)
  }
}

/** It may have got more arguments since: HAProxy adds some when it executes itself anew. */
function isSame(pid: number, part: Part, output: string): boolean {
  try {
    const present = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return part.argv.every((each) => present.includes(each)) && readlinkSync(`/proc/${pid}/fd/2`) === output
  } catch {
    return false
  }
}

function partProcess(
  pid: number | undefined,
  { ended, output, file }: { ended: Promise<string>; output: PartOutput | null; file: string },
): PartProcess {
  let isOver = false
  let isLeft = false
  const tellPid = (signal: NodeJS.Signals, to: (pid: number) => number) => {
    if (isOver || pid === undefined) return
    try {
      process.kill(to(pid), signal)
    } catch {
      // It ended at this moment.
    }
  }
  return {
    pid,
    startedAtMs: Date.now(),
    get isOver() {
      return isOver
    },
    ended: ended.then(async (how) => {
      isOver = true
      if (!isLeft) rmSync(file, { force: true })
      await output?.close()
      return how
    }),
    signal: (name) => tellPid(name, (own) => own),
    killGroup() {
      tellPid('SIGKILL', (own) => -own)
      tellPid('SIGKILL', (own) => own)
    },
    async leave() {
      isLeft = true
      await output?.close()
    },
  }
}
