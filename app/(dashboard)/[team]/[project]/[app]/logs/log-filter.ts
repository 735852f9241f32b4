import { LogQueryError, type LogQueryProblem, parseLogQuery } from '@/platform/model/log-query.ts'

/** What narrows the view. All of it is in the page's address, so that a view can be kept and sent. */
export interface LogFilter {
  query: string
  process: string
  replica: string
  deployment: string
  stream: string
  /** One of `spans`, or empty: from the first line that is kept. */
  span: string
  /** ISO 8601. Before both the span stands back. */
  since: string
  until: string
}

export const emptyFilter: LogFilter = {
  query: '',
  process: '',
  replica: '',
  deployment: '',
  stream: '',
  span: '',
  since: '',
  until: '',
}

const minuteMs = 60_000
export const spans: Record<string, number> = {
  '15m': 15 * minuteMs,
  '1h': 60 * minuteMs,
  '6h': 360 * minuteMs,
  '24h': 1_440 * minuteMs,
  '7d': 10_080 * minuteMs,
}

const names = Object.keys(emptyFilter) as (keyof LogFilter)[]

export function filterFrom(address: URLSearchParams): LogFilter {
  const given = names.map((name) => [name, (address.get(name) ?? '').slice(0, 500)])
  const filter = { ...emptyFilter, ...Object.fromEntries(given) } as LogFilter
  return { ...filter, span: filter.span in spans ? filter.span : '' }
}

/** Of the page, with a line to show or without. */
export function addressFor(filter: LogFilter, line: number | null): string {
  const address = new URLSearchParams(names.flatMap((name) => (filter[name] ? [[name, filter[name]]] : [])))
  if (line !== null) address.set('line', String(line))
  return address.size === 0 ? '?' : `?${address}`
}

/** What the API is asked with. */
export function paramsFor(filter: LogFilter, nowMs: number): Record<string, string> {
  const { span, since, until, ...rest } = filter
  const spanMs = spans[span]
  const from = since !== '' || spanMs === undefined ? since : new Date(nowMs - spanMs).toISOString()
  const all = { ...rest, query: rest.query.trim(), since: from, until }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
}

export function isEmpty(filter: LogFilter): boolean {
  return names.every((name) => filter[name].trim() === '')
}

/** Null: it can be read. */
export function problemOf(query: string): LogQueryProblem | null {
  try {
    parseLogQuery(query)
    return null
  } catch (error) {
    if (error instanceof LogQueryError) return error.problem
    throw error
  }
}

/** As a term of the search that only finds lines with this field. */
export function termFor(path: string, value: string): string {
  return /^[^\s"*]+$/.test(value) ? `${path}:${value}` : `${path}:"${value.replace(/["\\]/g, '\\$&')}"`
}
