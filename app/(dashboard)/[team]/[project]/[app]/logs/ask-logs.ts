import type { LogLine } from '@/platform/model/events.ts'
import type { LogHistogram } from '@/platform/model/log-search.ts'

export interface LogPage {
  data: LogLine[]
  nextCursor: string | null
  searchedTo: string | null
  first: number | null
  last: number | null
  isDiskFull: boolean
}

/** What the API refused, or that it did not answer. */
export class AskError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

type Params = Record<string, string>

export interface AskLogs {
  page(params: Params, signal: AbortSignal): Promise<LogPage>
  histogram(params: Params, signal: AbortSignal): Promise<LogHistogram>
}

export function logsOf(appId: string): AskLogs {
  const base = `/api/v1/apps/${appId}/logs`
  return {
    page: (params, signal) => ask(`${base}?${new URLSearchParams(params)}`, signal),
    histogram: (params, signal) => ask(`${base}/histogram?${new URLSearchParams(params)}`, signal),
  }
}

async function ask<Answer>(url: string, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(url, { headers: { accept: 'application/json' }, signal }).catch((error) => {
    signal.throwIfAborted()
    throw new AskError('unreachable', String(error))
  })
  const body = await response.json().catch(() => ({}))
  if (response.ok) return body as Answer
  const { code = 'internal', detail = '', errors = [] } = body
  throw new AskError(code, errors[0]?.message ?? detail)
}
