/** From mirror to mirror, and to the registry itself at last. */
import { EngineError, type EngineErrorKind, isEngineError } from '../errors.ts'
import type { Endpoint } from './endpoint.ts'
import type { Limits } from './limits.ts'
import { retrying } from './retry.ts'

/** A mirror that could not be reached is left out for this long. */
const skipDownMs = 60_000
/** A mirror is there to be quick: what it does not do at the second try is done without it. */
const triesAtMirror = 2

/** What another source may do better. Never `corrupt`: who answers wrong bytes is to be looked at, not passed over. */
const mayPass = new Set<EngineErrorKind>([
  'not-found',
  'access-denied',
  'rate-limited',
  'unavailable',
  'invalid',
])

/**
 * Tries `attempt` at each source in turn, each with its retries. The last one's failure is thrown, and its message
 * says what became of the mirrors.
 */
export async function fromSources<T>(
  endpoints: Endpoint[],
  limits: Limits,
  signal: AbortSignal | undefined,
  attempt: (endpoint: Endpoint) => Promise<T>,
): Promise<T> {
  const passed: string[] = []
  for (const endpoint of endpoints) {
    if (endpoint.isMirror && endpoint.downUntilMs > Date.now()) continue
    const tries = endpoint.isMirror ? Math.min(triesAtMirror, limits.tries) : limits.tries
    try {
      return await retrying(signal, () => attempt(endpoint), { ...limits, tries })
    } catch (error) {
      signal?.throwIfAborted()
      if (!isEngineError(error)) throw error
      if (!endpoint.isMirror) throw passed.length === 0 ? error : afterMirrors(error, passed)
      if (!mayPass.has(error.kind)) throw error
      if (error.kind === 'unavailable') leaveOut(endpoint)
      passed.push(error.message)
    }
  }
  throw new EngineError('internal', 'a registry without an endpoint')
}

/** Does without a mirror for a while; a registry itself is always asked. */
export function leaveOut(endpoint: Endpoint): void {
  endpoint.downUntilMs = Date.now() + skipDownMs
}

function afterMirrors(error: EngineError, passed: string[]): EngineError {
  const { kind, message, retryAfterMs } = error
  return new EngineError(kind, `${message} (before that: ${passed.join('; ')})`, {
    cause: error,
    retryAfterMs,
  })
}
