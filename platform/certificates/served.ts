/** Which certificate a name is served with. */
import type { Transaction } from '../database.ts'

/** A name, and whose it is; null for Berth's own. */
export interface Held {
  name: string
  teamId: string | null
}

export interface ServedCertificate extends Held {
  source: string
  fingerprint: string
  notBefore: Date | null
  expiresAt: Date
}

/** Those that are good for any of the names and belong to whoever has the name, by their own names. */
export async function rowsFor(
  db: Transaction,
  held: readonly Held[],
): Promise<Map<string, ServedCertificate>> {
  const pairs = new Set(held.flatMap(({ name, teamId }) => covering(name).map((each) => `${each} ${teamId}`)))
  const names = new Set(held.flatMap(({ name }) => covering(name)))
  const rows = await db.certificate.findMany({
    where: { name: { in: [...names] }, fingerprint: { not: null } },
    select: {
      ...{ name: true, teamId: true, source: true },
      ...{ fingerprint: true, notBefore: true, expiresAt: true },
    },
  })
  const found = new Map<string, ServedCertificate>()
  for (const { fingerprint, expiresAt, ...row } of rows)
    if (fingerprint !== null && expiresAt !== null && pairs.has(`${row.name} ${row.teamId}`))
      found.set(row.name, { ...row, fingerprint, expiresAt })
  return found
}

/** By each of the names: the certificate of its own, or that of the wildcard above it. */
export async function certificatesFor(
  db: Transaction,
  held: readonly Held[],
): Promise<Map<string, ServedCertificate>> {
  const rows = await rowsFor(db, held)
  return new Map(
    held.flatMap(({ name, teamId }) => {
      const certificate = covering(name)
        .map((each) => rows.get(each))
        .find((row) => row?.teamId === teamId)
      return certificate === undefined ? [] : [[name, certificate] as const]
    }),
  )
}

/** What Berth signed itself is trusted by few: those who ask by HTTP are not sent there unless it was asked for. */
export function sendsToHttps(
  { httpsRedirect }: { httpsRedirect: boolean | null },
  certificate: ServedCertificate | undefined,
): boolean {
  return certificate !== undefined && (httpsRedirect ?? certificate.source !== 'internal')
}

function covering(name: string): string[] {
  return name.startsWith('*.') || !name.includes('.')
    ? [name]
    : [name, `*.${name.slice(name.indexOf('.') + 1)}`]
}
