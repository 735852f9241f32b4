import type { Viewer } from './access.ts'
import { type AppPlace, appAccess } from './app-access.ts'
import { PlatformError } from './errors.ts'
import { type Entry, type FollowOptions, streams } from './event-log.ts'
import { linesBetween } from './logs.ts'
import type { LogGap, LogLine } from './model/events.ts'
import type { Platform } from './open.ts'
import { whileAllowed } from './watch-right.ts'

export interface LogFollowOptions extends FollowOptions {
  /** Without `after`: so many lines of what was written already; default 500. */
  tail?: number
}

const batchSize = 500
/** Who missed more than this is told how many, and shown the last so many. */
const maxCatchUp = 20_000
const fetchedLines = 1_000

/**
 * What an app's containers write, all replicas together, each line once and in its order. What is not in Redis any more
 * is read where it is kept; what is not there either, or too much, is a LogGap.
 */
export async function followLogs(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  options: LogFollowOptions,
): Promise<AsyncIterable<Entry<LogLine | LogGap>>> {
  const check = () => appAccess(platform, viewer, appId, 'app.read-logs')
  const place = await check()
  const begin = await beginOf(platform, place, options)
  return whileAllowed(platform, viewer, check, options, (inner) =>
    numbered(platform, place, begin, inner.signal),
  )
}

/** Number of the line after which it begins; null: before whatever comes first. */
async function beginOf(
  platform: Platform,
  place: AppPlace,
  { after, tail = 500 }: LogFollowOptions,
): Promise<number | null> {
  if (after !== undefined && after !== '$') {
    const number = /^(\d{1,16})-\d{1,16}$/.exec(after)?.[1]
    if (number === undefined)
      throw new PlatformError('bad-request', 'Last-Event-ID is not an id that this stream gave out.')
    return Number(number)
  }
  const { name } = streams.appLogs(place.appId)
  const newest = numberOf((await platform.redis.xrevrange(name, '+', '-', 'COUNT', 1))[0]?.[0])
  if (newest === null) return null
  return after === '$' ? newest : Math.max(0, newest - tail)
}

async function* numbered(
  platform: Platform,
  place: AppPlace,
  begin: number | null,
  signal: AbortSignal,
): AsyncGenerator<Entry<LogLine | LogGap>, void, undefined> {
  const stream = streams.appLogs(place.appId)
  let last = begin
  while (!signal.aborted) {
    const entries = await platform.redis.xrange(stream.name, `(${last ?? 0}-0`, '+', 'COUNT', batchSize)
    for (const [id, fields] of entries) {
      if (signal.aborted) return
      const number = numberOf(id) ?? 0
      if (last !== null && number > last + 1) yield* between(platform, place, last, number, signal)
      last = number
      yield { id, event: stream.parse(JSON.parse(fields[1] ?? 'null')) }
    }
    if (entries.length < batchSize) await platform.reader.waitFor(stream.name, `${last ?? 0}-0`, signal)
  }
}

async function* between(
  platform: Platform,
  place: AppPlace,
  after: number,
  before: number,
  signal: AbortSignal,
): AsyncGenerator<Entry<LogLine | LogGap>, void, undefined> {
  let last = after
  if (before - after - 1 > maxCatchUp) {
    last = before - 1 - maxCatchUp
    yield gap(after, last)
  }
  while (last < before - 1 && !signal.aborted) {
    const lines = await fetched(platform, place, last, before)
    for (const line of lines) {
      if (line.number > last + 1) yield gap(last, line.number - 1)
      last = line.number
      yield { id: `${last}-0`, event: line }
    }
    if (lines.length > 0) continue
    yield gap(last, before - 1)
    return
  }
}

async function fetched(
  platform: Platform,
  place: AppPlace,
  after: number,
  before: number,
): Promise<LogLine[]> {
  try {
    return await linesBetween(platform, place, { after, before, limit: fetchedLines })
  } catch (error) {
    platform.log.warn({ err: error, app: place.appId }, 'lines of a log that were missed could not be read')
    return []
  }
}

function gap(after: number, last: number): Entry<LogGap> {
  return { id: `${last}-0`, event: { skipped: last - after } }
}

function numberOf(id: string | undefined): number | null {
  return id === undefined ? null : Number(id.split('-')[0])
}
