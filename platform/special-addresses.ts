/** Which addresses lead to no place in the Internet. */
import { BlockList, isIP } from 'node:net'

/** IANA's special-purpose address registries (RFC 6890), and multicast. */
// Two lists: one alone would find IPv4 addresses in ::/80 as well.
const special = { ipv4: new BlockList(), ipv6: new BlockList() }
for (const [network, length] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  special.ipv4.addSubnet(network, length, 'ipv4')
for (const [network, length] of [
  // With ::, ::1 and IPv4's compatible and mapped addresses, which name the same places once more.
  ['::', 80],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
] as const)
  special.ipv6.addSubnet(network, length, 'ipv6')

/** Whether an address is none of the Internet's. */
export function isSpecial(address: string): boolean {
  const family = isIP(address)
  if (family === 0) return true
  return family === 6 ? special.ipv6.check(address, 'ipv6') : special.ipv4.check(address, 'ipv4')
}

/**
 * What is not even a place in a private network: link-local addresses, where clouds tell their machines' secrets, those
 * of many at once, and none at all.
 */
const nobodys = { ipv4: new BlockList(), ipv6: new BlockList() }
for (const [network, length] of [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['224.0.0.0', 3],
] as const)
  nobodys.ipv4.addSubnet(network, length, 'ipv4')
for (const [network, length] of [
  // Amazon's name for its metadata service in IPv6 lies in a private network.
  ['fd00:ec2::', 32],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  nobodys.ipv6.addSubnet(network, length, 'ipv6')
nobodys.ipv6.addAddress('::', 'ipv6')

/** Whether nobody may have it asked, an administrator neither. IPv4 addresses mapped into IPv6 count as what they are. */
export function isNobodys(address: string): boolean {
  const family = isIP(address)
  if (family === 0) return true
  // A list of one kind finds its own addresses in mapped ones.
  return (
    nobodys.ipv4.check(address, family === 6 ? 'ipv6' : 'ipv4') ||
    (family === 6 && nobodys.ipv6.check(address, 'ipv6'))
  )
}
