/** A server that a bench needs for as long as it runs. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { CommandError } from '../../cli/say.ts'
import type { BenchContext } from '../bench.ts'

const usualMs = 60_000
const stopWithinMs = 20_000

export interface PartOptions {
  argv: string[]
  /** What it writes goes there. */
  log: string
  /** Whether it answers by now; an error counts as no. */
  isReady: () => Promise<boolean>
  /** Default a minute. */
  readyWithinMs?: number
  env?: Record<string, string>
  /** What it gets as its descriptor 3. */
  descriptor?: number
  /** Whom it runs as; default: us. */
  as?: { uid: number; gid: number }
}

/** Starts a server, waits until it answers, and stops it when the bench ends. It dies with us, however we die. */
export async function startPart(
  { signal, defer }: Pick<BenchContext, 'signal' | 'defer'>,
  { argv, log, isReady, readyWithinMs = usualMs, env = {}, descriptor, as }: PartOptions,
): Promise<ChildProcess> {
  const output = openSync(log, 'a')
  // Its own session: a Ctrl-C is for us, who then stop it in order.
  const user = as === undefined ? [] : [`--reuid=${as.uid}`, `--regid=${as.gid}`, '--clear-groups']
  const child = spawn('setpriv', [...user, '--pdeathsig', 'TERM', ...argv], {
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['ignore', output, output, ...(descriptor === undefined ? [] : [descriptor])],
  })
  closeSync(output)
  const ended = once(child, 'close').catch(() => {})
  defer(async () => {
    const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs)
    child.kill('SIGTERM')
    await ended
    clearTimeout(timer)
  })
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined
  for (const untilMs = Date.now() + readyWithinMs; ; await sleep(50, undefined, { signal })) {
    if (!hasEnded() && (await isReady().catch(() => false))) return child
    if (hasEnded() || Date.now() > untilMs)
      throw new CommandError(`${argv[0]} does not answer:\n${lastLines(log)}`)
  }
}

function lastLines(log: string): string {
  return readFileSync(log, 'utf8').trim().split('\n').slice(-10).join('\n')
}
