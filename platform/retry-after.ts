import type { IncomingHttpHeaders } from 'node:http'

/**
 * How long whoever answered wants to be left alone, in milliseconds: `Retry-After` as seconds or as a date. Null where it
 * does not say, or not in a way that can be read. Source: RFC 9110 §10.2.3.
 */
export function retryAfterMs(headers: Pick<IncomingHttpHeaders, 'retry-after'>): number | null {
  const text = headers['retry-after']?.trim()
  if (text === undefined) return null
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000
  // Of a bare number Date.parse() would make a year.
  const at = /[a-z]{3}/i.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now())
}
