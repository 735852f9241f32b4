/** DNS-01 (RFC 8555, 8.4): the authority wants a TXT record, which people set or something does for them; Berth looks until it is there. */
import type { Resolver } from 'node:dns/promises'
import type { Client, Order } from 'acme-client'
import { z } from 'zod'
import { baseOf } from '../../model/domains.ts'
import type { Platform } from '../../open.ts'

/** How an order lies in certificates.order while its record is waited for. */
export const storedOrderSchema = z.object({
  url: z.string(),
  record: z.object({ name: z.string(), value: z.string() }).nullable(),
  since: z.iso.datetime(),
})

export type StoredOrder = z.infer<typeof storedOrderSchema>

export function readOrder(order: unknown): StoredOrder | null {
  const parsed = storedOrderSchema.safeParse(order)
  return parsed.success ? parsed.data : null
}

/** The order that is under way, as long as the authority still has it; otherwise a new one. */
export async function resumeOrder(
  { db }: Platform,
  { id, name }: { id: string; name: string },
  client: Client,
): Promise<Order> {
  const row = await db.certificate.findUnique({ where: { id }, select: { order: true } })
  const stored = readOrder(row?.order)
  if (stored !== null) {
    // The library asks for no more of an order than its address.
    const order = await client.getOrder({ url: stored.url } as Order).catch(() => null)
    const isOpen = order !== null && ['pending', 'ready'].includes(order.status)
    if (isOpen && (order.expires === undefined || new Date(order.expires) > new Date())) return order
  }
  const order = await client.createOrder({ identifiers: [{ type: 'dns', value: name }] })
  const fresh: StoredOrder = { url: order.url, record: null, since: new Date().toISOString() }
  await db.certificate.update({ where: { id }, data: { order: fresh } })
  return order
}

/** What is to be set, which is kept for people to see. */
export async function keepRecord(
  { db }: Platform,
  id: string,
  record: { name: string; value: string },
): Promise<StoredOrder> {
  const row = await db.certificate.findUniqueOrThrow({ where: { id }, select: { order: true } })
  const since = new Date().toISOString()
  const stored = { ...(readOrder(row.order) ?? { url: '', since }), record }
  await db.certificate.update({ where: { id }, data: { order: stored } })
  return stored
}

export function challengeRecord(name: string): string {
  return `_acme-challenge.${baseOf(name)}`
}

/** Whether the record is there; there may be others beside it. */
export async function hasRecord(
  resolver: Resolver,
  { name, value }: { name: string; value: string },
): Promise<boolean> {
  const found = await resolver.resolveTxt(name).catch(() => [])
  return found.some((parts) => parts.join('') === value)
}

/** Every minute for an hour, then less and less often: whoever sets a record does it soon, or not soon. */
export function nextLookForRecord({ since }: StoredOrder, now: Date): Date {
  const ageMs = now.getTime() - Date.parse(since)
  return new Date(now.getTime() + Math.max(60_000, Math.min(ageMs / 60, 3_600_000)))
}
