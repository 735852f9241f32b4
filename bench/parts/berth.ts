import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CommandError } from '../../cli/say.ts'
import type { BenchContext } from '../bench.ts'
import type { BerthAnswer, BerthCall } from './berth-child.ts'
import type { BenchRegistry } from './registry.ts'

export interface BerthEngine {
  pid: number
  /** Calls the engine, which lives in a process of its own as it does in the worker. Answers with its seconds. */
  call(call: BerthCall): Promise<number>
  /** Starts a container of the image that was pulled last, in a network of its own; answers with its address. */
  serve(id: string, command: string[]): Promise<string>
  /** Removes every image, as `docker image rm` does, and answers when nothing of them is on disk. */
  forgetImages(): Promise<void>
  /** By how many megabytes the engine's own process grows at most during some work. */
  growth(work: () => Promise<unknown>): Promise<number>
  /** What the command lines of the engine's process and all that it starts have in common. */
  mark: string
  close(): Promise<void>
}

const deletedWithinMs = 60_000
let engines = 0

/** An engine on a state folder of its own; `close` removes all of it. */
export async function openBerth(
  { folder, signal, defer, allowedHostPorts }: BenchContext & { allowedHostPorts?: number[] },
  ...registries: BenchRegistry[]
): Promise<BerthEngine> {
  const stateDir = join(folder, `berth-${++engines}`)
  mkdirSync(stateDir)
  // The state folder's name is in it, so that one word finds the engine, what it starts, and its monitors.
  const runDir = join('/run/berth', basename(folder), basename(stateDir))
  const endpoints = Object.fromEntries(registries.map(({ host, url }) => [host, { url }]))
  const options = { stateDir, runDir, registries: endpoints, allowedHostPorts }
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
    for (const each of [stateDir, runDir, dirname(runDir)]) rmSync(each, { recursive: true, force: true })
  }
  defer(close)
  child.setMaxListeners(0)
  await answerOf(child, 0, signal)
  let calls = 0
  const status = (key: string) => {
    const text = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    return Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0) * 1_024
  }
  async function ask(call: BerthCall): Promise<Answered> {
    const id = ++calls
    const answer = answerOf(child, id, signal)
    child.send({ ...call, id })
    return answer
  }
  const call = async (what: BerthCall) => (await ask(what)).seconds
  return {
    pid: child.pid ?? 0,
    call,
    serve: async (id, command) => (await ask({ serve: id, command })).address ?? '',
    async forgetImages() {
      await call({ forget: true })
      // What is out of sight is deleted behind the engine's back.
      for (const untilMs = Date.now() + deletedWithinMs; ; await sleep(20, undefined, { signal })) {
        if (readdirSync(join(stateDir, 'trash')).length === 0) return
        if (Date.now() > untilMs) throw new CommandError('what the engine removed is not deleted')
      }
    },
    async growth(work) {
      // The peak begins anew. Source: proc(5), clear_refs.
      writeFileSync(`/proc/${child.pid}/clear_refs`, '5')
      const before = status('VmRSS')
      await work()
      return (status('VmHWM') - before) / 1e6
    },
    mark: basename(folder),
    close,
  }
}

type Answered = Exclude<BerthAnswer, { error: string }>

function answerOf(child: ChildProcess, id: number, signal: AbortSignal): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const done = () => {
      child.off('message', take)
      child.off('exit', gone)
      signal.removeEventListener('abort', off)
    }
    const take = (answer: BerthAnswer) => {
      if (answer.id !== id) return
      done()
      if ('error' in answer) reject(new CommandError(answer.error))
      else resolve(answer)
    }
    const gone = () => {
      done()
      reject(new CommandError("Berth's engine ended early"))
    }
    const off = () => {
      done()
      reject(signal.reason)
    }
    child.on('message', take)
    child.once('exit', gone)
    signal.addEventListener('abort', off)
  })
}
