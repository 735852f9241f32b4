import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { CommandError } from '../../cli/say.ts'
import type { BenchContext } from '../bench.ts'
import type { BerthAnswer, BerthCall } from './berth-child.ts'
import type { BenchRegistry } from './registry.ts'

export interface BerthEngine {
  pid: number
  /** Calls the engine, which lives in a process of its own as it does in the worker. Answers with its seconds. */
  call(call: BerthCall): Promise<number>
  /** Most memory that the engine's own process had at once since it started, in bytes. */
  peakBytes(): number
  /** Its memory by now, in bytes. */
  bytes(): number
  close(): Promise<void>
}

let engines = 0

/** An engine on a state folder of its own; `close` removes all of it. */
export async function openBerth(
  { folder, signal, defer }: BenchContext,
  registry: BenchRegistry,
): Promise<BerthEngine> {
  const stateDir = join(folder, `berth-${++engines}`)
  mkdirSync(stateDir)
  const options = { stateDir, registries: { [registry.host]: { url: registry.url } } }
  const child = fork(new URL('./berth-child.ts', import.meta.url), [JSON.stringify(options)], {
    detached: true,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  let isOpen = true
  const close = async () => {
    if (!isOpen) return
    isOpen = false
    if (child.exitCode === null && child.signalCode === null) {
      child.disconnect()
      await once(child, 'exit')
    }
    rmSync(stateDir, { recursive: true, force: true })
  }
  defer(close)
  await answerOf(child, signal)
  const status = (key: string) => {
    const text = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    return Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0) * 1_024
  }
  return {
    pid: child.pid ?? 0,
    async call(call) {
      child.send(call)
      return answerOf(child, signal)
    },
    peakBytes: () => status('VmHWM'),
    bytes: () => status('VmRSS'),
    close,
  }
}

async function answerOf(child: ChildProcess, signal: AbortSignal): Promise<number> {
  const ended = new AbortController()
  const either = AbortSignal.any([signal, ended.signal])
  const [answer] = (await Promise.race([
    once(child, 'message', { signal: either }),
    once(child, 'exit', { signal: either }).then(() => {
      throw new CommandError("Berth's engine ended early")
    }),
  ]).finally(() => ended.abort())) as [BerthAnswer]
  if ('error' in answer) throw new CommandError(answer.error)
  return answer.seconds
}
