import { notFound, type ProjectAction, type Viewer } from '../access.ts'
import { type AppPlace, appAccess } from '../app-access.ts'
import { lockApp } from '../app-lock.ts'
import { record } from '../audit.ts'
import { PlatformError } from '../errors.ts'
import { enqueue } from '../jobs.ts'
import {
  type AddDomainInput,
  addDomainSchema,
  type Domain,
  maxDomains,
  recordValue,
} from '../model/domains.ts'
import { newId } from '../model/ids.ts'
import type { Platform } from '../open.ts'
import { announce, tellOfApp } from '../timeline.ts'
import { validate } from '../validate.ts'
import { isShown, lockNames, requireFree, routeOf } from './claims.ts'
import { publishDomain } from './live.ts'
import { badName, badTarget, isLocal, parseName, parseTarget } from './names.ts'
import { factsOf, showDomain, showDomains } from './show.ts'
import { checkDomain } from './verify.ts'

/** All of an app's, the one that Berth made first. */
export async function listDomains(platform: Platform, viewer: Viewer, appId: string): Promise<Domain[]> {
  const { teamId } = await appAccess(platform, viewer, appId, 'domain.read')
  const rows = await platform.db.domain.findMany({
    where: { appId },
    orderBy: [{ generated: 'desc' }, { id: 'asc' }],
  })
  return showDomains(platform, rows, teamId)
}

/**
 * Adds a name. It leads to the app at once where the team has shown that it may use it, or where nobody could; else
 * when that is shown (checkDomain). Throws `invalid` and `conflict` at the fields.
 */
export async function addDomain(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  input: AddDomainInput,
): Promise<Domain> {
  const place = await appAccess(platform, viewer, appId, 'domain.add')
  const { redirectTo: target, ...given } = validate(addDomainSchema, input)
  const name = parseName(platform.config, given.name)
  const redirectTo = target ? parseTarget(platform.config, target) : null
  if (redirectTo !== null && new URL(redirectTo).hostname === name)
    throw badTarget('must be another name: this one would send visitors to itself')
  const { pathPrefix, stripPrefix } = given
  const claim = { appId, teamId: place.teamId, name, pathPrefix }
  const { row, told } = await platform.db.$transaction(async (tx) => {
    await lockApp(tx, appId)
    await lockNames(tx)
    if ((await tx.domain.count({ where: { appId } })) >= maxDomains)
      throw new PlatformError('invalid', `An app has at most ${maxDomains} names.`)
    if ((await tx.domain.count({ where: { appId, name, pathPrefix } })) > 0)
      throw badName('is there already, with this path', 'conflict')
    await requireFree(tx, claim)
    const verifiedBy = (await isShown(tx, claim)) ? 'team' : isLocal(platform.config, name) ? 'local' : null
    const now = new Date()
    const row = await tx.domain.create({
      data: {
        ...{ id: newId('domain'), appId, name, pathPrefix, stripPrefix, redirectTo },
        ...(verifiedBy === null
          ? { nextCheckAt: now }
          : { verifiedAt: now, verifiedBy, route: routeOf(name, pathPrefix) }),
      },
    })
    const after = factsOf(row)
    await record(tx, viewer, { ...entry(place), action: 'domain.add', after })
    const changes = [{ field: `domains.${name}`, before: null, after: after[`domains.${name}`] ?? null }]
    const event = { kind: 'configuration.changed', changes } as const
    return {
      row,
      told: await tellOfApp(tx, { appId, by: viewer, event }),
    }
  })
  await announce(platform, told)
  await tellAll(platform, place)
  return showDomain(platform, row, place.teamId)
}

/** Looks at the name now and answers with what was found. One that is verified stays as it is. */
export async function checkDomainNow(platform: Platform, viewer: Viewer, id: string): Promise<Domain> {
  const { place, row } = await domainAccess(platform, viewer, id, 'domain.check')
  await platform.db.$transaction((tx) =>
    record(tx, viewer, { ...entry(place), action: 'domain.check', detail: { name: row.name } }),
  )
  await checkDomain(platform, id)
  const now = await platform.db.domain.findUnique({ where: { id } })
  if (now === null) throw notFound('domain')
  return showDomain(platform, now, place.teamId)
}

/** The name leads nowhere any more. Throws `conflict` for the one that Berth made. */
export async function removeDomain(platform: Platform, viewer: Viewer, id: string): Promise<void> {
  const { place, row } = await domainAccess(platform, viewer, id, 'domain.remove')
  if (row.generated)
    throw new PlatformError(
      'conflict',
      "The name that Berth gave the app can't be removed; it goes with the app.",
    )
  const told = await platform.db.$transaction(async (tx) => {
    const { count } = await tx.domain.deleteMany({ where: { id } })
    if (count === 0) throw notFound('domain')
    const before = factsOf(row)
    await record(tx, viewer, { ...entry(place), action: 'domain.remove', before })
    const field = `domains.${row.name}`
    const changes = [{ field, before: before[field] ?? null, after: null }]
    const event = { kind: 'configuration.changed', changes } as const
    return tellOfApp(tx, { appId: row.appId, by: viewer, event })
  })
  await announce(platform, told)
  await tellAll(platform, place)
}

/** What Berth answers below challengePath, whoever asks; null: no such domain waits. */
export async function challengeAnswer(platform: Platform, id: string): Promise<string | null> {
  const row = await platform.db.domain.findUnique({
    where: { id, verifiedAt: null },
    select: { app: { select: { project: { select: { team: { select: { domainToken: true } } } } } } },
  })
  const token = row?.app.project.team.domainToken ?? null
  return token === null ? null : recordValue(token)
}

async function domainAccess(platform: Platform, viewer: Viewer, id: string, action: ProjectAction) {
  const row = await platform.db.domain.findUnique({ where: { id } })
  if (row === null) throw notFound('domain')
  return { row, place: await appAccess(platform, viewer, row.appId, action) }
}

async function tellAll(platform: Platform, place: AppPlace): Promise<void> {
  await publishDomain(platform, place)
  await enqueue(platform, place.hostId, 'sync-edge', { hostId: place.hostId })
}

function entry({ teamId, appId, name }: AppPlace) {
  return { teamId, target: { type: 'app', id: appId, name } }
}
