import { lookup as lookUp } from 'node:dns'
import http from 'node:http'
import https from 'node:https'
import { isIP, type LookupFunction, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { isNobodys, isSpecial } from '../special-addresses.ts'

/** How providers are asked. */
export interface OutboundRules {
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

/** Why an address may not be asked; null where it may. */
export function refusalOf(address: string, { allowsPrivate }: OutboundRules): string | null {
  if (isNobodys(address)) return `${address} is an address that is never asked`
  if (!allowsPrivate && isSpecial(address))
    return `${address} is in a private network, which is not allowed for this provider`
  return null
}

/** Checks the address that is connected to, not the name before it: a name may lead elsewhere the next moment. */
function guardedLookup(rules: OutboundRules): LookupFunction {
  return (hostname, options, done) => {
    lookUp(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, '')
      const refused = addresses.map(({ address }) => refusalOf(address, rules)).find((why) => why !== null)
      if (refused !== undefined) return done(new OutboundError(refused), '')
      const [first] = addresses
      if (options.all === true) return done(null, addresses)
      if (first === undefined) return done(new OutboundError(`${hostname} has no address`), '')
      return done(null, first.address, first.family)
    })
  }
}

/** A connection for one request: it ends after 8 s, and when more comes than anybody needs to sign in. */
function limited(socket: Socket | Duplex): Socket {
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

/** An agent for http and https addresses each; both keep the rules for every connection. */
export function guardedAgent(url: URL, rules: OutboundRules): http.Agent {
  requireAllowed(url, rules)
  const lookup = guardedLookup(rules)
  const agent = url.protocol === 'https:' ? new https.Agent() : new http.Agent()
  const connect = agent.createConnection.bind(agent)
  agent.createConnection = (options, done) => {
    const socket = connect({ ...options, lookup } as Parameters<typeof connect>[0], done)
    return socket instanceof Object ? limited(socket) : socket
  }
  return agent
}

/** Throws OutboundError. Addresses that stand in the URL themselves are never looked up. */
function requireAllowed(url: URL, rules: OutboundRules): void {
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && rules.allowsPrivate))
    throw new OutboundError(`${url.origin} would be asked without TLS`)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const refused = isIP(host) === 0 ? null : refusalOf(host, rules)
  if (refused !== null) throw new OutboundError(refused)
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
    const { status, location, body } = await get(url, rules, headers)
    if (status >= 300 && status < 400 && location !== undefined) {
      const next = URL.parse(location, url)
      if (next?.origin !== url.origin)
        throw new OutboundError(`${url.href} leads to another host, which is not followed`)
      url = next
      continue
    }
    if (status !== 200) throw new OutboundError(`${url.href} answered ${status}`)
    try {
      return JSON.parse(body)
    } catch {
      throw new OutboundError(`${url.href} did not answer with JSON`)
    }
  }
  throw new OutboundError(`${address} leads round in circles`)
}

interface Answer {
  status: number
  location: string | undefined
  body: string
}

function get(url: URL, rules: OutboundRules, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause)
      reject(new OutboundError(`${url.origin} could not be asked: ${why}`, { cause }))
    }
    let agent: http.Agent
    try {
      agent = guardedAgent(url, rules)
    } catch (error) {
      return fail(error)
    }
    const request = (url.protocol === 'https:' ? https : http).get(url, {
      agent,
      headers: { accept: 'application/json', 'user-agent': 'Berth', ...headers },
    })
    request.on('error', fail)
    request.on('response', (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', fail)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          location: response.headers.location,
          body: Buffer.concat(parts).toString('utf8'),
        }),
      )
    })
  })
}
