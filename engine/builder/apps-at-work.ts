/** Whether apps have something to do at this moment, or only wait. */
import type { Containers } from '../containers/containers.ts'
import { processorsUsed, readingOf } from './processor-time.ts'

/** Of one processor, all containers together. What waits looks at the clock now and then, and uses less. */
const busyAbove = 0.01
/** A short pause between two requests is no end of them. */
const stillBelow = 0.005

/** @param share of one processor. Pure. */
export function areBusy(wereBusy: boolean, share: number): boolean {
  return share > (wereBusy ? stillBelow : busyAbove)
}

/** Begins to measure. What it answers with tells of the time since then, and since it was asked last. */
export function watchApps(containers: Containers): () => Promise<boolean> {
  const measure = async () => readingOf(await containers.usageOfAll())
  let last = measure()
  let wereBusy = false
  return async () => {
    const [before, now] = [await last, await measure()]
    last = Promise.resolve(now)
    wereBusy = areBusy(wereBusy, processorsUsed(before, now))
    return wereBusy
  }
}
