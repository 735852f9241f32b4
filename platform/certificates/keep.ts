/** A certificate and its key, into the database and out of it. The key is sealed for its row. */
import { X509Certificate } from 'node:crypto'
import type { Transaction } from '../database.ts'
import type { Platform } from '../open.ts'
import { seal, unseal } from '../secrets.ts'
import type { KeyPair } from './authority.ts'

/** What a row has of a certificate. */
export function columnsOf({ keyring }: Platform, id: string, { chain, key }: KeyPair) {
  const own = new X509Certificate(chain)
  return {
    ...{ chain, status: 'active', failures: 0 },
    sealedKey: seal(keyring, key, keyContext(id)),
    fingerprint: own.fingerprint256.replaceAll(':', '').toLowerCase(),
    notBefore: own.validFromDate,
    expiresAt: own.validToDate,
    dueAt: renewalOf(own.validFromDate, own.validToDate),
  }
}

/** PEM of the chain and the key; null where it is another one meanwhile. */
export async function readPem(
  { db, keyring }: { db: Transaction; keyring: Platform['keyring'] },
  { name, fingerprint }: { name: string; fingerprint: string },
): Promise<string | null> {
  const row = await db.certificate.findFirst({
    where: { name, fingerprint },
    select: { id: true, chain: true, sealedKey: true },
  })
  if (row === null || row.chain === null || row.sealedKey === null) return null
  return `${row.chain.trim()}\n${unseal(keyring, row.sealedKey, keyContext(row.id)).trim()}\n`
}

/**
 * When a third of its time is left, or up to a tenth of its time earlier: many that were made together are not all
 * renewed together.
 */
export function renewalOf(notBefore: Date, expiresAt: Date, random: () => number = Math.random): Date {
  const lifetimeMs = expiresAt.getTime() - notBefore.getTime()
  return new Date(expiresAt.getTime() - lifetimeMs / 3 - random() * (lifetimeMs / 10))
}

function keyContext(id: string): string {
  return `certificate:${id}`
}
