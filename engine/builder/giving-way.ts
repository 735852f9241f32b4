/**
 * How a sandbox gives way: to whoever else wants a processor, at once; but where others leave it nearly nothing it has
 * its small share again, since what would mend a host that is too busy may be the very thing that is built.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ContainerLimits, Containers } from '../containers/containers.ts'

const lookEveryMs = 3_000
/** Of the processors that it may have: below it is starved, or wants none; above it has what it needs. */
const starvedBelow = 0.12
const enoughAbove = 0.25

/** Whether it should give way at once from now on. Pure. */
export function shouldGiveWay(givesWay: boolean, share: number): boolean {
  return givesWay ? share >= starvedBelow : share > enoughAbove
}

/** Processor time that it may have in a millisecond: a million nanoseconds of each. */
const nsPerMs = ({ cpuMillis }: ContainerLimits) => cpuMillis * 1_000

/** Until the signal aborts; what can't be read or set is left as it is. */
export async function giveWay(
  containers: Containers,
  id: string,
  limits: ContainerLimits,
  signal: AbortSignal,
): Promise<void> {
  let givesWay = false
  let last: { atMs: number; cpuNs: number } | null = null
  const set = async (next: boolean) => {
    await containers.update(id, { limits: { ...limits, cpuIdle: next } })
    givesWay = next
  }
  while (!signal.aborted) {
    try {
      const { cpuNs } = await containers.stats(id)
      const now = { atMs: performance.now(), cpuNs }
      const share = last === null ? 1 : (now.cpuNs - last.cpuNs) / (now.atMs - last.atMs) / nsPerMs(limits)
      last = now
      const next = shouldGiveWay(givesWay, share)
      if (next !== givesWay) await set(next)
    } catch {
      // It is about to end, or uses all of its memory: the next look sees.
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined)
  }
}
