/** How an app answers while a build next to it does its worst. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from '../../cli/processes.ts'
import type { BenchContext } from '../bench.ts'
import { provide } from '../images/image.ts'
import { sleeperImage } from '../images/sleeper.ts'
import { webCommand, webImage } from '../images/web.ts'
import { makeRow, type Row } from '../report.ts'
import type { BerthEngine } from './berth.ts'
import type { BenchRegistry } from './registry.ts'
import { untilAnswer } from './until-answer.ts'

/** A step of a Dockerfile that ends at a limit of the build, and at nothing else. */
export interface Bomb {
  what: string
  step: string
}

export const bombs: readonly Bomb[] = [
  { what: 'a fork bomb', step: 'f() { f | f & }; f; sleep 1000' },
  { what: 'a memory bomb', step: 'a=x; while true; do a=$a$a; done' },
  { what: 'a disk fill', step: 'exec /bin/busybox dd if=/dev/zero of=/big bs=1M' },
  { what: 'an endless build', step: 'while true; do :; done & while true; do :; done' },
]

export interface BesideOptions {
  bombs: readonly Bomb[]
  /** How long it is asked with nothing beside it. */
  idleMs: number
  /** Of the build; long enough for bombs that only the time ends. */
  buildMs: number
}

const budget = { atLeast: { idle: 1 / 2 } }
const everyMs = 5

/** One row for each kind: its p99 beside a build, and with nothing beside it in the same run. */
export async function besideBuilds(
  engine: BerthEngine,
  registry: BenchRegistry,
  context: BenchContext,
  { bombs, idleMs, buildMs }: BesideOptions,
): Promise<Row[]> {
  const { runs, signal, note } = context
  const base = await provide(sleeperImage, registry, context)
  await engine.call({ pull: (await provide(webImage, registry, context)).reference })
  const address = await engine.serve('beside', webCommand)
  await untilAnswer(8_080, 'beside', 'version', { signal }, address)
  const rows: Row[] = []
  for (const { what, step } of bombs) {
    const archive = await archiveOf(`FROM ${base.reference}\nRUN ${step}\n`, context)
    const reference = `${base.reference.split('/')[0]}/bench/bomb:1`
    const idle: number[] = []
    const beside: number[] = []
    for (let turn = 0; turn < runs; turn++) {
      idle.push(await p99(address, sleep(idleMs, undefined, { signal })))
      // That it fails is what it is for.
      const build = engine
        .call({ build: archive, as: reference, timeMs: buildMs })
        .catch(() => signal.throwIfAborted())
      beside.push(await p99(address, build))
      // What is made behind a build is not to run beside what is asked next with nothing beside it.
      await engine.call({ forgetBuilds: true })
      note(`${what}: ${beside.at(-1)?.toFixed(1)} ms, idle ${idle.at(-1)?.toFixed(1)} ms`)
    }
    rows.push(
      makeRow({ what: `p99 of an app beside ${what}`, unit: 'ms', berth: beside, peers: { idle }, budget }),
    )
  }
  await engine.call({ remove: 'beside' })
  return rows
}

/** In milliseconds, of a request every few of them until `end`. What is not answered counts as long as it was waited for. */
async function p99(address: string, end: Promise<unknown>): Promise<number> {
  let isOver = false
  const ended = end.finally(() => {
    isOver = true
  })
  const times: Promise<number>[] = []
  for (let next = performance.now(); !isOver; next += everyMs) {
    times.push(timeOf(address))
    await sleep(Math.max(0, next + everyMs - performance.now()))
  }
  await ended
  const sorted = (await Promise.all(times)).toSorted((a, b) => a - b)
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN
}

function timeOf(address: string): Promise<number> {
  const startMs = performance.now()
  return new Promise((resolve) => {
    const done = () => resolve(performance.now() - startMs)
    const asking = request({ host: address, port: 8_080, agent: false, timeout: 10_000 }, (response) => {
      response.resume()
      response.on('close', done)
    })
    asking.on('timeout', () => asking.destroy())
    asking.on('error', done)
    asking.end()
  })
}

async function archiveOf(dockerfile: string, { folder, signal }: BenchContext): Promise<string> {
  const source = join(folder, 'bomb')
  mkdirSync(source, { recursive: true })
  writeFileSync(join(source, 'Dockerfile'), dockerfile)
  const archive = join(folder, 'bomb.tar')
  await run(['tar', '-C', source, '-cf', archive, '.'], { signal })
  return archive
}
