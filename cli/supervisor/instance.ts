/** Who supervises a home: `<home>/run/supervisor.json`. Also finds what a killed supervisor left. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { processStart } from '../processes.ts'
import { endLeft, leftPart } from './part-process.ts'

export interface Instance {
  pid: number
  start: string
  state: 'starting' | 'ready' | 'stopping'
  /** The lines for the person who started it, when ready. */
  lines?: string[]
  startedAt: string
  restarts?: Record<string, number>
}

const path = (home: string) => join(home, 'run', 'supervisor.json')

export function readInstance(home: string): Instance | null {
  try {
    return JSON.parse(readFileSync(path(home), 'utf8')) as Instance
  } catch {
    return null
  }
}

/** The supervisor that runs now, or null. */
export function liveInstance(home: string): Instance | null {
  const instance = readInstance(home)
  return instance && processStart(instance.pid) === instance.start ? instance : null
}

export function writeInstance(home: string, instance: Instance): void {
  writeFileSync(`${path(home)}.new`, JSON.stringify(instance), { mode: 0o600 })
  renameSync(`${path(home)}.new`, path(home))
}

export function removeInstance(home: string): void {
  rmSync(path(home), { force: true })
}

/** Ends parts of this home that an earlier supervisor left running, but for those to be spared. Answers their names. */
export async function endLeftParts(
  home: string,
  { spare = [] }: { spare?: string[] } = {},
): Promise<string[]> {
  const run = join(home, 'run')
  if (!existsSync(run)) return []
  const ended: string[] = []
  for (const file of readdirSync(run).filter((name) => name.endsWith('.pid'))) {
    const name = file.slice(0, -'.pid'.length)
    const left = leftPart(home, name)
    if (left !== null && spare.includes(name)) continue
    if (left !== null) {
      ended.push(name)
      // PostgreSQL takes SIGINT for "fast"; the others take both alike.
      await endLeft(left, name === 'postgres' ? 'SIGINT' : 'SIGTERM')
    }
    rmSync(join(run, file), { force: true })
  }
  return ended
}
