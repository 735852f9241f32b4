/** Which addresses a registry may send us to. */
import dns from 'node:dns'
import net, { type LookupFunction } from 'node:net'

/** Whether a host name, as URLs write it, can only be this machine. */
export function isLoopback(hostname: string): boolean {
  return /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname)
}

const linkLocal = new net.BlockList()
linkLocal.addSubnet('169.254.0.0', 16)
linkLocal.addSubnet('fe80::', 10, 'ipv6')
linkLocal.addAddress('fd00:ec2::254', 'ipv6')

const loopback = new net.BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addSubnet('0.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')
loopback.addAddress('::', 'ipv6')

/**
 * Whether an address is one that no registry has a reason to be at, or to send us to: link-local ones (clouds keep
 * their secrets at 169.254.169.254), and this machine, unless it is the operator who says so.
 */
export function isForbidden(address: string, { allowLoopback }: { allowLoopback: boolean }): boolean {
  const family = net.isIP(address)
  if (family === 0) return false
  const type = family === 6 ? 'ipv6' : 'ipv4'
  return linkLocal.check(address, type) || (!allowLoopback && loopback.check(address, type))
}

/** Whether a URL names a forbidden address itself, without asking for a name. */
export function namesForbidden(url: URL, options: { allowLoopback: boolean }): boolean {
  const bare = url.hostname.replace(/^\[|\]$/g, '')
  return isForbidden(bare, options) || (!options.allowLoopback && isLoopback(url.hostname))
}

/**
 * Looks names up as usual, and finds nothing where a name means a forbidden address (also by DNS rebinding).
 * @param proxies names that the operator has given, which may mean anything.
 */
export function guardedLookup(options: { allowLoopback: boolean; proxies: string[] }): LookupFunction {
  return (hostname, lookupOptions, callback) => {
    dns.lookup(hostname, { ...lookupOptions, all: true }, (error, found) => {
      const isProxy = options.proxies.includes(hostname)
      const allowed = error ? [] : found.filter(({ address }) => isProxy || !isForbidden(address, options))
      const [first] = allowed
      if (error) callback(error, '', 0)
      else if (!first)
        callback(Object.assign(new Error(`${hostname} is not an address of a registry`), forbidden), '', 0)
      else if (lookupOptions.all) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}

const forbidden = { code: 'ERR_FORBIDDEN_ADDRESS' }
