import type { Platform } from '../../open.ts'
import { readOrder } from '../acme/record.ts'
import { changeRecord } from './set-record.ts'
import { setterOf } from './stored.ts'

export interface LeftCertificate {
  id: string
  dnsProvider: unknown
  order: unknown
}

/**
 * Of a certificate that is not asked for any more, or not in that way: the record that was set for it and is waited for is
 * cleared. Nobody else would. Where that fails it stays, and says nothing to anybody.
 */
export async function clearLeftRecord(platform: Platform, left: LeftCertificate | null): Promise<void> {
  if (left === null) return
  const record = readOrder(left.order)?.record ?? null
  const setter = record === null ? null : setterOf(platform, left)
  if (record === null || setter === null) return
  await changeRecord(platform.config, setter, 'clear', record).catch(() => undefined)
}
