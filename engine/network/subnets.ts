/** Arithmetic on IPv4 ranges. Pure. */
import { EngineError } from '../errors.ts'

export interface Range {
  first: number
  last: number
}

/** Throws invalid unless it is a.b.c.d/n; a missing /n means one address. */
export function parseRange(text: string): Range {
  const [address = '', bitsText = '32'] = text.split('/')
  const parts = address.split('.').map(Number)
  const bits = Number(bitsText)
  const isAddress =
    parts.length === 4 && parts.every((part) => Number.isInteger(part) && part >= 0 && part < 256)
  if (!isAddress || !Number.isInteger(bits) || bits < 0 || bits > 32)
    throw new EngineError('invalid', `${text} is no IPv4 range such as 10.89.0.0/16`)
  const size = 2 ** (32 - bits)
  const number = parts.reduce((sum, part) => sum * 256 + part, 0)
  const first = number - (number % size)
  return { first, last: first + size - 1 }
}

export function formatAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')
}

/** The lowest /24 of the pool that overlaps none of these; null when all are taken. */
export function freeSubnet(pool: string, taken: Range[]): string | null {
  const { first, last } = parseRange(pool)
  for (let start = first; start + 255 <= last; start += 256)
    if (!taken.some((range) => range.first <= start + 255 && range.last >= start))
      return `${formatAddress(start)}/24`
  return null
}

/** How many of the pool's /24 there are. */
export function countSubnets(pool: string): number {
  const { first, last } = parseRange(pool)
  return Math.floor((last - first + 1) / 256)
}

/** Address of a host number in a /24; 1 is the gateway. */
export function addressIn(subnet: string, hostNumber: number): string {
  return formatAddress(parseRange(subnet).first + hostNumber)
}

/** Such as 10.0.0.0-10.0.1.255. */
export function formatRange({ first, last }: Range): string {
  return first === last ? formatAddress(first) : `${formatAddress(first)}-${formatAddress(last)}`
}

/** The same addresses in ranges that neither overlap nor touch. */
export function disjointRanges(ranges: Range[]): Range[] {
  const merged: Range[] = []
  for (const { first, last } of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = merged.at(-1)
    if (before && first <= before.last + 1) before.last = Math.max(before.last, last)
    else merged.push({ first, last })
  }
  return merged
}
