import { isIPv6 } from 'node:net'

/** Where somebody who tries to sign in comes from. */
export interface Origin {
  /** As the edge saw it. */
  address: string
  /** Token of the browser's cookie (known-devices.ts), if it has one. */
  device?: string | null
  userAgent?: string | null
}

/**
 * What guesses are counted by: an IPv4 address; of IPv6 the first 64 bits, since one line has as many addresses as it
 * likes below those (RFC 6177).
 */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.replace(/%.*$/, '').split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros =
    tail === undefined ? [] : Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0')
  const groups = [...before, ...zeros, ...after].slice(0, 4)
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`
}
