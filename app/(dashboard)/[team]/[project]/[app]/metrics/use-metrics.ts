import { useEffect, useState } from 'react'
import type { AppMetrics } from '@/platform/model/metrics.ts'

export interface Span {
  /** Milliseconds since 1970. */
  from: number
  to: number
}

export interface MetricsState {
  metrics: AppMetrics | null
  /** The last try failed: what is shown may be old. */
  hasFailed: boolean
}

const againMs = 10_000

/** What was measured in the last so many hours, read again and again; or in a span that does not change. */
export function useMetrics(appId: string, hours: number, span: Span | null): MetricsState {
  const [state, setState] = useState<MetricsState>({ metrics: null, hasFailed: false })
  const from = span?.from ?? null
  const to = span?.to ?? null
  useEffect(() => {
    const left = new AbortController()
    async function read(): Promise<void> {
      const end = to ?? Date.now()
      const begin = from ?? end - hours * 3_600_000
      const query = new URLSearchParams({
        from: new Date(begin).toISOString(),
        to: new Date(end).toISOString(),
      })
      try {
        const response = await fetch(`/api/v1/apps/${appId}/metrics?${query}`, { signal: left.signal })
        if (!response.ok) throw new Error(`status ${response.status}`)
        setState({ metrics: (await response.json()) as AppMetrics, hasFailed: false })
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
  }, [appId, hours, from, to])
  return state
}
