/** What every part of the containers stands on: rows, runs, one lock for each container, and who is told of changes. */
import { EngineError } from '../errors.ts'
import type { State } from '../state/database.ts'
import { createKeyedLock, type KeyedLock } from '../state/keyed-lock.ts'
import { inTransaction } from '../state/migrations.ts'
import { processStart } from '../sys/processes.ts'
import { type ContainerRow, type ContainerRows, containerOf, createContainerRows } from './container-rows.ts'
import type { Container, ContainerEvent } from './containers.ts'
import { createEvents, type Events } from './events.ts'
import { createRuns, type RunParts, type Runs } from './run.ts'
import { hasEnded } from './status.ts'

export interface ContainersOptions extends RunParts {
  state: State
  log: (level: 'warn' | 'info', message: string, details?: Record<string, unknown>) => void
}

export interface Core extends ContainersOptions {
  rows: ContainerRows
  runs: Runs
  lock: KeyedLock
  events: Events
  isClosed(): boolean
  /** By id or name. Throws not-found. */
  rowOf(idOrName: string): ContainerRow
  view(row: ContainerRow): Container
  /**
   * Makes a change of a container's row and tells of it: both, or neither, also when we are killed between. It is on disk
   * after state.onDisk(), for which who makes it waits before anybody is answered.
   */
  change(type: ContainerEvent['type'], id: string, work: () => void): Container
  /** The same, to be told of with events.publish() later. */
  record(type: ContainerEvent['type'], id: string, work: () => void): ContainerEvent
  /** Whether the process of its row still is that process. */
  isAlive(row: ContainerRow): boolean
  untilEnded(id: string, signal?: AbortSignal): Promise<Container>
  /** Lets whoever is in the middle of a change finish it; nothing is told afterwards. */
  close(): Promise<void>
}

export async function createCore(options: ContainersOptions): Promise<Core> {
  const { state, networks } = options
  const rows = createContainerRows(state)
  const runs = await createRuns(options)
  const lock = createKeyedLock()
  const events = createEvents(state)
  let closed = false

  function rowOf(idOrName: string): ContainerRow {
    const row = rows.find(idOrName)
    if (!row) throw new EngineError('not-found', `there is no container ${idOrName}`)
    return row
  }

  const view = (row: ContainerRow): Container => containerOf(row, networks.placeOf(row.id).address)

  function record(type: ContainerEvent['type'], id: string, work: () => void): ContainerEvent {
    const step = () => {
      const last = rows.find(id)
      work()
      const row = rows.find(id) ?? last
      if (!row) throw new EngineError('not-found', `there is no container ${id}`)
      return events.record(type, view(row))
    }
    return state.lazily(() => inTransaction(state.db, step))
  }

  return {
    ...options,
    rows,
    runs,
    lock,
    events,
    isClosed: () => closed,
    rowOf,
    view,
    record,
    change(type, id, work) {
      const event = record(type, id, work)
      events.publish(event)
      return event.container
    },
    isAlive: (row) =>
      row.pid !== null && row.bootId === state.bootId && processStart(row.pid) === row.pidStart,
    async untilEnded(id, signal) {
      const ended = new AbortController()
      const stream = events.subscribe({
        signal: signal ? AbortSignal.any([signal, ended.signal]) : ended.signal,
      })
      try {
        const row = rowOf(id)
        if (hasEnded(row.status)) return view(row)
        for await (const event of stream)
          if (event.container.id === id && (event.type === 'exited' || event.type === 'removed'))
            return event.container
        signal?.throwIfAborted()
        throw new EngineError('canceled', 'the engine is closing')
      } finally {
        ended.abort()
      }
    },
    async close() {
      closed = true
      await Promise.all(rows.all().map(({ id }) => lock(id, async () => {})))
      events.close()
    },
  }
}
