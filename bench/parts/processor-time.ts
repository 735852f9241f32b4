/** Time of the processor that processes take. Source: proc(5), stat; times of POSIX shells. */
import type { SpawnOptions } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { run } from '../../cli/processes.ts'

const ticksPerSecond = 100

interface Seen {
  pid: number
  parent: number
  command: string
}

/** Of all processes that run and belong to it, in seconds, with the children that they have seen end. */
export function processorSeconds(belongs: (seen: Seen) => boolean): number {
  let ticks = 0
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each)))
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8')
      if (!belongs({ pid: Number(name), parent: Number(fields[1]), command })) continue
      ticks += fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
    } catch {
      // It has ended meanwhile.
    }
  return ticks / ticksPerSecond
}

/** Runs a command to its end; answers with what it and its children took. */
export async function processorSecondsOf(
  argv: string[],
  options: Omit<SpawnOptions, 'env'> & { env?: Record<string, string | undefined> },
): Promise<number> {
  const told = await run(['sh', '-c', '"$@" > /dev/null && times', 'sh', ...argv], options)
  // Of the shell itself, and of what it waited for: 0m0.010000s 0m0.020000s
  const of = told.trim().split('\n').at(-1) ?? ''
  return [...of.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, m, s]) => sum + Number(m) * 60 + Number(s), 0)
}
