/** The processors of this host, and which of them to leave to others. Sources: cgroup-v2, cpuset(7), sysfs-devices-system-cpu. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readNow } from './cgroup-control.ts'

const root = '/sys/fs/cgroup'
const devices = '/sys/devices/system/cpu'

export interface Processor {
  number: number
  /** The same for all that share a core. */
  core: string
  /** The same for all that share their last cache, among which the kernel looks for an idle one. */
  domain: string
}

let last: { list: string; processors: readonly Processor[] } = { list: '', processors: [] }

/** Those that a group at the top may use, which are all but those that are taken from us from outside. Empty: not known. */
export function processorsOfHost(): readonly Processor[] {
  const files = ['cpuset.cpus.effective', 'cpuset/cpuset.effective_cpus'].map((name) => join(root, name))
  const list = files.map(readNow).find((text) => text !== '') ?? ''
  // What they share is read from some files of each, and changes only with the list.
  if (list !== last.list) last = { list, processors: parseProcessors(list).map(processorOf) }
  return last.processors
}

function processorOf(number: number): Processor {
  const folder = join(devices, `cpu${number}`)
  const core = readNow(join(folder, 'topology/thread_siblings_list')).trim()
  return { number, core: core || String(number), domain: lastCacheOf(folder) }
}

function lastCacheOf(folder: string): string {
  let names: string[] = []
  try {
    names = readdirSync(join(folder, 'cache')).filter((name) => /^index\d+$/.test(name))
  } catch {
    // A virtual machine may say nothing of its caches.
  }
  const last = names.sort((one, other) => Number(one.slice(5)) - Number(other.slice(5))).at(-1)
  return last === undefined ? '' : readNow(join(folder, 'cache', last, 'shared_cpu_list')).trim()
}

/** Of a list such as 0,2-3. Pure. */
export function parseProcessors(list: string): number[] {
  return list
    .trim()
    .split(',')
    .filter(Boolean)
    .flatMap((part) => {
      const [from = 0, to = from] = part.split('-').map(Number)
      return Array.from({ length: to - from + 1 }, (_, at) => from + at)
    })
}

/** The kernel calls a domain overloaded at a utilization of 100 / 117, and looks at none of it any more. */
const overloaded = 100 / 117
/** Of a domain: what is left to those that a part of it is taken from, so that they find an idle one. */
const leftToOthers = 0.1

/**
 * A part that one may keep busy all the time, while the kernel still looks for an idle processor for whoever wakes up. Of
 * `n` that share a cache it looks at n (1 - (x / 0.85)²), where x is how busy all of them are, with whatever it is. Below
 * one it looks at none, and who wakes up queues where it ran before, behind whoever is there, though another has nothing to
 * do but what is idle. Whole cores as far as it goes, and the last ones, since the first ones have most of the host's own
 * work. Null: there is no such part. Pure.
 * Source: select_idle_cpu() and update_idle_cpu_scan() in the kernel's kernel/sched/fair.c (SIS_UTIL, Linux 6.0).
 */
export function partOf(processors: readonly Processor[]): string | null {
  const domains = Map.groupBy(processors, ({ domain }) => domain)
  const part = [...domains.values()].flatMap((each) => {
    const cores = [...Map.groupBy(each, ({ core }) => core).values()].flat()
    return cores.slice(-Math.max(1, mostBusy(cores.length)))
  })
  if (part.length === processors.length) return null
  return part
    .map(({ number }) => number)
    .sort((one, other) => one - other)
    .join(',')
}

/** How many of `count` may be busy. Pure. */
function mostBusy(count: number): number {
  return Math.floor(count * (overloaded * Math.sqrt(1 - 1 / count) - leftToOthers))
}
