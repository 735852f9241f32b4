import { BlockList, isIP } from 'node:net'

/** Whether an address, as a proxy wrote it down, is in one of the networks. What is no address is in none. */
export function isInNetworks(address: string, networks: readonly string[]): boolean {
  const plain = plainAddress(address)
  if (isIP(plain) === 0) return false
  const list = new BlockList()
  for (const network of networks) add(list, network)
  return list.check(plain, familyOf(plain))
}

function add(list: BlockList, network: string): void {
  const [address = '', length] = network.split('/')
  const family = familyOf(address)
  if (length === undefined) list.addAddress(address, family)
  else list.addSubnet(address, Number(length), family)
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}

/** Proxies write `[2001:db8::1]:443` and `203.0.113.9:443` too, and IPv4 as `::ffff:203.0.113.9`. */
function plainAddress(text: string): string {
  const [, inBrackets] = /^\[([^\]]+)\](?::\d+)?$/.exec(text) ?? []
  const [, beforePort] = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text) ?? []
  const address = inBrackets ?? beforePort ?? text
  return address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')
}
