import type { RequestOrigin } from '../../platform/request-origin.ts'

/** The edge sets this header on everything it lets through, whatever the client sent. */
export function cameThroughEdge(headers: Headers): boolean {
  return headers.has('x-berth-edge')
}

/**
 * Address that attempts are counted by. The nearest proxy, or Next.js for direct connections, wrote the last entry;
 * those before it are the client's own words.
 */
export function clientAddress(headers: Headers): string {
  const last = headers.get('x-forwarded-for')?.split(',').at(-1)?.trim()
  return last ? last.slice(0, 64) : 'unknown'
}

/** For the audit log. */
export function requestOrigin(headers: Headers): RequestOrigin {
  return { address: clientAddress(headers), userAgent: headers.get('user-agent') }
}
