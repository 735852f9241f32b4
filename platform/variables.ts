import type { Viewer } from './access.ts'
import { actorOf, record } from './audit.ts'
import { type Change, changesBetween, type Facts, Masked } from './audit-changes.ts'
import type { Transaction } from './database.ts'
import { type PlainVariable, variablesOf } from './effective-variables.ts'
import { type FieldProblem, PlatformError } from './errors.ts'
import { parseEnvFile, writeEnvFile } from './model/env-file.ts'
import { newId } from './model/ids.ts'
import {
  type ImportVariablesInput,
  importVariablesSchema,
  type SetVariablesInput,
  setVariablesSchema,
} from './model/inputs.ts'
import type { Variable } from './model/resources.ts'
import type { Platform } from './open.ts'
import { seal, unseal } from './secrets.ts'
import { announce, type Told, tellOfApp } from './timeline.ts'
import { validate } from './validate.ts'
import { requireGoodPaths, requireGoodReferences, requireReach } from './variable-checks.ts'
import {
  lockOwner,
  sealingContext,
  setVersion,
  type VariableOwner,
  type VariablePlace,
  variableAccess,
} from './variable-owner.ts'

export const maxVariables = 500
const keptVersions = 100

/** An app's own, or what an environment's apps share; by name. Secrets are listed without their values. */
export async function listVariables(
  platform: Platform,
  viewer: Viewer,
  owner: VariableOwner,
): Promise<Variable[]> {
  await variableAccess(platform, viewer, owner, 'variable.read')
  const rows = await platform.db.variable.findMany({ where: owner, orderBy: { name: 'asc' } })
  return rows.map((row) => ({
    name: row.name,
    value: row.isSecret ? null : unseal(platform.keyring, row.sealedValue, sealingContext(owner, row.name)),
    isSecret: row.isSecret,
    filePath: row.filePath,
    updatedAt: row.updatedAt.toISOString(),
  }))
}

/** The text of a `.env` file. Secrets are in it as comments, without their values. */
export async function exportVariables(
  platform: Platform,
  viewer: Viewer,
  owner: VariableOwner,
): Promise<string> {
  return writeEnvFile(await listVariables(platform, viewer, owner))
}

/**
 * Adds, replaces and removes in one step. The next deployments run with the outcome. Throws `invalid`, naming the
 * field, for a value that refers to nothing or to itself, and `conflict` when others refer to what would be removed.
 */
export async function setVariables(
  platform: Platform,
  viewer: Viewer,
  owner: VariableOwner,
  input: SetVariablesInput,
): Promise<Variable[]> {
  const place = await variableAccess(platform, viewer, owner, 'variable.write')
  const { set, remove } = validate(setVariablesSchema, input)
  requireNoTwins(set)
  await requireReach(platform, viewer, place, set)
  await changeVariables(platform, viewer, place, async (tx) => {
    const there = new Map((await plainVariables(platform, tx, owner)).map(({ name, value }) => [name, value]))
    const whole = set.map(({ name, value = there.get(name), ...rest }, at) => {
      if (value === undefined) throw invalidField(`set.${at}.value`, 'is needed')
      return { name, value, ...rest }
    })
    await tx.variable.deleteMany({ where: { ...owner, name: { in: remove } } })
    await sealVariables(platform, tx, owner, whole)
    const names = new Set(set.map(({ name }) => name))
    return { set: whole, removed: remove.filter((name) => !names.has(name)) }
  })
  return listVariables(platform, viewer, owner)
}

/** Sets what a `.env` file says. Throws `invalid`, naming the lines, when some of it can't be read: nothing is set then. */
export async function importVariables(
  platform: Platform,
  viewer: Viewer,
  owner: VariableOwner,
  input: ImportVariablesInput,
): Promise<Variable[]> {
  await variableAccess(platform, viewer, owner, 'variable.write')
  const { text, areSecret } = validate(importVariablesSchema, input)
  const { variables, badLines } = parseEnvFile(text)
  if (badLines.length > 0)
    throw invalidField('text', `has lines that are no variables: ${badLines.slice(0, 10).join(', ')}`)
  const there = await platform.db.variable.findMany({
    where: owner,
    select: { name: true, isSecret: true, filePath: true },
  })
  const kept = new Map(there.map(({ name, ...rest }) => [name, rest]))
  const set = variables.map((variable) => ({
    ...variable,
    ...(kept.get(variable.name) ?? { isSecret: areSecret, filePath: null }),
  }))
  return setVariables(platform, viewer, owner, { set })
}

interface Asked {
  set: PlainVariable[]
  removed: string[]
}

/** One change of an owner's variables: checked as a whole, counted, kept as a version, and told of. */
export async function changeVariables(
  platform: Platform,
  viewer: Viewer,
  place: VariablePlace,
  change: (tx: Transaction) => Promise<Asked>,
): Promise<void> {
  const { owner, teamId, target } = place
  const told = await platform.db.$transaction(async (tx) => {
    const number = (await lockOwner(tx, owner)) + 1
    const before = { variables: maskedVariables(await plainVariables(platform, tx, owner)) }
    const asked = await change(tx)
    if ((await tx.variable.count({ where: owner })) > maxVariables)
      throw new PlatformError('invalid', `There are at most ${maxVariables} variables in one place.`)
    const all = await variablesOf(platform, tx, place.environmentId)
    const slug = 'appId' in owner ? await slugOf(tx, owner.appId) : null
    requireGoodReferences(all, slug, asked)
    await requireGoodPaths(tx, all, place, slug, asked.set)
    const after = { variables: maskedVariables(await plainVariables(platform, tx, owner)) }
    const changes = changesBetween(before, after)
    if (changes.length === 0) return []
    await setVersion(tx, owner, number)
    await keepVersion(tx, viewer, owner, number)
    await record(tx, viewer, { teamId, action: 'variable.write', target, before, after })
    return tellApps(tx, viewer, place, changes)
  })
  await announce(platform, told)
}

async function slugOf(tx: Transaction, id: string): Promise<string> {
  return (await tx.app.findUniqueOrThrow({ where: { id }, select: { slug: true } })).slug
}

async function plainVariables(
  platform: Platform,
  tx: Transaction,
  owner: VariableOwner,
): Promise<PlainVariable[]> {
  const rows = await tx.variable.findMany({ where: owner })
  return rows.map(({ name, sealedValue, isSecret, filePath }) => ({
    name,
    value: unseal(platform.keyring, sealedValue, sealingContext(owner, name)),
    isSecret,
    filePath,
  }))
}

/** What is shared is told to every app that runs with it. */
async function tellApps(
  tx: Transaction,
  viewer: Viewer,
  { owner }: VariablePlace,
  changes: Change[],
): Promise<Told[]> {
  const apps =
    'appId' in owner
      ? [{ id: owner.appId }]
      : await tx.app.findMany({
          where: { environmentId: owner.environmentId, desiredState: { not: 'deleted' } },
          select: { id: true },
        })
  const shown =
    'appId' in owner ? changes : changes.map(({ field, ...rest }) => ({ field: `shared.${field}`, ...rest }))
  const event = { kind: 'configuration.variables-changed', changes: shown } as const
  const told: Told[] = []
  for (const { id } of apps) told.push(...(await tellOfApp(tx, { appId: id, by: viewer, event })))
  return told
}

async function keepVersion(
  tx: Transaction,
  viewer: Viewer,
  owner: VariableOwner,
  number: number,
): Promise<void> {
  const variables = await tx.variable.findMany({
    where: owner,
    orderBy: { name: 'asc' },
    select: { name: true, sealedValue: true, isSecret: true, filePath: true },
  })
  const { actor, actorName } = await actorOf(tx, viewer)
  await tx.variableVersion.create({
    data: { id: newId('variableVersion'), ...owner, number, actor, actorName, variables },
  })
  await tx.variableVersion.deleteMany({ where: { ...owner, number: { lte: number - keptVersions } } })
}

/** For the audit log: which there are and whether they differ. Many that nobody marked as secret are. */
export function maskedVariables(variables: PlainVariable[]): Facts {
  return Object.fromEntries(
    variables.map(({ name, value, isSecret, filePath }) => [
      name,
      { value: new Masked(value), isSecret, filePath },
    ]),
  )
}

/** Writes variables, in a transaction of the caller's. */
export async function sealVariables(
  platform: Platform,
  tx: Transaction,
  owner: VariableOwner,
  variables: PlainVariable[],
): Promise<void> {
  for (const { name, value, isSecret, filePath } of variables) {
    const sealedValue = seal(platform.keyring, value, sealingContext(owner, name))
    const where =
      'appId' in owner
        ? { appId_name: { appId: owner.appId, name } }
        : { environmentId_name: { environmentId: owner.environmentId, name } }
    await tx.variable.upsert({
      where,
      create: { id: newId('variable'), ...owner, name, sealedValue, isSecret, filePath },
      update: { sealedValue, isSecret, filePath },
    })
  }
}

/** The first ones of an app that is made in the same transaction. */
export async function addFirstVariables(
  platform: Platform,
  tx: Transaction,
  viewer: Viewer,
  place: VariablePlace,
  slug: string,
  set: PlainVariable[],
): Promise<void> {
  if (set.length === 0) return
  const { owner } = place
  await sealVariables(platform, tx, owner, set)
  const all = await variablesOf(platform, tx, place.environmentId)
  requireGoodReferences(all, slug, { set, removed: [] }, 'variables')
  await requireGoodPaths(tx, all, place, slug, set, 'variables')
  await keepVersion(tx, viewer, owner, 1)
}

/** Two values for one name in one change: only one of them would count, and nobody would know which. */
export function requireNoTwins(set: { name: string }[], list = 'set'): void {
  const seen = new Set<string>()
  const fields = set.flatMap(({ name }, at): FieldProblem[] => {
    const isTwin = seen.has(name)
    seen.add(name)
    return isTwin ? [{ path: `${list}.${at}.name`, message: 'is there twice' }] : []
  })
  const [first] = fields
  if (first !== undefined) throw new PlatformError('invalid', `${first.path} ${first.message}`, { fields })
}

function invalidField(path: string, message: string): PlatformError {
  return new PlatformError('invalid', `${path} ${message}`, { fields: [{ path, message }] })
}
