/** Requests to addresses that people typed in: of a registry, of a receiver of notifications, of an identity provider. */
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import https from 'node:https'
import net, { isIP } from 'node:net'
import tls from 'node:tls'
import {
  guardedTarget,
  type OutgoingConfig,
  OutgoingError,
  outgoingAgent,
  refuseProxied,
  type Trust,
  trustedWith,
} from './outgoing-agent.ts'

export interface OutgoingRequest extends Trust {
  method?: 'GET' | 'HEAD' | 'POST'
  headers?: Record<string, string>
  body?: string
  /** For the whole answer; default 10 seconds. */
  timeoutMs?: number
  /** Of the answer's body; default 1 MiB. */
  maxBytes?: number
  signal?: AbortSignal
}

export interface OutgoingAnswer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/**
 * Throws OutgoingError, and what `signal` was aborted with. Whatever status is answered is an answer. Redirects are not
 * followed: what was sent is for one host alone.
 */
export async function askOutside(
  config: OutgoingConfig,
  address: string | URL,
  request: OutgoingRequest = {},
): Promise<OutgoingAnswer> {
  const url = new URL(address)
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new OutgoingError('is not asked: its address is not http or https', { isRefused: true })
  const { timeoutMs = 10_000, maxBytes = 2 ** 20 } = request
  const agent = outgoingAgent(config, url, request)
  await refuseProxied(config, url, request)
  const timeout = AbortSignal.timeout(timeoutMs)
  const signal = request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal])
  try {
    return await send(url, request, { agent, signal, maxBytes })
  } catch (cause) {
    request.signal?.throwIfAborted()
    if (cause instanceof OutgoingError) throw cause
    throw new OutgoingError(timeout.aborted ? `did not answer within ${timeoutMs / 1_000} s` : words(cause), {
      cause,
    })
  } finally {
    agent.destroy()
  }
}

/**
 * Writes bytes to `PROTOCOL+tls://host:port` or `PROTOCOL+tcp://host:port`, and resolves once the other side has taken
 * all of them and closed in its turn: such protocols have no other word for that. Throws as askOutside does.
 */
export async function sendOutside(
  config: Pick<OutgoingConfig, 'privateHosts'>,
  address: string | URL,
  bytes: Uint8Array,
  { ca, timeoutMs = 10_000, signal }: Pick<OutgoingRequest, 'ca' | 'timeoutMs' | 'signal'> = {},
): Promise<void> {
  const url = new URL(address)
  const isSecure = url.protocol.endsWith('+tls:')
  const { host, lookup } = guardedTarget(config, url, {})
  const timeout = AbortSignal.timeout(timeoutMs)
  const over = signal === undefined ? timeout : AbortSignal.any([timeout, signal])
  over.throwIfAborted()
  const to = { host, port: Number(url.port) || (isSecure ? 6_514 : 601), lookup }
  const socket = isSecure
    ? tls.connect({ ...to, ca: trustedWith(ca), ...(isIP(host) === 0 ? { servername: host } : {}) })
    : net.connect(to)
  const stop = () => socket.destroy(over.reason)
  over.addEventListener('abort', stop, { once: true })
  try {
    await new Promise<void>((resolve, reject) => {
      let isTaken = false
      socket.once('error', reject)
      socket.once(isSecure ? 'secureConnect' : 'connect', () => socket.end(bytes, () => (isTaken = true)))
      // What it says is of no interest, but its end is: unread it would never come.
      socket.resume()
      socket.once('close', (hadError) => {
        if (isTaken && !hadError) resolve()
        else reject(new OutgoingError('closed the connection'))
      })
    })
  } catch (cause) {
    signal?.throwIfAborted()
    if (cause instanceof OutgoingError) throw cause
    throw new OutgoingError(
      timeout.aborted ? `did not take it within ${timeoutMs / 1_000} s` : words(cause),
      { cause },
    )
  } finally {
    over.removeEventListener('abort', stop)
    socket.destroy()
  }
}

async function send(
  url: URL,
  { method = 'GET', headers = {}, body }: OutgoingRequest,
  { agent, signal, maxBytes }: { agent: http.Agent; signal: AbortSignal; maxBytes: number },
): Promise<OutgoingAnswer> {
  const { request } = url.protocol === 'https:' ? https : http
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { method, headers: { 'user-agent': 'berth', ...headers, ...length }, agent, signal })
      .once('response', resolve)
      .once('error', reject)
      .end(body)
  })
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    size += chunk.length
    if (size > maxBytes) throw new OutgoingError(`answers with more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: Buffer.concat(chunks).toString('utf8'),
  }
}

const known: Record<string, string> = {
  ECONNREFUSED: 'refuses the connection',
  ENOTFOUND: 'is not known by that name',
  EAI_AGAIN: 'could not be looked up: the name service does not answer',
  ECONNRESET: 'closed the connection',
  EPIPE: 'closed the connection',
  ETIMEDOUT: 'did not answer in time',
  EHOSTUNREACH: "can't be reached from here",
  ENETUNREACH: "can't be reached from here",
  CERT_HAS_EXPIRED: 'has a certificate that has expired',
  CERT_NOT_YET_VALID: 'has a certificate that is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'has a certificate for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'has a certificate that nobody known here has signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'has a certificate that nobody known here has signed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'has a certificate that nobody known here has signed',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'has a certificate that nobody known here has signed',
}

function words(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return words(error.errors[0])
  if (!(error instanceof Error)) return "can't be asked"
  const code = (error as NodeJS.ErrnoException).code ?? ''
  if (code.startsWith('HPE_')) return 'does not answer in HTTP'
  if (code === 'EPROTO' || /wrong version number|packet length/.test(error.message))
    return 'does not speak TLS'
  return known[code] ?? `can't be asked (${code || error.name})`
}
