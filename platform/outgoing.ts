/**
 * Requests to addresses that people typed in: of a registry, of an identity provider. Whoever may type one must not
 * reach what only this host can reach, nor learn what is there: only public addresses are asked, unless the
 * administrator allows more (BERTH_PRIVATE_HOSTS) or has named the address himself. Redirects are not followed: what
 * was sent is for one host alone.
 */
import dns from 'node:dns'
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import https from 'node:https'
import net, { isIP, type LookupFunction } from 'node:net'
import tls from 'node:tls'
import type { Config } from './config.ts'
import { isInNetworks } from './networks.ts'
import { isNobodys, isSpecial } from './special-addresses.ts'

export interface OutgoingRequest {
  method?: 'GET' | 'HEAD' | 'POST'
  headers?: Record<string, string>
  body?: string
  /** PEM certificates that may sign the host's, besides those that this host trusts. */
  ca?: string
  /** The administrator named this address: it may be in a private network, or this machine. */
  isTrusted?: boolean
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

/** Nobody answered: `message` says why, in words that follow the host's name. */
export class OutgoingError extends Error {
  override readonly name = 'OutgoingError'
  readonly isRefused: boolean

  constructor(message: string, options: { isRefused?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.isRefused = options.isRefused ?? false
  }
}

/** Throws OutgoingError, and what `signal` was aborted with. Whatever status is answered is an answer. */
export async function askOutside(
  config: Pick<Config, 'proxy' | 'privateHosts'>,
  address: string | URL,
  request: OutgoingRequest = {},
): Promise<OutgoingAnswer> {
  const url = new URL(address)
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new OutgoingError('is not asked: its address is not http or https', { isRefused: true })
  const { timeoutMs = 10_000, maxBytes = 2 ** 20, isTrusted = false } = request
  const isAllowed = (host: string, found: string) =>
    (isTrusted && !isNobodys(found)) || mayReach(config, host, found)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 && !isAllowed(host, host)) throw refused()
  const usesProxy = (url.protocol === 'https:' ? config.proxy.https : config.proxy.http) !== undefined
  // The proxy looks the name up by itself. What it means here says as much as can be known.
  if (usesProxy && isIP(host) === 0) await refuseSpecialName(host, isAllowed)
  const timeout = AbortSignal.timeout(timeoutMs)
  const signal = request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal])
  const agent = agentFor(config, url, request.ca, isAllowed)
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
  config: Pick<Config, 'privateHosts'>,
  address: string | URL,
  bytes: Uint8Array,
  { ca, timeoutMs = 10_000, signal }: Pick<OutgoingRequest, 'ca' | 'timeoutMs' | 'signal'> = {},
): Promise<void> {
  const url = new URL(address)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const isSecure = url.protocol.endsWith('+tls:')
  const isAllowed = (name: string, found: string) =>
    !isSpecial(found) || isListed(config.privateHosts, name, found)
  if (isIP(host) !== 0 && !isAllowed(host, host)) throw refused()
  const timeout = AbortSignal.timeout(timeoutMs)
  const over = signal === undefined ? timeout : AbortSignal.any([timeout, signal])
  over.throwIfAborted()
  const to = { host, port: Number(url.port) || (isSecure ? 6_514 : 601), lookup: guardedLookup(isAllowed) }
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

type IsAllowed = (host: string, found: string) => boolean

function agentFor(
  config: Pick<Config, 'proxy'>,
  url: URL,
  ca: string | undefined,
  isAllowed: IsAllowed,
): http.Agent {
  const { http: plain, https: secure, noProxy } = config.proxy
  const proxies = [plain, secure].flatMap((proxy) => (proxy ? (URL.parse(proxy)?.hostname ?? []) : []))
  const variables = { HTTP_PROXY: plain, HTTPS_PROXY: secure, NO_PROXY: noProxy }
  const proxyEnv = Object.fromEntries(Object.entries(variables).filter(([, value]) => value))
  const options = {
    lookup: guardedLookup((host, found) => proxies.includes(host) || isAllowed(host, found)),
    ...(proxies.length === 0 ? {} : { proxyEnv: proxyEnv as NodeJS.ProcessEnv }),
  }
  if (url.protocol === 'http:') return new http.Agent(options)
  return new https.Agent({ ...options, ca: trustedWith(ca) })
}

function trustedWith(ca: string | undefined): string[] {
  const trusted = [...tls.getCACertificates('default'), ...tls.getCACertificates('system')]
  return ca === undefined ? trusted : [...trusted, ca]
}

/** Looked up once, and that address is connected to: a name can't mean something else a moment later. */
function guardedLookup(isAllowed: IsAllowed): LookupFunction {
  return (host, options, callback) => {
    dns.lookup(host, { ...options, all: true }, (error, found) => {
      const allowed = error ? [] : found.filter(({ address }) => isAllowed(host, address))
      const [first] = allowed
      if (error) callback(error, '', 0)
      else if (first === undefined) callback(refused(), '', 0)
      else if (options.all) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}

async function refuseSpecialName(host: string, isAllowed: IsAllowed): Promise<void> {
  const found = await dns.promises.lookup(host, { all: true }).catch(() => [])
  if (found.some(({ address }) => !isAllowed(host, address))) throw refused()
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

function refused(): OutgoingError {
  return new OutgoingError(
    'is at an address of this machine or of a private network, where Berth asks only what its administrator allows (BERTH_PRIVATE_HOSTS)',
    { isRefused: true },
  )
}

/** Whether people may have Berth ask this address of a host: a public one, or one that the administrator allows. */
export function mayReach(config: Pick<Config, 'privateHosts'>, host: string, address: string): boolean {
  return !isSpecial(address) || isListed(config.privateHosts, host, address)
}

function isListed(privateHosts: readonly string[], host: string, found: string): boolean {
  const names = privateHosts.filter((entry) => isIP(entry.split('/')[0] ?? '') === 0)
  return (
    names.includes(host.toLowerCase()) ||
    isInNetworks(
      found,
      privateHosts.filter((entry) => !names.includes(entry)),
    )
  )
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
