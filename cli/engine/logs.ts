import type { ContainerRow, LogRow, RunRequest } from '../../platform/model/engine-door.ts'
import { paint } from '../say.ts'
import type { Ask } from './connection.ts'
import { type Door, openDoor } from './door.ts'
import { type EngineOptions, interruptible } from './options.ts'

interface LogOptions extends EngineOptions {
  follow?: boolean
  tail: string
  timestamps?: boolean
  since?: string
  until?: string
}

/** One who follows is done when the container has ended and its restart policy does not start it again. */
export async function showLogs(id: string, options: LogOptions): Promise<void> {
  const tail = options.tail === 'all' ? undefined : options.tail
  const door = openDoor(options)
  const path = `/containers/${encodeURIComponent(id)}`
  await interruptible(async (signal) => {
    const { follow, since, until } = options
    const over = new AbortController()
    const either = AbortSignal.any([signal, over.signal])
    let cursor: string | undefined
    const show = async (query: Ask['query'], until?: AbortSignal) => {
      for await (const row of door.lines<LogRow>('GET', `${path}/logs`, { query, signal: until })) {
        await print(row, options)
        cursor = row.cursor
      }
    }
    try {
      if (!follow) return await show({ tail, since, until }, signal)
      const ended = untilOver(door, path, either).then(() => over.abort())
      ended.catch(() => {})
      await show({ follow, tail, since, until }, either).catch((error) => {
        if (!either.aborted) throw error
      })
      // What it wrote last, which may have come behind its end.
      if (over.signal.aborted && !signal.aborted)
        await show({ tail: cursor === undefined ? tail : undefined, after: cursor, since, until }, signal)
      over.abort()
    } catch (error) {
      if (!signal.aborted) throw error
    }
  })
}

async function untilOver(door: Door, path: string, signal: AbortSignal): Promise<void> {
  const { spec } = await door.ask<{ spec: Pick<RunRequest, 'restart'> }>('GET', path, { signal })
  if ((spec.restart ?? 'no') !== 'no') return new Promise(() => {})
  await door.work<never, ContainerRow>('GET', `${path}/wait`, { signal })
}

/** Each stream to its own; waits while the reader is slow. */
export async function print(row: LogRow, options: { json?: boolean; timestamps?: boolean }): Promise<void> {
  const out = options.json || row.stream === 'stdout' ? process.stdout : process.stderr
  const time = options.timestamps ? `${paint('dim', row.time)} ` : ''
  const isTaken = out.write(options.json ? `${JSON.stringify(row)}\n` : `${time}${row.text}\n`)
  if (!isTaken) await new Promise((resolve) => out.once('drain', resolve))
}
