import type { LogRow } from '../../platform/model/engine-door.ts'
import { paint } from '../say.ts'
import { openDoor } from './door.ts'
import { type EngineOptions, interruptible } from './options.ts'

interface LogOptions extends EngineOptions {
  follow?: boolean
  tail: string
  timestamps?: boolean
  since?: string
  until?: string
}

export async function showLogs(id: string, options: LogOptions): Promise<void> {
  const tail = options.tail === 'all' ? undefined : options.tail
  await interruptible(async (signal) => {
    const { follow, since, until } = options
    const query = { follow, tail, since, until }
    try {
      const path = `/containers/${encodeURIComponent(id)}/logs`
      for await (const row of openDoor(options).lines<LogRow>('GET', path, { query, signal }))
        await print(row, options)
    } catch (error) {
      if (!signal.aborted) throw error
    }
  })
}

/** Each stream to its own; waits while the reader is slow. */
export async function print(row: LogRow, options: { json?: boolean; timestamps?: boolean }): Promise<void> {
  const out = options.json || row.stream === 'stdout' ? process.stdout : process.stderr
  const time = options.timestamps ? `${paint('dim', row.time)} ` : ''
  const isTaken = out.write(options.json ? `${JSON.stringify(row)}\n` : `${time}${row.text}\n`)
  if (!isTaken) await new Promise((resolve) => out.once('drain', resolve))
}
