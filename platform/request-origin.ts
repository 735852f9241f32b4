import { AsyncLocalStorage } from 'node:async_hooks'

/** Where a request came from, as far as the edge or the server saw it. */
export interface RequestOrigin {
  address: string | null
  userAgent: string | null
}

// Each of Next.js' bundles has this module once more; the doors and what they lead to must share one.
const key = Symbol.for('berth.origin')
const shared = globalThis as typeof globalThis & { [key]?: AsyncLocalStorage<RequestOrigin> }
shared[key] ??= new AsyncLocalStorage<RequestOrigin>()
const current = shared[key]

/**
 * Runs work on behalf of a request from there. It is ambient, unlike the viewer, because nothing may ever be decided by
 * it: it is only written down.
 */
export function withRequestOrigin<Result>(origin: RequestOrigin, work: () => Result): Result {
  return current.run(origin, work)
}

/** Of the request under way; both null for what Berth does by itself. */
export function currentRequestOrigin(): RequestOrigin {
  return current.getStore() ?? { address: null, userAgent: null }
}
