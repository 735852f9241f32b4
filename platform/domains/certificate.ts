/** The certificate of a domain's name, as its team decides it. */
import { notFound, type Viewer } from '../access.ts'
import { type AppPlace, appAccess } from '../app-access.ts'
import { record } from '../audit.ts'
import { columnsOf } from '../certificates/keep.ts'
import { clearLeftRecord } from '../certificates/records/clear-left.ts'
import { readUploaded } from '../certificates/uploaded.ts'
import type { Transaction } from '../database.ts'
import { PlatformError } from '../errors.ts'
import type { Domain as DomainRow } from '../generated/prisma/client.ts'
import { enqueue } from '../jobs.ts'
import { type CertificateInput, certificateInputSchema } from '../model/certificates.ts'
import type { Domain } from '../model/domains.ts'
import { newId } from '../model/ids.ts'
import type { Platform } from '../open.ts'
import { countAttempt } from '../rate-limit.ts'
import { validate } from '../validate.ts'
import { lockNames } from './claims.ts'
import { publishDomain } from './live.ts'
import { showDomain } from './show.ts'

/** From now on the name is served with this one, on every app and path of the team. Throws `invalid` at the fields. */
export async function setCertificate(
  platform: Platform,
  viewer: Viewer,
  id: string,
  input: CertificateInput,
): Promise<Domain> {
  const { row, place } = await access(platform, viewer, id)
  if (row.verifiedAt === null)
    throw new PlatformError(
      'conflict',
      'Show first that the name is yours; its certificate comes after that.',
    )
  const pair = readUploaded(row.name, validate(certificateInputSchema, input))
  const certificateId = newId('certificate')
  const columns = { ...columnsOf(platform, certificateId, pair), dueAt: null }
  const left = await platform.db.$transaction(async (tx) => {
    await lockNames(tx)
    await mustStillBe(tx, row)
    const before = await tx.certificate.findUnique({ where: { name: row.name } })
    await tx.certificate.deleteMany({ where: { name: row.name } })
    await tx.certificate.create({
      data: { id: certificateId, teamId: place.teamId, name: row.name, source: 'custom', ...columns },
    })
    const { fingerprint } = columns
    const after = { [`domains.${row.name}`]: { certificate: fingerprint } }
    await record(tx, viewer, { ...entry(place), action: 'domain.set-certificate', after })
    return before
  })
  await clearLeftRecord(platform, left)
  await tellAll(platform, place)
  return showDomain(platform, row, place.teamId)
}

/** Berth looks after the name's certificate by itself again. Throws `conflict` where none was given. */
export async function removeCertificate(platform: Platform, viewer: Viewer, id: string): Promise<void> {
  const { row, place } = await access(platform, viewer, id)
  await platform.db.$transaction(async (tx) => {
    await lockNames(tx)
    const where = { name: row.name, teamId: place.teamId, source: 'custom' }
    const { count } = await tx.certificate.deleteMany({ where })
    if (count === 0) throw new PlatformError('conflict', 'The name has no certificate that was uploaded.')
    await record(tx, viewer, {
      ...entry(place),
      action: 'domain.remove-certificate',
      detail: { name: row.name },
    })
  })
  await tellAll(platform, place)
}

const tries = { name: 'certificate-try', limit: 3, windowSeconds: 600 }

/** The next attempt is made at once. Throws `conflict` where no authority is asked, `rate-limited` for the impatient. */
export async function tryCertificateNow(platform: Platform, viewer: Viewer, id: string): Promise<Domain> {
  const { row, place } = await access(platform, viewer, id)
  const where = { name: row.name, teamId: place.teamId, source: 'acme', status: { not: 'active' } }
  if ((await platform.db.certificate.count({ where })) === 0)
    throw new PlatformError('conflict', 'Nothing is asked of an authority for this name.')
  // Authorities count too, and for longer.
  await countAttempt(platform, tries, row.name)
  await platform.db.$transaction(async (tx) => {
    await tx.certificate.updateMany({ where, data: { dueAt: new Date() } })
    await record(tx, viewer, {
      ...entry(place),
      action: 'domain.try-certificate',
      detail: { name: row.name },
    })
  })
  await publishDomain(platform, place)
  return showDomain(platform, row, place.teamId)
}

async function mustStillBe(tx: Transaction, { id }: DomainRow): Promise<void> {
  const count = await tx.domain.count({ where: { id, verifiedAt: { not: null } } })
  if (count === 0) throw notFound('domain')
}

async function access(platform: Platform, viewer: Viewer, id: string) {
  const row = await platform.db.domain.findUnique({ where: { id } })
  if (row === null) throw notFound('domain')
  return { row, place: await appAccess(platform, viewer, row.appId, 'domain.change') }
}

async function tellAll(platform: Platform, place: AppPlace): Promise<void> {
  await publishDomain(platform, place)
  await enqueue(platform, place.hostId, 'sync-edge', { hostId: place.hostId })
}

function entry({ teamId, appId, name }: AppPlace) {
  return { teamId, target: { type: 'app', id: appId, name } }
}
