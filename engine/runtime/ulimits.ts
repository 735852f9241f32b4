/** Resource limits of processes. Raising one above our own needs CAP_SYS_RESOURCE, so none is. Source: getrlimit(2). */
import type { Ulimits } from '../containers/containers.ts'

export interface Rlimit {
  type: string
  hard: number
  soft: number
}

const names: Record<keyof Ulimits, { type: string; row: string }> = {
  openFiles: { type: 'RLIMIT_NOFILE', row: 'Max open files' },
  processes: { type: 'RLIMIT_NPROC', row: 'Max processes' },
  coreBytes: { type: 'RLIMIT_CORE', row: 'Max core file size' },
  fileBytes: { type: 'RLIMIT_FSIZE', row: 'Max file size' },
  stackBytes: { type: 'RLIMIT_STACK', row: 'Max stack size' },
  lockedBytes: { type: 'RLIMIT_MEMLOCK', row: 'Max locked memory' },
}
const usual: Ulimits = { openFiles: 65_536, coreBytes: 0 }

/** @param own the text of /proc/self/limits. Pure. */
export function rlimitsOf(asked: Ulimits, own: string): Rlimit[] {
  return Object.entries({ ...usual, ...asked }).flatMap(([name, value]) => {
    const { type, row } = names[name as keyof Ulimits]
    if (value === undefined) return []
    const hard = Number(new RegExp(`^${row}\\s+\\S+\\s+(\\S+)`, 'm').exec(own)?.[1])
    const limit = Number.isSafeInteger(hard) ? Math.min(hard, value) : value
    return [{ type, hard: limit, soft: limit }]
  })
}
