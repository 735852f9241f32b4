/** Ethernet frames that a hostile container sends, as hexadecimal. Sources: RFC 826, 791, 2131, 4443, 4861, 8200. */

export interface Frame {
  what: string
  hex: string
}

interface Ends {
  from: string
  to: string
}

export const everybody = 'ff:ff:ff:ff:ff:ff'
export const everyIpv6Node = '33:33:00:00:00:01'

const mac = (text: string) => text.replaceAll(':', '')
const number = (value: number, bytes: number) => value.toString(16).padStart(bytes * 2, '0')
const address = (text: string) =>
  text
    .split('.')
    .map((part) => number(Number(part), 1))
    .join('')

/** One's complement of the one's complement sum. Source: RFC 1071. */
function checksum(hex: string): string {
  let sum = 0
  for (let at = 0; at < hex.length; at += 4) sum += Number.parseInt(hex.slice(at, at + 4).padEnd(4, '0'), 16)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  return number(0xffff - sum, 2)
}

const ethernet = ({ from, to }: Ends, type: string, payload: string) => mac(to) + mac(from) + type + payload

/** "I am `claims`, and my hardware address is `has`", to everybody. */
export function arpReply(ends: Ends, claims: string, has: string): string {
  return ethernet(
    ends,
    '0806',
    `0001080006040002${mac(has)}${address(claims)}${mac(ends.to)}${address(claims)}`,
  )
}

export function udp4(
  ends: Ends,
  { from, to, fromPort, toPort, text }: Ends & { fromPort: number; toPort: number; text: string },
): string {
  const body = Buffer.from(text).toString('hex')
  const datagram = `${number(fromPort, 2)}${number(toPort, 2)}${number(8 + text.length, 2)}0000${body}`
  const header = (sum: string) =>
    `4500${number(28 + text.length, 2)}000000004011${sum}${address(from)}${address(to)}`
  return ethernet(ends, '0800', header(checksum(header('0000'))) + datagram)
}

/** The same frame under a VLAN tag. */
export function tagged(frame: string, vlan: number): string {
  return `${frame.slice(0, 24)}8100${number(vlan, 2)}${frame.slice(24)}`
}

const linkLocal = 'fe80000000000000000000000000beef'
const allNodes = 'ff020000000000000000000000000001'

function icmp6(ends: Ends, message: (sum: string) => string): string {
  const length = message('0000').length / 2
  const pseudo = `${linkLocal}${allNodes}${number(length, 4)}0000003a`
  const sum = checksum(pseudo + message('0000'))
  return ethernet(ends, '86dd', `60000000${number(length, 2)}3aff${linkLocal}${allNodes}${message(sum)}`)
}

/** "I am a router for half an hour, and 2001:db8:1::/64 is on this link." */
export function routerAdvertisement(ends: Ends): string {
  const prefix = `030440c000000708000007080000000020010db8000100000000000000000000`
  return icmp6(ends, (sum) => `8600${sum}40000708${'0'.repeat(16)}${prefix}`)
}

/** "fe80::beef has this hardware address", whether somebody asked or not. */
export function neighbourAdvertisement(ends: Ends): string {
  return icmp6(ends, (sum) => `8800${sum}20000000${linkLocal}0201${mac(ends.from)}`)
}
