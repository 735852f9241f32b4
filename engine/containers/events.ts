/**
 * What happened to containers, in order, kept so that a reader can go on where it stopped, also in another process.
 * The last ten thousand are kept.
 */
import { EngineError } from '../errors.ts'
import type { State } from '../state/database.ts'
import { createChannel } from './channel.ts'
import type { Container, ContainerEvent, EventOptions } from './containers.ts'

const keptEvents = 10_000
const pageSize = 500

export interface Events {
  /** Call it in the transaction that makes it true. */
  record(type: ContainerEvent['type'], container: Container): ContainerEvent
  /** Call it once that is committed. */
  publish(event: ContainerEvent): void
  /** From now on, or from after a cursor or a time; throws not-found when events after a cursor are kept no more. */
  subscribe(options?: EventOptions): AsyncIterable<ContainerEvent>
  close(): void
}

function timeOf(text: string): number {
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw new EngineError('invalid', `${text} is no time`)
  return ms
}

/** As late as a timer can be. */
const longestMs = 2 ** 31 - 1

function endAt(ms: number, over: AbortController): NodeJS.Timeout {
  return setTimeout(() => over.abort(), Math.min(longestMs, Math.max(0, ms - Date.now() + 1))).unref()
}

export function createEvents({ db }: State): Events {
  const channel = createChannel<ContainerEvent>()
  const insert = db.prepare('INSERT INTO container_events (event) VALUES (?)')
  const drop = db.prepare('DELETE FROM container_events WHERE seq <= ?')

  function pageAfter(seq: number): ContainerEvent[] {
    return db
      .prepare('SELECT seq, event FROM container_events WHERE seq > ? ORDER BY seq LIMIT ?')
      .all(seq, pageSize)
      .map(({ seq: number, event }) => ({ ...JSON.parse(String(event)), cursor: String(number) }))
  }

  function parse(cursor: string): number {
    if (!/^\d{1,15}$/.test(cursor)) throw new EngineError('invalid', `${cursor} is no cursor of an event`)
    const first = db.prepare('SELECT min(seq) AS seq FROM container_events').get()?.seq
    if (first !== null && Number(cursor) + 1 < Number(first))
      throw new EngineError(
        'not-found',
        `events after ${cursor} are not kept any more: list the containers anew`,
      )
    return Number(cursor)
  }

  function lastBefore(since: string): number {
    const from = new Date(timeOf(since)).toISOString()
    const query = `SELECT max(seq) AS seq FROM container_events WHERE json_extract(event, '$.at') < ?`
    return Number(db.prepare(query).get(from)?.seq ?? 0)
  }

  return {
    record(type, container) {
      const event = { type, at: new Date().toISOString(), container }
      const seq = Number(insert.run(JSON.stringify(event)).lastInsertRowid)
      if (seq % pageSize === 0) drop.run(seq - keptEvents)
      return { ...event, cursor: String(seq) }
    },
    publish: channel.publish,
    subscribe({ after, since, until, signal } = {}) {
      // Before anything waits for its end.
      const seenBefore = after !== undefined ? parse(after) : since !== undefined ? lastBefore(since) : null
      const untilMs = until === undefined ? null : timeOf(until)
      const over = new AbortController()
      // The channel first, so that nothing falls between what is kept and what comes.
      const live = channel.subscribe(signal ? AbortSignal.any([signal, over.signal]) : over.signal)
      if (seenBefore === null && untilMs === null) return live
      return (async function* () {
        const isLate = (event: ContainerEvent) => untilMs !== null && Date.parse(event.at) > untilMs
        let seen = seenBefore ?? -1
        let timer: NodeJS.Timeout | undefined
        try {
          if (seenBefore !== null)
            for (let page = pageAfter(seen); page.length > 0 && !signal?.aborted; page = pageAfter(seen))
              for (const event of page) {
                if (isLate(event)) return
                seen = Number(event.cursor)
                yield event
              }
          if (untilMs !== null) timer = endAt(untilMs, over)
          for await (const event of live) {
            if (isLate(event)) return
            if (Number(event.cursor) > seen) yield event
          }
        } finally {
          clearTimeout(timer)
          over.abort()
        }
      })()
    },
    close: channel.close,
  }
}
