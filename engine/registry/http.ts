/**
 * One request and the beginning of its answer, over node:http: its answers are Node streams already (fetch wraps each
 * chunk of a layer twice), its agents keep connections, and they take a proxy from settings. Nothing is decoded,
 * followed or believed here.
 */
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import tls from 'node:tls'
import { EngineError } from '../errors.ts'
import { guardedLookup } from './addresses.ts'
import { errorFromConnection } from './failures.ts'
import type { Limits } from './limits.ts'

/** Large enough for the signed addresses that registries redirect to. */
const maxHeaderBytes = 32 * 1_024
const idleConnectionMs = 30_000

/** Proxies as HTTP_PROXY, HTTPS_PROXY and NO_PROXY name them, from whoever composes the engine. */
export interface ProxySettings {
  http?: string
  https?: string
  noProxy?: string
}

export interface Connections {
  agentFor(url: URL): http.Agent
  /** The Unix socket at which the address is reached, if it is reached by one. */
  socketFor(url: URL): string | undefined
  close(): void
}

/**
 * Kept connections of one endpoint. `ca`: PEM certificates that it may be signed by, besides those the host trusts.
 * `socket`: where this origin, and no other, is reached.
 */
export function createConnections(options: {
  ca?: string
  proxy?: ProxySettings
  socket?: { origin: string; path: string }
  allowLoopback: boolean
}): Connections {
  const { proxy, ca, socket, allowLoopback } = options
  const shared = {
    keepAlive: true,
    timeout: idleConnectionMs,
    lookup: guardedLookup({ allowLoopback, proxies: proxyNames(proxy) }),
    // Node's own 250 ms for each address is too short for a far host.
    autoSelectFamilyAttemptTimeout: 2_000,
    ...(proxy ? { proxyEnv: environmentOf(proxy) } : {}),
  }
  const plain = new http.Agent(shared)
  let secure: https.Agent | undefined
  return {
    agentFor(url) {
      if (url.protocol === 'http:') return plain
      secure ??= new https.Agent({ ...shared, secureContext: trust(ca) })
      return secure
    },
    socketFor: ({ origin }) => (origin === socket?.origin ? socket.path : undefined),
    close() {
      plain.destroy()
      secure?.destroy()
    },
  }
}

/** Proxies in the words that Node's agents read. */
function environmentOf({ http, https, noProxy }: ProxySettings): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries({ HTTP_PROXY: http, HTTPS_PROXY: https, NO_PROXY: noProxy }).filter(([, value]) => value),
  ) as NodeJS.ProcessEnv
}

function proxyNames(proxy: ProxySettings | undefined): string[] {
  return [proxy?.http, proxy?.https].flatMap((url) => (url ? (URL.parse(url)?.hostname ?? []) : []))
}

let hostTrust: tls.SecureContext | undefined

/** What Node ships, what the host's administrator added, and `ca`. Read once: it is some hundred certificates. */
function trust(ca: string | undefined): tls.SecureContext {
  const trusted = () => [...tls.getCACertificates('default'), ...tls.getCACertificates('system')]
  if (ca !== undefined) return tls.createSecureContext({ ca: [...trusted(), ca] })
  hostTrust ??= tls.createSecureContext({ ca: trusted() })
  return hostTrust
}

export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  url: URL
  headers: Record<string, string>
  /** Whole, or opened when it is sent; `content-length` is the caller's matter. */
  body?: Buffer | (() => Promise<Readable>)
  /** For messages: whose bytes these are, and who is asked for them, as a person would call him. */
  what: string
  host: string
  signal?: AbortSignal
  /** Instead of `limits.answerMs`; counted from when the body is sent. */
  answerMs?: number
}

/**
 * Sends a request and waits for the head of its answer, whatever its status; whoever gets it reads or destroys it.
 * Throws unavailable, and what `signal` was aborted with.
 */
export async function send(
  connections: Connections,
  request: HttpRequest,
  limits: Pick<Limits, 'connectMs' | 'answerMs' | 'stallMs'>,
): Promise<IncomingMessage> {
  for (;;) {
    const { request: sent, answer } = begin(connections, request, limits)
    try {
      return await answer
    } catch (error) {
      sent.destroy()
      request.signal?.throwIfAborted()
      // A kept connection that the other side closed meanwhile says nothing about the registry.
      const code = (error as NodeJS.ErrnoException).code
      const wasStale = sent.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE')
      if (wasStale && typeof request.body !== 'function' && request.method !== 'POST') continue
      throw errorFromConnection(error, request.what, request.host)
    }
  }
}

function begin(
  connections: Connections,
  { method, url, headers, body, what, host, signal, answerMs }: HttpRequest,
  limits: Pick<Limits, 'connectMs' | 'answerMs' | 'stallMs'>,
) {
  const module = url.protocol === 'https:' ? https : http
  const request = module.request(url, {
    method,
    headers: { 'user-agent': 'berth', 'accept-encoding': 'identity', ...headers },
    agent: connections.agentFor(url),
    socketPath: connections.socketFor(url),
    signal,
    maxHeaderSize: maxHeaderBytes,
  })
  const late = (words: string) => () =>
    request.destroy(new EngineError('unavailable', `${host} ${words} for ${what}`))
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined
    /** Why we stopped sending, which is otherwise told as a connection that broke. */
    let ownFailure: Error | undefined
    const within = (ms: number, words: string) => {
      clearTimeout(timer)
      timer = setTimeout(late(words), ms)
    }
    request.once('socket', (socket) => {
      if (!socket.connecting) return
      const connecting = setTimeout(late('can not be reached'), limits.connectMs)
      socket.once('connect', () => clearTimeout(connecting)).once('close', () => clearTimeout(connecting))
    })
    request.once('response', (response) => {
      clearTimeout(timer)
      resolve(response)
    })
    // Stays: a connection may break after its answer began, which is then the answer's matter.
    request.on('error', (error) => {
      clearTimeout(timer)
      reject(ownFailure ?? error)
    })
    const awaitAnswer = () => within(answerMs ?? limits.answerMs, 'did not answer in time')
    if (typeof body !== 'function') {
      awaitAnswer()
      request.end(body)
      return
    }
    const takeNext = () => within(limits.stallMs, 'takes nothing more')
    takeNext()
    body()
      .then((source) => {
        source.on('data', takeNext).once('error', (error) => {
          ownFailure = error
        })
        return pipeline(source, request)
      })
      .then(awaitAnswer, (error: unknown) => request.destroy(error as Error))
  })
  return { request, answer }
}
