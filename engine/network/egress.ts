/** What may leave a network, as it is asked for. Pure. */
import { EngineError } from '../errors.ts'
import type { Egress } from './networks.ts'
import { parseRange } from './subnets.ts'

const mostRanges = 200

/** Throws invalid unless it is all, none, or 1 to 200 IPv4 ranges. */
export function checkEgress(egress: Egress): void {
  if (egress === 'all' || egress === 'none') return
  if (egress.length === 0 || egress.length > mostRanges)
    throw new EngineError(
      'invalid',
      `egress lists 1 to ${mostRanges} ranges, and not ${egress.length}: say none for nothing`,
    )
  for (const range of egress) parseRange(range)
}
