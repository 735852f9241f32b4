/** Server-sent events of the API: each once, in order, also across lost connections. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createParser } from 'eventsource-parser'
import { ApiError } from '../api.ts'
import type { Client } from '../client.ts'
import { CommandError } from '../say.ts'

/** The API says every 15 s that a stream lives. */
const silentMs = 45_000
const againMs = 1_000

export interface StreamOptions {
  signal: AbortSignal
  /** Id of the event after which it begins. */
  after?: string
  /** For how long nobody may answer before it is given up. */
  patienceMs?: number
  onLost?: () => void
}

/** Ends when the signal aborts. Throws ApiError for a refusal, CommandError when nobody answers for too long. */
export async function* events<T>(
  client: Client,
  path: string,
  options: StreamOptions,
): AsyncGenerator<T, void, undefined> {
  for await (const { data } of eventsWithIds<T>(client, path, options)) yield data
}

/** The same, with where to go on after each. */
export async function* eventsWithIds<T>(
  client: Client,
  path: string,
  { signal, after, patienceMs = 120_000, onLost }: StreamOptions,
): AsyncGenerator<{ id: string | undefined; data: T }, void, undefined> {
  let last = after
  let lostAt: number | null = null
  while (!signal.aborted) {
    const silence = new AbortController()
    const timer = setTimeout(() => silence.abort(), silentMs)
    const ready: { id: string | undefined; data: string }[] = []
    const parser = createParser({ onEvent: ({ id, data }) => ready.push({ id, data }) })
    try {
      const headers: Record<string, string> = { accept: 'text/event-stream' }
      if (last !== undefined) headers['last-event-id'] = last
      const response = await client.fetch(path, {
        headers,
        signal: AbortSignal.any([signal, silence.signal]),
      })
      for await (const text of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
        timer.refresh()
        lostAt = null
        parser.feed(text)
        for (const { id, data } of ready.splice(0)) {
          last = id ?? last
          yield { id, data: JSON.parse(data) as T }
        }
      }
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof ApiError && error.status < 500 && error.status !== 429) throw error
      if (error instanceof SyntaxError) throw error
    } finally {
      clearTimeout(timer)
    }
    if (signal.aborted) return
    if (lostAt === null) {
      lostAt = Date.now()
      onLost?.()
    }
    if (Date.now() - lostAt > patienceMs)
      throw new CommandError(
        `${client.url} has not answered for ${Math.round(patienceMs / 1_000)} s. The deployment goes on without you: see the dashboard.`,
      )
    await sleep(againMs, undefined, { signal }).catch(() => undefined)
  }
}
