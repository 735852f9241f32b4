/** Addresses of repositories: what may be one, and what may be asked. They are typed in by people: hostile input. */
import dns from 'node:dns'
import { isIP } from 'node:net'
import type { Config } from '../config.ts'
import { mayReach } from '../outgoing-agent.ts'

export class AddressProblem extends Error {}

const lookUpWithinMs = 5_000

/**
 * The address as it is kept: `git@host:path` becomes ssh://git@host/path, names of hosts become small letters.
 * Throws AddressProblem, in words that follow the field's name.
 */
export function normalizeAddress(text: string): string {
  if (/[^\x21-\x7e]/.test(text)) throw new AddressProblem("can't hold spaces or other than plain characters")
  if (text.startsWith('-')) throw new AddressProblem("can't begin with a hyphen")
  const short = /^([A-Za-z0-9._-]+)@([A-Za-z0-9.-]+):(?!\/\/)(.+)$/.exec(text)
  const url = URL.parse(
    short === null ? text : `ssh://${short[1]}@${short[2]}/${short[3]?.replace(/^\/+/, '')}`,
  )
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'ssh:'))
    throw new AddressProblem('must be an https:// or ssh:// address, or such as git@github.com:acme/shop.git')
  if (url.password !== '' || (url.protocol === 'https:' && url.username !== ''))
    throw new AddressProblem("can't hold a password or a token: give it in its own field")
  const host = url.hostname.toLowerCase()
  if (!/^(\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)$/.test(host))
    throw new AddressProblem('must name a host, such as github.com')
  if (url.protocol === 'ssh:' && !/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(url.username))
    throw new AddressProblem('must name the user, such as ssh://git@github.com/acme/shop.git')
  if (url.search !== '' || url.hash !== '') throw new AddressProblem("can't hold ? or #")
  const path = url.pathname.replace(/\/+$/, '')
  if (path === '' || path.startsWith('/-')) throw new AddressProblem('must name a repository on that host')
  const user = url.username === '' ? '' : `${url.username}@`
  return `${url.protocol}//${user}${host}${url.port === '' ? '' : `:${url.port}`}${path}`
}

/** Whose password or key it is: another host, port or protocol is somebody else. */
export function authorityOf(address: string): string {
  const { protocol, hostname, port } = new URL(address)
  return `${protocol}//${hostname}:${port}`
}

/**
 * The addresses that the host's name stands for now and that may be asked: public ones, and what the administrator
 * allows beside them. Throws AddressProblem when there is none.
 */
export async function reachableAddresses(
  config: Pick<Config, 'privateHosts'>,
  address: string,
): Promise<string[]> {
  const host = new URL(address).hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) === 6) throw new AddressProblem('is at an IPv6 address, which Berth does not fetch from')
  const found = isIP(host) === 4 ? [host] : await lookUp(host)
  const allowed = found.filter((each) => mayReach(config, host, each))
  if (allowed.length > 0) return allowed
  throw new AddressProblem(
    'is at an address of this machine or of a private network, where Berth asks only what its administrator allows (BERTH_PRIVATE_HOSTS)',
  )
}

/** Nobody knows the name, or the name service does not answer. */
export class UnknownHost extends AddressProblem {}

async function lookUp(host: string): Promise<string[]> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('late')), lookUpWithinMs)
  try {
    const found = await Promise.race([dns.promises.lookup(host, { all: true, family: 4 }), late.promise])
    return found.map(({ address }) => address)
  } catch {
    throw new UnknownHost('is not known by that name')
  } finally {
    clearTimeout(timer)
  }
}
