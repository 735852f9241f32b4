/** One process of a container from its files in /proc, as the container sees it. Pure. Source: proc(5). */
import type { IdRange } from '../sys/user-namespace.ts'
import type { ContainerProcess } from './containers.ts'

/** The kernel's USER_HZ, which no Linux that Node runs on changes. */
const ticksPerSecond = 100

/** @param idRange the container’s: ids are told as it numbers them */
export function parseProcess(
  { stat, status, cmdline }: { stat: string; status: string; cmdline: string },
  idRange: IdRange,
): ContainerProcess {
  const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const field = (label: string) => new RegExp(`^${label}:\\s+(.*)$`, 'm').exec(status)?.[1] ?? ''
  const hostPid = Number.parseInt(stat, 10)
  // One column for each pid namespace, from the host's to its own.
  const pid = Number(field('NSpid').split(/\s+/).at(-1)) || hostPid
  const hostUid = Number(field('Uid').split(/\s+/)[0])
  const isInside = hostUid >= idRange.base && hostUid < idRange.base + idRange.size
  const ticks = Number(fields[11]) + Number(fields[12])
  const argv = cmdline.split('\0').slice(0, -1)
  return {
    pid,
    hostPid,
    // What is not mapped shows inside as nobody.
    uid: isInside ? hostUid - idRange.base : 65_534,
    state: fields[0] ?? '?',
    cpuMs: (ticks * 1_000) / ticksPerSecond,
    memoryBytes: (Number.parseInt(field('VmRSS'), 10) || 0) * 1_024,
    command: argv.length > 0 ? argv : [`[${name}]`],
  }
}
