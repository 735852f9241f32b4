/** What sets the records of a certificate, as it lies in certificates.dnsProvider: addresses and keys are sealed. */
import { z } from 'zod'
import {
  type RecordSetter,
  type RecordsBy,
  recordSetterSchema,
  recordsByOf,
  recordsBySchema,
} from '../../model/record-setter.ts'
import type { Platform } from '../../open.ts'
import { seal, unseal } from '../../secrets.ts'

const storedSchema = recordsBySchema.extend({ sealed: z.string() })

export function sealSetter({ keyring }: Platform, certificateId: string, setter: RecordSetter) {
  return { ...recordsByOf(setter), sealed: seal(keyring, JSON.stringify(setter), contextOf(certificateId)) }
}

/** Null: people set them by hand. */
export async function openSetter(
  { db, keyring }: Platform,
  certificateId: string,
): Promise<RecordSetter | null> {
  const row = await db.certificate.findUnique({ where: { id: certificateId }, select: { dnsProvider: true } })
  return setterOf({ keyring }, { id: certificateId, dnsProvider: row?.dnsProvider })
}

/** The same of a row that was read, or that is gone by now. */
export function setterOf(
  { keyring }: Pick<Platform, 'keyring'>,
  { id, dnsProvider }: { id: string; dnsProvider: unknown },
): RecordSetter | null {
  const stored = storedSchema.safeParse(dnsProvider)
  if (!stored.success) return null
  return recordSetterSchema.parse(JSON.parse(unseal(keyring, stored.data.sealed, contextOf(id))))
}

/** What people are told of it. */
export function showSetter(dnsProvider: unknown): RecordsBy | null {
  const stored = recordsBySchema.safeParse(dnsProvider)
  return stored.success ? { kind: stored.data.kind, where: stored.data.where } : null
}

function contextOf(certificateId: string): string {
  return `certificate-records:${certificateId}`
}
