import { setTimeout as sleep } from 'node:timers/promises'
import { DrainError, sendLines } from '../../platform/log-drains/send.ts'
import type { LogPage } from '../../platform/model/log-search.ts'
import type { Platform } from '../../platform/open.ts'
import { type DrainWork, drainsOfHost, saveDrainProgress } from '../../platform/worker/log-drains.ts'
import type { LogStore } from './store/log-store.ts'

interface DrainsOptions {
  platform: Platform
  hostId: string
  store: Store
  /** How often it is looked for what is new; default a second. */
  everyMs?: number
  /** After each failure in a row; the last one again and again. */
  pausesMs?: readonly number[]
}

type Store = Pick<LogStore, 'search' | 'newest'>

const batchLines = 1_000
const batchChars = 1_000_000
/** Receivers that are asked at the same time: one that is slow leaves the others their places. */
const concurrency = 16
const usualPausesMs = [1_000, 2_000, 5_000, 10_000, 30_000, 60_000]

interface Pace {
  failures: number
  notBefore: number
  /** Fewer for a receiver that said that it was too much. */
  most: number
  /** Everything that there was has been taken. */
  isDone: boolean
}

/**
 * Sends what apps write to where their team wants it, until the signal. The log store is the buffer: how far a drain has
 * come is kept after the receiver took the lines, so that a worker that is killed sends some twice rather than none.
 */
export async function runDrains(options: DrainsOptions, signal: AbortSignal): Promise<void> {
  const { platform, everyMs = 1_000 } = options
  const underWay = new Map<string, Promise<void>>()
  const paces = new Map<string, Pace>()
  while (!signal.aborted) {
    try {
      const work = await drainsOfHost(platform, options.hostId)
      forget(paces, new Set(work.map(keyOf)))
      for (const drain of work) {
        const key = keyOf(drain)
        const pace = paces.get(key) ?? { failures: 0, notBefore: 0, most: batchLines, isDone: false }
        paces.set(key, pace)
        if (underWay.size >= concurrency) break
        if (underWay.has(key) || isQuiet(options.store, drain, pace) || pace.notBefore > Date.now()) continue
        const done = sendNews(options, drain, pace, signal)
          .catch((error) => {
            if (!signal.aborted)
              platform.log.warn(
                { err: error, drain: drain.drainId, app: drain.app.id },
                'a log could not be sent on',
              )
          })
          .finally(() => underWay.delete(key))
        underWay.set(key, done)
      }
    } catch (error) {
      platform.log.warn({ err: error }, 'log drains could not be looked for; it is tried again')
    }
    await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined)
  }
  await Promise.all(underWay.values())
}

function keyOf({ drainId, app }: DrainWork): string {
  return `${drainId} ${app.id}`
}

/** Nothing was written since: most apps, most of the time. */
function isQuiet(store: Store, { number, app }: DrainWork, { isDone }: Pace): boolean {
  return isDone && number !== null && (store.newest(app.id) ?? 0) <= number
}

function forget(paces: Map<string, Pace>, known: ReadonlySet<string>): void {
  for (const key of paces.keys()) if (!known.has(key)) paces.delete(key)
}

/** So many batches and then the others' turn. */
const batchesInTurn = 20

async function sendNews(
  options: DrainsOptions,
  drain: DrainWork,
  pace: Pace,
  signal: AbortSignal,
): Promise<void> {
  const { platform, store } = options
  let at = drain.number
  if (at === null) {
    at = await beginning(store, drain)
    await saveDrainProgress(platform, drain, { number: at, last: at, problem: null })
  }
  for (let batch = 0; batch < batchesInTurn && !signal.aborted; batch++) {
    const page = await after(store, drain, at, pace.most)
    pace.isDone = page.last === null
    if (page.last === null) return
    const { last } = page
    // Its store is gone, or an older one was put back: what is there now has numbers that were given before.
    if (last < at) {
      at = (page.first ?? 1) - 1
      await saveDrainProgress(platform, drain, { number: at, last, problem: null })
      continue
    }
    // At 0 it never began: what was removed before is not missed.
    const lost = at === 0 ? 0 : Math.max(0, (page.first ?? 1) - 1 - at)
    const lines = cut(page)
    const [newest] = lines.slice(-1)
    pace.isDone = newest === undefined
    if (newest === undefined) return
    try {
      await sendLines(platform.config, drain, drain.app, lines, signal)
    } catch (error) {
      if (!(error instanceof DrainError)) throw error
      slowDown(pace, error, options.pausesMs ?? usualPausesMs)
      await saveDrainProgress(platform, drain, { number: at, last, problem: error.message })
      return
    }
    at = newest.number
    Object.assign(pace, { failures: 0, notBefore: 0 })
    const isThere = await saveDrainProgress(platform, drain, {
      ...{ number: at, last, sent: lines.length, lost, problem: null },
    })
    if (!isThere) return
  }
}

/** Number of the last line before the drain was made. */
async function beginning(store: Store, { app, since }: DrainWork): Promise<number> {
  const { lines, last } = await store.search(app.id, { since, order: 'oldest', limit: 1 })
  const [first] = lines
  return first === undefined ? (last ?? 0) : first.number - 1
}

function after(store: Store, { app }: DrainWork, number: number, limit: number): Promise<LogPage> {
  return store.search(app.id, { after: number, order: 'oldest', limit })
}

/** Of a page as much as one request should hold, and at least one line. */
function cut({ lines }: LogPage): LogPage['lines'] {
  let chars = 0
  const end = lines.findIndex(({ text }, index) => {
    chars += text.length
    return chars > batchChars && index > 0
  })
  return end < 0 ? lines : lines.slice(0, end)
}

function slowDown(pace: Pace, error: DrainError, pausesMs: readonly number[]): void {
  const pause = pausesMs[Math.min(pace.failures, pausesMs.length - 1)] ?? 0
  pace.failures += 1
  const longest = pausesMs.at(-1) ?? 0
  if (error.isTooMuch && pace.most > 1) pace.most = Math.ceil(pace.most / 4)
  else pace.notBefore = Date.now() + Math.max(pause, Math.min(longest, error.retryAfterMs ?? 0))
}
