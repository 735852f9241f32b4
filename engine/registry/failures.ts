import { EngineError, isEngineError } from '../errors.ts'

/** What a failed request to a registry means, in words for the person who named the image. */
export function errorFromStatus(status: number, what: string, body: string): EngineError {
  const said = registryMessage(body)
  if (status === 401 || status === 403)
    return new EngineError('access-denied', `the registry refuses access to ${what}${said}`)
  if (status === 404) return new EngineError('not-found', `the registry has no ${what}${said}`)
  if (status === 429)
    return new EngineError(
      'unavailable',
      `the registry's rate limit is reached for ${what}: try again later${said}`,
    )
  if (status >= 500)
    return new EngineError('unavailable', `the registry failed with ${status} for ${what}${said}`)
  return new EngineError('invalid', `the registry answered ${status} for ${what}${said}`)
}

/** Errors of the connection itself: refused, reset, timed out, unknown name. */
export function errorFromFetch(error: unknown, what: string, host: string): unknown {
  if (isEngineError(error)) return error
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = (cause as NodeJS.ErrnoException).code ?? (error as Error).name
  const words: Record<string, string> = {
    ECONNREFUSED: 'it refuses the connection',
    ENOTFOUND: 'its name is unknown',
    EAI_AGAIN: 'its name could not be looked up',
    ECONNRESET: 'it closed the connection',
    UND_ERR_SOCKET: 'it closed the connection',
    TimeoutError: 'it did not answer in time',
    UND_ERR_CONNECT_TIMEOUT: 'it did not answer in time',
    UND_ERR_HEADERS_TIMEOUT: 'it did not answer in time',
    UND_ERR_BODY_TIMEOUT: 'it stopped sending',
  }
  return new EngineError('unavailable', `could not get ${what} from ${host}: ${words[code] ?? code}`, {
    cause: error,
  })
}

function registryMessage(body: string): string {
  try {
    const [first] = (JSON.parse(body) as { errors?: { message?: unknown; code?: unknown }[] }).errors ?? []
    const message = first?.message ?? first?.code
    return typeof message === 'string' ? ` (${message.slice(0, 200)})` : ''
  } catch {
    return ''
  }
}
