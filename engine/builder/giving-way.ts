/**
 * How a sandbox gives way: to whoever else on the host wants a processor, at once, and while apps work it leaves some
 * processors to them; but where others leave it nearly nothing it has a share again, since what would mend a host that is
 * too busy may be the very thing that is built.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ContainerLimits, Containers } from '../containers/containers.ts'
import { partOf, processorsOfHost } from '../sys/processors.ts'
import { processorsUsed, type Reading, readingOf } from './processor-time.ts'

/**
 * `at-once`: it gets what nobody else wants. `small`: a tenth of what all apps together get. `equal`: as much as they,
 * which is as much as any one process of the host, where many of those leave it less than that.
 */
export type Way = 'at-once' | 'small' | 'equal'

const limitsOf: Readonly<Record<Way, { cpuWeight: number; cpuIdle: boolean }>> = {
  'at-once': { cpuWeight: 10, cpuIdle: true },
  small: { cpuWeight: 10, cpuIdle: false },
  equal: { cpuWeight: 100, cpuIdle: false },
}

const lookEveryMs = 500
/** What it begins with tells more of it than what it did before. */
const secondLookMs = 100
/** Of the processors that it could use: below it is starved. A tenth of what one other gets is more than that. */
const starvedBelow = { 'at-once': 0.12, small: 0.05, equal: 0 }
/** It has what it needs, so others have, too. */
const enoughAbove = 0.25

/** @param had processors since the last look @param wants how many it could use at this moment. Pure. */
export function nextWay(way: Way, { had, wants }: { had: number; wants: number }): Way {
  const less = way === 'equal' ? 'small' : 'at-once'
  // What comes next in it may want a processor all of a sudden; but to have none at one look is no end of a busy host.
  if (wants === 0) return less
  const share = had / wants
  if (share < starvedBelow[way]) return way === 'at-once' ? 'small' : 'equal'
  if (share > enoughAbove) return less
  return way
}

export interface GivingWay {
  limits: ContainerLimits
  appsAreBusy: () => Promise<boolean>
  /** Ends it. */
  signal: AbortSignal
}

/** Until the signal aborts; what can't be read or set is left as it is. */
export async function giveWay(
  containers: Containers,
  id: string,
  { limits, appsAreBusy, signal }: GivingWay,
): Promise<void> {
  let way: Way | null = null
  let cpus: string | undefined
  let last: Reading | null = null
  const set = async (next: Way, nextCpus: string | undefined) => {
    if (next === way && nextCpus === cpus) return
    await containers.update(id, { limits: { ...limits, ...limitsOf[next], cpus: nextCpus } })
    way = next
    cpus = nextCpus
  }
  for (let looks = 0; !signal.aborted; looks++) {
    try {
      const now = readingOf(await containers.stats(id))
      const wants = Math.min(limits.cpuMillis / 1_000, await containers.runnableThreads(id))
      const had = last === null ? wants : processorsUsed(last, now)
      last = now
      const next = nextWay(way ?? 'at-once', { had, wants })
      const leavesSome = (await appsAreBusy()) && next === 'at-once'
      await set(next, (leavesSome ? partOf(processorsOfHost()) : null) ?? undefined)
    } catch {
      // It is about to end, or uses all of its memory: the next look sees.
    }
    await sleep(looks === 0 ? secondLookMs : lookEveryMs, undefined, { signal }).catch(() => undefined)
  }
}
