/** Runs one bench: packages, a folder of its own, the work, and everything gone afterwards, also at Ctrl-C. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensurePackages } from '../cli/prepare/packages.ts'
import { CommandError } from '../cli/say.ts'
import type { Bench } from './bench.ts'
import { describeMachine, type Report } from './report.ts'
import { openWorkplace } from './workplace.ts'

export interface RunOptions {
  runs: number
  /** Where images are kept; default: a folder of the system's temporary one. */
  cache?: string
  /** Where the run's own folder is made; default: the system's temporary one. */
  place?: string
  note: (text: string) => void
}

const folder = new URL('benches/', import.meta.url)

/** Names that `./berth bench NAME` knows: one file each. */
export function benchNames(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort()
}

export async function loadBench(name: string): Promise<Bench> {
  if (!benchNames().includes(name))
    throw new CommandError(
      `There is no bench ${JSON.stringify(name)}. Benches are ${benchNames().join(', ')}.`,
    )
  const { bench } = (await import(new URL(`${name}.ts`, folder).href)) as { bench: Bench }
  return bench
}

/** @param name only names the report. */
export async function runBench(
  name: string,
  bench: Bench,
  { runs, cache, place, note }: RunOptions,
): Promise<Report> {
  await ensurePackages(bench.packages)
  const called = new AbortController()
  const call = (signal: string) => called.abort(new CommandError(`called off by ${signal}`))
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.once(signal, call)
  const images = cache ?? join(tmpdir(), 'berth-bench-images')
  if (!existsSync(images)) mkdirSync(images, { recursive: true })
  const workplace = await openWorkplace(place)
  try {
    const machine = describeMachine()
    const context = { runs, cache: images, note, signal: called.signal, ...workplace }
    return { name, machine, runs, rows: await bench.run(context) }
  } finally {
    await workplace.close()
    for (const signal of signals) process.off(signal, call)
  }
}
