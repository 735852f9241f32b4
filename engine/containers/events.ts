/**
 * What happened to containers, in order, kept so that a reader can go on where it stopped, also in another process.
 * The last ten thousand are kept.
 */
import { EngineError } from '../errors.ts'
import type { State } from '../state/database.ts'
import { createChannel } from './channel.ts'
import type { Container, ContainerEvent } from './containers.ts'

const keptEvents = 10_000
const pageSize = 500

export interface Events {
  /** Call it in the transaction that makes it true. */
  record(type: ContainerEvent['type'], container: Container): ContainerEvent
  /** Call it once that is committed. */
  publish(event: ContainerEvent): void
  /** From now on, or from after a cursor; throws not-found when events after it are not kept any more. */
  subscribe(options?: { after?: string; signal?: AbortSignal }): AsyncIterable<ContainerEvent>
  close(): void
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

  return {
    record(type, container) {
      const event = { type, at: new Date().toISOString(), container }
      const seq = Number(insert.run(JSON.stringify(event)).lastInsertRowid)
      if (seq % pageSize === 0) drop.run(seq - keptEvents)
      return { ...event, cursor: String(seq) }
    },
    publish: channel.publish,
    subscribe({ after, signal } = {}) {
      // The channel first, so that nothing falls between what is kept and what comes.
      const live = channel.subscribe(signal)
      if (after === undefined) return live
      let seen: number
      try {
        seen = parse(after)
      } catch (error) {
        live[Symbol.asyncIterator]().return?.()
        throw error
      }
      return (async function* () {
        for (let page = pageAfter(seen); page.length > 0 && !signal?.aborted; page = pageAfter(seen))
          for (const event of page) {
            seen = Number(event.cursor)
            yield event
          }
        for await (const event of live) if (Number(event.cursor) > seen) yield event
      })()
    },
    close: channel.close,
  }
}
