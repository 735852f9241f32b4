/** What sets the records that an authority wants to see of a name, so that nobody has to. */
import { randomBytes } from 'node:crypto'
import { notFound, type Viewer } from '../access.ts'
import { type AppPlace, appAccess } from '../app-access.ts'
import { record } from '../audit.ts'
import { challengeRecord } from '../certificates/acme/record.ts'
import { isLocalName } from '../certificates/local-names.ts'
import { clearLeftRecord } from '../certificates/records/clear-left.ts'
import { RecordNotSet } from '../certificates/records/record-not-set.ts'
import { changeRecord } from '../certificates/records/set-record.ts'
import { sealSetter, showSetter } from '../certificates/records/stored.ts'
import { PlatformError } from '../errors.ts'
import { Prisma } from '../generated/prisma/client.ts'
import { baseOf, type Domain, isWildcard } from '../model/domains.ts'
import { newId } from '../model/ids.ts'
import {
  type RecordSetter,
  type RecordSetterInput,
  recordSetterSchema,
  recordsByOf,
} from '../model/record-setter.ts'
import type { Platform } from '../open.ts'
import { countAttempt } from '../rate-limit.ts'
import { validate } from '../validate.ts'
import { lockNames } from './claims.ts'
import { publishDomain } from './live.ts'
import { showDomain } from './show.ts'

const tries = { name: 'records-try', limit: 20, windowSeconds: 600 }

/**
 * From now on the records for the name's certificate are set so, each renewal included. It is tried at once, with a
 * record that is cleared again. Throws `invalid` at the field that is in the way.
 */
export async function setRecordsBy(
  platform: Platform,
  viewer: Viewer,
  id: string,
  input: RecordSetterInput,
): Promise<Domain> {
  const { row, place } = await access(platform, viewer, id)
  const { name } = row
  if (row.verifiedAt === null)
    throw new PlatformError(
      'conflict',
      'Show first that the name is yours; its certificate comes after that.',
    )
  if (isLocalName(baseOf(name)))
    throw new PlatformError('conflict', 'No authority is asked for this name: Berth signs its certificate.')
  const setter = validate(recordSetterSchema, input)
  await countAttempt(platform, tries, place.teamId)
  await tryOut(platform, setter, name)
  await platform.db.$transaction(async (tx) => {
    await lockNames(tx)
    if ((await tx.domain.count({ where: { id, verifiedAt: { not: null } } })) === 0) throw notFound('domain')
    const before = await tx.certificate.findUnique({ where: { name } })
    if (before?.source === 'custom' && before.teamId === place.teamId)
      throw new PlatformError('conflict', 'The name has a certificate that was uploaded. Remove that first.')
    const isOwn = before?.source === 'acme' && before.teamId === place.teamId
    if (before !== null && !isOwn) await tx.certificate.delete({ where: { id: before.id } })
    const certificateId = isOwn ? before.id : newId('certificate')
    const data = { dnsProvider: sealSetter(platform, certificateId, setter), challenge: 'dns-01' }
    const atOnce = before?.status === 'active' ? {} : { dueAt: new Date(), failures: 0 }
    if (isOwn) await tx.certificate.update({ where: { id: certificateId }, data: { ...data, ...atOnce } })
    else
      await tx.certificate.create({
        data: {
          ...{ id: certificateId, name, teamId: place.teamId, source: 'acme', status: 'waiting' },
          ...{ ...data, dueAt: new Date() },
        },
      })
    await record(tx, viewer, {
      ...entry(place),
      action: 'domain.change',
      before: { [`domains.${name}`]: { recordsBy: showSetter(before?.dnsProvider) } },
      after: { [`domains.${name}`]: { recordsBy: recordsByOf(setter) } },
    })
  })
  await publishDomain(platform, place)
  return showDomain(platform, row, place.teamId)
}

/** People set them by hand again. Throws `conflict` where they do. */
export async function removeRecordsBy(platform: Platform, viewer: Viewer, id: string): Promise<void> {
  const { row, place } = await access(platform, viewer, id)
  const left = await platform.db.$transaction(async (tx) => {
    const where = {
      name: row.name,
      teamId: place.teamId,
      source: 'acme',
      dnsProvider: { not: Prisma.AnyNull },
    }
    const before = await tx.certificate.findFirst({ where })
    if (before === null) throw new PlatformError('conflict', 'The records of this name are set by hand.')
    const challenge = isWildcard(row.name) ? 'dns-01' : 'http-01'
    await tx.certificate.update({ where: { id: before.id }, data: { dnsProvider: Prisma.DbNull, challenge } })
    await record(tx, viewer, {
      ...entry(place),
      action: 'domain.change',
      before: { [`domains.${row.name}`]: { recordsBy: showSetter(before.dnsProvider) } },
      after: { [`domains.${row.name}`]: { recordsBy: null } },
    })
    return before
  })
  await clearLeftRecord(platform, left)
  await publishDomain(platform, place)
}

async function tryOut({ config }: Platform, setter: RecordSetter, name: string): Promise<void> {
  const trial = { name: challengeRecord(name), value: `berth-trial-${randomBytes(8).toString('hex')}` }
  try {
    for (const action of ['set', 'clear'] as const) await changeRecord(config, setter, action, trial)
  } catch (cause) {
    if (!(cause instanceof RecordNotSet)) throw cause
    const message = `does not do: ${cause.message}`
    throw new PlatformError('invalid', `${cause.field} ${message}.`, {
      fields: [{ path: cause.field, message }],
      cause,
    })
  }
}

async function access(platform: Platform, viewer: Viewer, id: string) {
  const row = await platform.db.domain.findUnique({ where: { id } })
  if (row === null) throw notFound('domain')
  return { row, place: await appAccess(platform, viewer, row.appId, 'domain.change') }
}

function entry({ teamId, appId, name }: AppPlace) {
  return { teamId, target: { type: 'app', id: appId, name } }
}
