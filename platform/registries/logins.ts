import { notFound, requireTeam, type TeamAction, type Viewer } from '../access.ts'
import { actorOf, record } from '../audit.ts'
import { type Facts, Masked } from '../audit-changes.ts'
import type { Transaction } from '../database.ts'
import { PlatformError } from '../errors.ts'
import type { RegistryLogin as Row } from '../generated/prisma/client.ts'
import type { AuditAction } from '../model/audit-actions.ts'
import { newId } from '../model/ids.ts'
import { readImageName } from '../model/image-name.ts'
import {
  type CreateRegistryLoginInput,
  createRegistryLoginSchema,
  loginFor,
  type RegistryLogin,
  type UpdateRegistryLoginInput,
  updateRegistryLoginSchema,
} from '../model/registry-logins.ts'
import type { Platform } from '../open.ts'
import { lockTeam } from '../quotas.ts'
import { countAttempt } from '../rate-limit.ts'
import { seal, unseal } from '../secrets.ts'
import { validate } from '../validate.ts'
import { visibleIn } from '../visible.ts'
import { askRegistry, type Login } from './ask.ts'
import { asInvalid, RegistryProblem } from './problem.ts'
import { passwordContext } from './pull-login.ts'

export const maxLogins = 50
/** A login is tried with what somebody typed in: this is no way to guess passwords elsewhere. */
const trying = { name: 'registry-login', limit: 30, windowSeconds: 600 }

/** All that the team has, by host. Their passwords are told to nobody. */
export async function listRegistryLogins(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
): Promise<RegistryLogin[]> {
  await requireTeam(platform, viewer, teamId, 'registry.read')
  const rows = await platform.db.registryLogin.findMany({
    where: { teamId },
    orderBy: [{ host: 'asc' }, { prefix: 'asc' }],
  })
  return show(platform, viewer, teamId, rows)
}

/**
 * Signs in with it first. Throws `invalid` with the field when the registry refuses it, can't be reached or is Berth's
 * own, `conflict` where the team has one for the same names or too many.
 */
export async function createRegistryLogin(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  input: CreateRegistryLoginInput,
): Promise<RegistryLogin> {
  await requireTeam(platform, viewer, teamId, 'registry.manage')
  const { host, prefix, username, password, note } = validate(createRegistryLoginSchema, input)
  if (host === platform.config.registryHost.toLowerCase())
    throw invalid('host', "is Berth's own registry, which needs no login here")
  await signIn(platform, teamId, host, { username, password })
  const id = newId('registry-login')
  const row = await platform.db.$transaction(async (tx) => {
    await lockTeam(tx, teamId)
    if ((await tx.registryLogin.count({ where: { teamId } })) >= maxLogins)
      throw new PlatformError('conflict', `A team has at most ${maxLogins} logins. Remove one first.`)
    if ((await tx.registryLogin.count({ where: { teamId, host, prefix } })) > 0)
      throw new PlatformError('conflict', `The team has a login for ${nameOf({ host, prefix })} already.`)
    const made = await tx.registryLogin.create({
      data: {
        ...{ id, teamId, host, prefix, username, note, checkedAt: new Date() },
        sealedPassword: seal(platform.keyring, password, passwordContext(id)),
        createdBy: (await actorOf(tx, viewer)).actorName,
      },
    })
    await lookAgain(tx, teamId)
    await record(tx, viewer, { ...entryOf(made, 'registry.add-login'), after: factsOf(made) })
    return made
  })
  return showOne(platform, viewer, row)
}

/** Signs in with what it would be. Throws as createRegistryLogin() does. */
export async function updateRegistryLogin(
  platform: Platform,
  viewer: Viewer,
  id: string,
  input: UpdateRegistryLoginInput,
): Promise<RegistryLogin> {
  const old = await loginAccess(platform, viewer, id, 'registry.manage')
  const { username, password, note } = validate(updateRegistryLoginSchema, input)
  const isNew = username !== undefined || password !== undefined
  if (isNew)
    await signIn(platform, old.teamId, old.host, {
      username: username ?? old.username,
      password: password ?? passwordOf(platform, old),
    })
  const row = await platform.db.$transaction(async (tx) => {
    const before = await lock(tx, id)
    const after = await tx.registryLogin.update({
      where: { id },
      data: {
        ...{ username, note },
        ...(password === undefined
          ? {}
          : { sealedPassword: seal(platform.keyring, password, passwordContext(id)) }),
        ...(isNew
          ? { problem: null, checkedAt: new Date(), createdBy: (await actorOf(tx, viewer)).actorName }
          : {}),
      },
    })
    if (isNew) await lookAgain(tx, after.teamId)
    await record(tx, viewer, {
      ...entryOf(after, 'registry.change-login'),
      before: factsOf(before),
      after: factsOf(after),
    })
    return after
  })
  return showOne(platform, viewer, row)
}

/** Signs in with it as it is kept, and writes down how that went. */
export async function testRegistryLogin(
  platform: Platform,
  viewer: Viewer,
  id: string,
): Promise<RegistryLogin> {
  const kept = await loginAccess(platform, viewer, id, 'registry.manage')
  const login = { username: kept.username, password: passwordOf(platform, kept) }
  const problem = await problemOf(platform, kept.teamId, kept.host, login)
  const row = await platform.db.$transaction(async (tx) => {
    await lock(tx, id)
    const after = await tx.registryLogin.update({
      where: { id },
      data: { problem: problem?.message ?? null, checkedAt: new Date() },
    })
    const detail = { worked: problem === null }
    await record(tx, viewer, { ...entryOf(after, 'registry.test-login'), detail })
    return after
  })
  return showOne(platform, viewer, row)
}

/** What runs goes on; what is pulled from now on is pulled without it. */
export async function deleteRegistryLogin(platform: Platform, viewer: Viewer, id: string): Promise<void> {
  await loginAccess(platform, viewer, id, 'registry.manage')
  await platform.db.$transaction(async (tx) => {
    const before = await lock(tx, id)
    await tx.registryLogin.delete({ where: { id } })
    await record(tx, viewer, { ...entryOf(before, 'registry.remove-login'), before: factsOf(before) })
  })
}

async function signIn(platform: Platform, teamId: string, host: string, login: Login): Promise<void> {
  const problem = await problemOf(platform, teamId, host, login)
  if (problem === null) return
  if (problem.kind === 'denied')
    throw invalid('password', `is refused by ${host}: the user name or the password is wrong`)
  throw asInvalid(problem, 'host')
}

async function problemOf(
  platform: Platform,
  teamId: string,
  host: string,
  login: Login,
): Promise<RegistryProblem | null> {
  await countAttempt(platform, trying, teamId)
  try {
    await askRegistry(platform, { host, path: '', repository: null, login })
    return null
  } catch (error) {
    if (error instanceof RegistryProblem) return error
    throw error
  }
}

/** What the team's apps follow elsewhere and could not be looked at is looked at now: it may go well with the new login. */
async function lookAgain(tx: Transaction, teamId: string): Promise<void> {
  await tx.app.updateMany({
    where: { project: { teamId }, followLookAt: { not: null }, followFailures: { gt: 0 } },
    data: { followLookAt: new Date(), followFailures: 0 },
  })
}

function passwordOf(platform: Platform, { id, sealedPassword }: Row): string {
  return unseal(platform.keyring, sealedPassword, passwordContext(id))
}

async function loginAccess(platform: Platform, viewer: Viewer, id: string, action: TeamAction): Promise<Row> {
  const row = await platform.db.registryLogin.findUnique({ where: { id } })
  if (row === null) throw notFound('login')
  await requireTeam(platform, viewer, row.teamId, action, 'login')
  return row
}

async function lock(tx: Transaction, id: string): Promise<Row> {
  await tx.$executeRaw`SELECT 1 FROM registry_logins WHERE id = ${id} FOR UPDATE`
  const row = await tx.registryLogin.findUnique({ where: { id } })
  if (row === null) throw notFound('login')
  return row
}

function nameOf({ host, prefix }: Pick<Row, 'host' | 'prefix'>): string {
  return prefix === '' ? host : `${host}/${prefix}`
}

function entryOf(row: Row, action: AuditAction) {
  return { teamId: row.teamId, action, target: { type: 'registry-login', id: row.id, name: nameOf(row) } }
}

function factsOf({ host, prefix, username, note, sealedPassword }: Row): Facts {
  return { host, prefix, username, note, password: new Masked(sealedPassword) }
}

function invalid(path: string, message: string): PlatformError {
  return new PlatformError('invalid', `${path}: ${message}.`, { fields: [{ path, message }] })
}

async function showOne(platform: Platform, viewer: Viewer, row: Row): Promise<RegistryLogin> {
  const [shown] = await show(platform, viewer, row.teamId, [row])
  if (shown === undefined) throw notFound('login')
  return shown
}

async function show(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  rows: Row[],
): Promise<RegistryLogin[]> {
  if (rows.length === 0) return []
  const [all, visible] = await Promise.all([
    platform.db.registryLogin.findMany({
      where: { teamId },
      select: { id: true, host: true, prefix: true },
    }),
    visibleIn(platform, viewer, teamId),
  ])
  const apps = await platform.db.app.findMany({
    where: { project: { teamId, deletedAt: null }, desiredState: { not: 'deleted' }, ...visible.apps },
    orderBy: [{ name: 'asc' }, { id: 'asc' }],
    select: { id: true, name: true, settings: true },
  })
  const users = apps.map(({ id, name, settings }) => ({
    app: { appId: id, name },
    login: loginFor(all, readImageName((settings as { image: string }).image))?.id,
  }))
  return rows.map((row) => ({
    ...{ id: row.id, teamId, host: row.host, prefix: row.prefix, username: row.username, note: row.note },
    ...{ createdBy: row.createdBy, createdAt: row.createdAt.toISOString() },
    ...{ checkedAt: row.checkedAt?.toISOString() ?? null, problem: row.problem },
    usedBy: users.filter(({ login }) => login === row.id).map(({ app }) => app),
  }))
}
