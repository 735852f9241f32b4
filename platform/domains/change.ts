import { notFound, type Viewer } from '../access.ts'
import { appAccess } from '../app-access.ts'
import { lockApp } from '../app-lock.ts'
import { record } from '../audit.ts'
import { isLocalName } from '../certificates/local-names.ts'
import { PlatformError } from '../errors.ts'
import type { Domain as DomainRow } from '../generated/prisma/client.ts'
import { enqueue } from '../jobs.ts'
import { baseOf, type ChangeDomainInput, changeDomainSchema, type Domain } from '../model/domains.ts'
import type { Platform } from '../open.ts'
import { announce, tellOfApp } from '../timeline.ts'
import { validate } from '../validate.ts'
import { publishDomain } from './live.ts'
import { badTarget, parseTarget } from './names.ts'
import { factsOf, showDomain } from './show.ts'

/** Changes what is given and leaves the rest. Throws `invalid` at the fields. */
export async function changeDomain(
  platform: Platform,
  viewer: Viewer,
  id: string,
  input: ChangeDomainInput,
): Promise<Domain> {
  const found = await platform.db.domain.findUnique({ where: { id }, select: { appId: true } })
  if (found === null) throw notFound('domain')
  const { appId } = found
  const place = await appAccess(platform, viewer, appId, 'domain.change')
  const given = validate(changeDomainSchema, input)
  const { row, told } = await platform.db.$transaction(async (tx) => {
    await lockApp(tx, appId)
    const before = await tx.domain.findUnique({ where: { id } })
    if (before === null) throw notFound('domain')
    const target = given.redirectTo
    const redirectTo = target ? parseTarget(platform.config, target) : target
    const wanted = { ...before, ...withoutUndefined({ ...given, redirectTo }) }
    mustFit(wanted)
    const row = await tx.domain.update({
      where: { id },
      data: withoutUndefined({ ...given, redirectTo }),
    })
    const field = `domains.${row.name}`
    const facts = { before: factsOf(before), after: factsOf(row) }
    if (JSON.stringify(facts.before) === JSON.stringify(facts.after)) return { row, told: null }
    const entry = { teamId: place.teamId, target: { type: 'app', id: appId, name: place.name } }
    await record(tx, viewer, { ...entry, action: 'domain.change', ...facts })
    const changes = [{ field, before: facts.before[field] ?? null, after: facts.after[field] ?? null }]
    const event = { kind: 'configuration.changed', changes } as const
    return { row, told: await tellOfApp(tx, { appId, by: viewer, event }) }
  })
  if (told !== null) {
    await announce(platform, told)
    await publishDomain(platform, place)
    await enqueue(platform, place.hostId, 'sync-edge', { hostId: place.hostId })
  }
  return showDomain(platform, row, place.teamId)
}

function mustFit({ name, pathPrefix, stripPrefix, redirectTo, generated, ...https }: DomainRow): void {
  if (generated && redirectTo !== null)
    throw badTarget('must stay empty for the name that Berth made: it always leads to the app')
  if (redirectTo !== null && new URL(redirectTo).hostname === name)
    throw badTarget('must be another name: this one would send visitors to itself')
  if (stripPrefix && pathPrefix === '/') throw bad('stripPrefix', 'needs a path prefix other than /')
  if (stripPrefix && redirectTo !== null) throw bad('stripPrefix', 'means nothing where visitors are sent on')
  const isSent = https.httpsRedirect ?? !isLocalName(baseOf(name))
  // Browsers that were told so could reach it no more: by HTTP they would not, and there is no certificate they trust.
  if ((https.hstsSeconds ?? 0) > 0 && !isSent)
    throw bad('hstsSeconds', 'needs visitors to be sent to HTTPS: switch that on first')
}

function bad(path: string, message: string): PlatformError {
  return new PlatformError('invalid', `${path} ${message}.`, { fields: [{ path, message }] })
}

function withoutUndefined<Value extends object>(
  value: Value,
): { [K in keyof Value]?: Exclude<Value[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as never
}
