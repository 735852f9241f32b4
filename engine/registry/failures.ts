/** What a failed request to a registry means, in words for the person who named the image. */
import type { IncomingHttpHeaders } from 'node:http'
import { EngineError, isEngineError } from '../errors.ts'
import { retryAfterMs } from './retry-after.ts'

/** An answer that is no success. `body` is what came with it, of which only a registry's own message is passed on. */
export function errorFromStatus(
  status: number,
  headers: IncomingHttpHeaders,
  what: string,
  host: string,
  body: string,
): EngineError {
  const said = registryMessage(body)
  const wait = retryAfterMs(headers['retry-after'])
  if (status === 401 || status === 403)
    return new EngineError('access-denied', `${host} refuses access to ${what}${said}`)
  if (status === 404) return new EngineError('not-found', `${host} has no ${what}${said}`)
  if (status === 429)
    return new EngineError(
      'rate-limited',
      `${host} limits how often it may be asked for ${what}: try again ${inWords(wait)}${said}`,
      { retryAfterMs: wait },
    )
  if (status >= 500)
    return new EngineError('unavailable', `${host} failed with ${status} for ${what}${said}`, {
      retryAfterMs: wait,
    })
  const kind = firstError(body).code === 'DIGEST_INVALID' ? 'corrupt' : 'invalid'
  return new EngineError(kind, `${host} answered ${status} for ${what}${said}`)
}

function inWords(waitMs: number | undefined): string {
  if (waitMs === undefined) return 'later'
  const seconds = Math.ceil(waitMs / 1_000)
  return seconds < 120 ? `in ${seconds} s` : `in ${Math.ceil(seconds / 60)} minutes`
}

const words: Record<string, string> = {
  ECONNREFUSED: 'it refuses the connection',
  ENOTFOUND: 'its name is unknown',
  EAI_AGAIN: 'its name could not be looked up',
  ECONNRESET: 'it closed the connection',
  EPIPE: 'it closed the connection',
  ETIMEDOUT: 'it did not answer in time',
  TimeoutError: 'it did not answer in time',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  ERR_FORBIDDEN_ADDRESS: 'its name means an address of this machine or its cloud, where no registry is',
  HPE_HEADER_OVERFLOW: 'the header of its answer is too large',
  ERR_SSL_WRONG_VERSION_NUMBER:
    'it does not speak TLS; if it is to be trusted without, list it with an http:// address',
  EPROTO: 'it does not speak TLS as we do',
  ERR_PROXY_TUNNEL: 'the proxy does not let us through',
}
const untrusted = 'its certificate is signed by nobody known here; give its authority as `ca`'
const certificateWords: Record<string, string> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
}

/** Errors of the connection itself: refused, reset, timed out, unknown name, no trust. */
export function errorFromConnection(error: unknown, what: string, host: string): unknown {
  if (isEngineError(error)) return error
  const code = codeOf(error)
  const known = certificateWords[code] ?? words[code]
  const why = known ?? (code.startsWith('HPE_') ? `what it answers is not HTTP (${code})` : code)
  return new EngineError('unavailable', `could not reach ${host} for ${what}: ${why}`, { cause: error })
}

/** Whether trying again at once can't help, whatever the kind: trust does not come by waiting. */
export function isHopeless(error: EngineError): boolean {
  const code = codeOf(error.cause)
  return (
    code in certificateWords || code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_FORBIDDEN_ADDRESS'
  )
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  if (!(error instanceof Error)) return String(error)
  // OpenSSL's words for an answer that is none of TLS; Node gives them no code.
  if (/wrong version number|packet length too long/.test(error.message)) return 'ERR_SSL_WRONG_VERSION_NUMBER'
  return (error as NodeJS.ErrnoException).code ?? error.name
}

function registryMessage(body: string): string {
  const { message, code } = firstError(body)
  const words = message || code
  return typeof words === 'string' ? ` (${plain(words)})` : ''
}

/** Source: OCI distribution specification, "Error Codes". */
function firstError(body: string): { message?: unknown; code?: unknown } {
  try {
    const [first] = (JSON.parse(body) as { errors?: { message?: unknown; code?: unknown }[] }).errors ?? []
    return first ?? {}
  } catch {
    return {}
  }
}

/** Text of a stranger, safe in a log and in a terminal. */
function plain(text: string): string {
  return text.replace(/\p{C}+/gu, ' ').slice(0, 200)
}
