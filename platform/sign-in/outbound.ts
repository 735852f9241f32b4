import type http from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { askOutside, type OutgoingAnswer } from '../outgoing.ts'
import { type OutgoingConfig, OutgoingError, outgoingAgent, refuseProxied } from '../outgoing-agent.ts'

/** How a provider is asked. */
export interface OutboundRules {
  config: OutgoingConfig
  /** Private and loopback addresses too, and without TLS. */
  allowsPrivate: boolean
}

const wholeMs = 8_000
const mostBytes = 1_048_576
const mostRedirects = 3

/** A provider could not be asked, or answered what can't be used. `message` is a sentence without secrets. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError'
}

/** Throws OutboundError unless the provider may be asked at this address, as far as that can be known beforehand. */
export async function requireAllowed(address: string | URL, rules: OutboundRules): Promise<void> {
  const url = new URL(address)
  requireTls(url, rules)
  try {
    outgoingAgent(rules.config, url, { isTrusted: rules.allowsPrivate }).destroy()
    await refuseProxied(rules.config, url, { isTrusted: rules.allowsPrivate })
  } catch (error) {
    throw asOutbound(url, rules, error)
  }
}

/**
 * For who asks a provider by himself: each connection keeps the rules, ends after 8 s, and when more comes than anybody
 * needs to sign in. requireAllowed() is asked before.
 */
export function guardedAgent(url: URL, rules: OutboundRules): http.Agent {
  requireTls(url, rules)
  const agent = outgoingAgent(rules.config, url, { isTrusted: rules.allowsPrivate })
  const connect = agent.createConnection.bind(agent)
  agent.createConnection = (options, done) => {
    const socket = connect(options, (error, late) =>
      done?.(error, late instanceof Object ? limited(late) : late),
    )
    return socket instanceof Object ? limited(socket) : socket
  }
  return agent
}

/**
 * Reads a JSON document. Goes where it is led within the same origin only, at most three times. Throws OutboundError.
 */
export async function fetchJson(
  address: string,
  rules: OutboundRules,
  headers: Record<string, string> = {},
): Promise<unknown> {
  let url = new URL(address)
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const { status, headers: answered, text } = await get(url, rules, headers)
    if (status >= 300 && status < 400 && answered.location !== undefined) {
      const next = URL.parse(answered.location, url)
      if (next?.origin !== url.origin)
        throw new OutboundError(`${url.href} leads to another host, which is not followed`)
      url = next
      continue
    }
    if (status !== 200) throw new OutboundError(`${url.href} answered ${status}`)
    try {
      return JSON.parse(text)
    } catch {
      throw new OutboundError(`${url.href} did not answer with JSON`)
    }
  }
  throw new OutboundError(`${address} leads round in circles`)
}

async function get(url: URL, rules: OutboundRules, headers: Record<string, string>): Promise<OutgoingAnswer> {
  requireTls(url, rules)
  try {
    return await askOutside(rules.config, url, {
      headers: { accept: 'application/json', ...headers },
      ...{ isTrusted: rules.allowsPrivate, timeoutMs: wholeMs, maxBytes: mostBytes },
    })
  } catch (error) {
    throw asOutbound(url, rules, error)
  }
}

function requireTls(url: URL, { allowsPrivate }: OutboundRules): void {
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowsPrivate))
    throw new OutboundError(`${url.origin} would be asked without TLS`)
}

function asOutbound(url: URL, { allowsPrivate }: OutboundRules, error: unknown): unknown {
  if (!(error instanceof OutgoingError)) return error
  if (!error.isRefused) return new OutboundError(`${url.origin} ${error.message}`, { cause: error })
  const why = allowsPrivate
    ? 'is an address that is never asked'
    : 'is in a private network, which is not allowed for this provider'
  return new OutboundError(`${url.hostname} ${why}`, { cause: error })
}

/** The same connection may come by both ways. */
const underLimits = new WeakSet<object>()

function limited(socket: Socket | Duplex): Socket {
  if (underLimits.has(socket)) return socket as Socket
  underLimits.add(socket)
  const timer = setTimeout(() => {
    socket.destroy(new OutboundError(`it did not answer within ${wholeMs / 1_000} s`))
  }, wholeMs)
  timer.unref()
  let bytes = 0
  socket.on('data', (part: Buffer) => {
    bytes += part.length
    if (bytes > mostBytes) socket.destroy(new OutboundError('its answer is larger than 1 MiB'))
  })
  socket.once('close', () => clearTimeout(timer))
  return socket as Socket
}
