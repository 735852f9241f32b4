import { useEffect, useState } from 'react'

export interface Span {
  /** Milliseconds since 1970. */
  from: number
  to: number
}

export interface MetricsState<T> {
  metrics: T | null
  /** The last try failed: what is shown may be old. */
  hasFailed: boolean
}

const againMs = 10_000

/**
 * What was measured in the last so many hours, read again and again; or in a span that does not change. `path` is one of
 * the API, with the query that it may have.
 */
export function useMetrics<T>(path: string, hours: number, span: Span | null): MetricsState<T> {
  const [state, setState] = useState<MetricsState<T>>({ metrics: null, hasFailed: false })
  const from = span?.from ?? null
  const to = span?.to ?? null
  useEffect(() => {
    const left = new AbortController()
    async function read(): Promise<void> {
      const end = to ?? Date.now()
      const begin = from ?? end - hours * 3_600_000
      const url = new URL(path, location.origin)
      url.searchParams.set('from', new Date(begin).toISOString())
      url.searchParams.set('to', new Date(end).toISOString())
      try {
        const response = await fetch(url, { signal: left.signal })
        if (!response.ok) throw new Error(`status ${response.status}`)
        setState({ metrics: (await response.json()) as T, hasFailed: false })
      } catch {
        if (!left.signal.aborted) setState((before) => ({ ...before, hasFailed: true }))
      }
    }
    void read()
    const timer = from === null ? setInterval(() => document.hidden || void read(), againMs) : undefined
    return () => {
      left.abort()
      clearInterval(timer)
    }
  }, [path, hours, from, to])
  return state
}
