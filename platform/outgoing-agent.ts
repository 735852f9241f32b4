/**
 * Which addresses people may have asked that they typed in, and connections that keep to it. Whoever may type one must
 * not reach what only this host can reach, nor learn what is there: only public addresses are asked, unless the
 * administrator allows more (BERTH_PRIVATE_HOSTS) or has named the address himself.
 */
import dns from 'node:dns'
import http from 'node:http'
import https from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import tls from 'node:tls'
import type { Config } from './config.ts'
import { isInNetworks } from './networks.ts'
import { isNobodys, isSpecial } from './special-addresses.ts'

export type OutgoingConfig = Pick<Config, 'proxy' | 'privateHosts'>

export interface Trust {
  /** PEM certificates that may sign the host's, besides those that this host trusts. */
  ca?: string
  /** The administrator named this address: it may be in a private network, or this machine. */
  isTrusted?: boolean
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

/**
 * The host of an address, and a look-up that finds allowed addresses of it alone. Throws OutgoingError where the address
 * stands in the URL and is not.
 */
export function guardedTarget(
  config: Pick<OutgoingConfig, 'privateHosts'>,
  url: URL,
  trust: Trust,
): { host: string; lookup: LookupFunction } {
  const host = hostOf(url)
  const isAllowed = allowedBy(config, trust)
  if (isIP(host) !== 0 && !isAllowed(host, host)) throw refused()
  return { host, lookup: guardedLookup(isAllowed) }
}

/**
 * Connects by the proxy where there is one, and to allowed addresses alone. Throws OutgoingError as guardedTarget() does.
 * Behind a proxy, names are refuseProxied()'s business.
 */
export function outgoingAgent(config: OutgoingConfig, url: URL, trust: Trust): http.Agent {
  const guarded = guardedTarget(config, url, trust).lookup
  const { http: plain, https: secure, noProxy } = config.proxy
  const proxies = [plain, secure].flatMap((proxy) => (proxy ? (URL.parse(proxy)?.hostname ?? []) : []))
  const variables = { HTTP_PROXY: plain, HTTPS_PROXY: secure, NO_PROXY: noProxy }
  const proxyEnv = Object.fromEntries(Object.entries(variables).filter(([, value]) => value))
  const lookup: LookupFunction = (name, options, done) =>
    proxies.includes(name) ? dns.lookup(name, options, done) : guarded(name, options, done)
  const options = {
    lookup,
    ...(proxies.length === 0 ? {} : { proxyEnv: proxyEnv as NodeJS.ProcessEnv }),
  }
  if (url.protocol === 'http:') return new http.Agent(options)
  return new https.Agent({ ...options, ca: trustedWith(trust.ca) })
}

/** Authorities that this host trusts, and one more. */
export function trustedWith(ca: string | undefined): string[] {
  const trusted = [...tls.getCACertificates('default'), ...tls.getCACertificates('system')]
  return ca === undefined ? trusted : [...trusted, ca]
}

/**
 * The proxy looks names up by itself. What they mean here says as much as can be known. Throws OutgoingError where that
 * is not allowed.
 */
export async function refuseProxied(config: OutgoingConfig, url: URL, trust: Trust): Promise<void> {
  const host = hostOf(url)
  const proxy = url.protocol === 'https:' ? config.proxy.https : config.proxy.http
  if (proxy === undefined || isIP(host) !== 0) return
  const found = await dns.promises.lookup(host, { all: true }).catch(() => [])
  const isAllowed = allowedBy(config, trust)
  if (found.some(({ address }) => !isAllowed(host, address))) throw refused()
}

type IsAllowed = (host: string, found: string) => boolean

function allowedBy(config: Pick<OutgoingConfig, 'privateHosts'>, { isTrusted = false }: Trust): IsAllowed {
  return (host, found) => (isTrusted && !isNobodys(found)) || mayReach(config, host, found)
}

/** Whether people may have Berth ask this address of a host: a public one, or one that the administrator allows. */
export function mayReach(
  { privateHosts }: Pick<Config, 'privateHosts'>,
  host: string,
  address: string,
): boolean {
  return !isSpecial(address) || isListed(privateHosts, host, address)
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '')
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

function refused(): OutgoingError {
  return new OutgoingError(
    'is at an address of this machine or of a private network, where Berth asks only what its administrator allows (BERTH_PRIVATE_HOSTS)',
    { isRefused: true },
  )
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
