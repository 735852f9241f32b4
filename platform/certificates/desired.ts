/** Which certificates the edge of a host serves. Those of Berth's own authority are made and renewed on the way. */
import { X509Certificate } from 'node:crypto'
import type { Config } from '../config.ts'
import { baseOf } from '../model/domains.ts'
import { newId } from '../model/ids.ts'
import type { Platform } from '../open.ts'
import { signLeaf } from './authority.ts'
import { columnsOf, readPem } from './keep.ts'
import { isLocalName } from './local-names.ts'
import { type Held, rowsFor } from './served.ts'

export interface DesiredCertificate {
  /** The one name that it is served for; `*.example.com` for all names one below. */
  name: string
  fingerprint: string
}

export interface DesiredCertificates {
  own: DesiredCertificate | null
  others: DesiredCertificate[]
  readPem(certificate: DesiredCertificate): Promise<string | null>
}

/**
 * For every verified name on the host, and for Berth's own. What is missing and can be signed here is signed; what
 * another team left is never served.
 */
export async function desiredCertificates(platform: Platform, hostId: string): Promise<DesiredCertificates> {
  const held = [
    ...[own, ...ours(platform.config)].map((name) => ({ name, teamId: null })),
    ...(await namesOf(platform, hostId)),
  ]
  await signMissing(platform, held)
  const served = [...(await rowsFor(platform.db, held)).values()].map(({ name, fingerprint }) => ({
    name,
    fingerprint,
  }))
  return {
    own: served.find(({ name }) => name === own) ?? null,
    others: served.filter(({ name }) => name !== own),
    readPem: (certificate) => readPem(platform, certificate),
  }
}

async function namesOf({ db }: Platform, hostId: string): Promise<Held[]> {
  const rows = await db.domain.findMany({
    where: { route: { not: null }, app: { hostId } },
    distinct: ['name'],
    select: { name: true, app: { select: { project: { select: { teamId: true } } } } },
  })
  return rows.map(({ name, app }) => ({ name, teamId: app.project.teamId }))
}

/**
 * What is missing, due, or was made for another domain. One for Berth's own name and the addresses of this machine is
 * always there, so that the edge can always speak TLS.
 */
async function signMissing(platform: Platform, held: readonly Held[]): Promise<void> {
  const { db, config } = platform
  const local = held.filter(({ name }) => isLocalName(baseOf(name)))
  const rows = await db.certificate.findMany({
    where: { name: { in: local.map(({ name }) => name) } },
    select: { id: true, name: true, teamId: true, source: true, dueAt: true },
  })
  const known = new Map(rows.map((row) => [row.name, row]))
  const isRightForUs = await isForDomain(platform)
  const now = new Date()
  for (const { name, teamId } of local) {
    const row = known.get(name)
    const isLeft = row !== undefined && row.teamId !== teamId
    const isGood = row?.source !== 'internal' || (row.dueAt ?? now) > now
    if (row !== undefined && !isLeft && isGood && (name !== own || isRightForUs)) continue
    const id = isLeft || row === undefined ? newId('certificate') : row.id
    const names: [string, ...string[]] = name === own ? [own, ...ownAddresses, ...ours(config)] : [name]
    const columns = columnsOf(platform, id, await signLeaf(platform, names))
    if (isLeft) await db.certificate.deleteMany({ where: { id: row.id } })
    // Of two workers that sign for one name, one has its certificate kept.
    if (id === row?.id) await db.certificate.updateMany({ where: { id, dueAt: row.dueAt }, data: columns })
    else
      await db.certificate.createMany({
        data: [{ id, name, teamId, source: 'internal', ...columns }],
        skipDuplicates: true,
      })
  }
}

const own = 'localhost'
const ownAddresses = ['127.0.0.1', '::1']

function ours({ domain }: Pick<Config, 'domain'>): string[] {
  return domain === null ? [] : [domain]
}

/** The domain may have been given since. */
async function isForDomain({ db, config }: Platform): Promise<boolean> {
  const row = await db.certificate.findUnique({ where: { name: own }, select: { chain: true } })
  if (row?.chain == null) return false
  const { subjectAltName = '' } = new X509Certificate(row.chain)
  return ours(config).every((domain) => subjectAltName.split(', ').includes(`DNS:${domain}`))
}
