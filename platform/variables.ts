import type { Viewer } from './access.ts'
import { appAccess } from './app-access.ts'
import { lockApp } from './app-lock.ts'
import { record } from './audit.ts'
import { changesBetween, type Facts, Masked } from './audit-changes.ts'
import type { Transaction } from './database.ts'
import { PlatformError } from './errors.ts'
import type { DeploymentSnapshot } from './model/deployment-snapshot.ts'
import { newId } from './model/ids.ts'
import { type SetVariablesInput, setVariablesSchema } from './model/inputs.ts'
import type { Variable } from './model/resources.ts'
import type { Platform } from './open.ts'
import { seal, unseal } from './secrets.ts'
import { announce, tellOfApp } from './timeline.ts'
import { validate } from './validate.ts'

export const maxVariables = 500

interface PlainVariable {
  name: string
  value: string
  isSecret: boolean
}

/** The app's own, by name. Secrets are listed without their values. */
export async function listVariables(platform: Platform, viewer: Viewer, appId: string): Promise<Variable[]> {
  await appAccess(platform, viewer, appId, 'variable.read')
  const rows = await platform.db.variable.findMany({ where: { appId }, orderBy: { name: 'asc' } })
  return rows.map((row) => ({
    name: row.name,
    value: row.isSecret ? null : unseal(platform.keyring, row.sealedValue, appContext(appId, row.name)),
    isSecret: row.isSecret,
    updatedAt: row.updatedAt.toISOString(),
  }))
}

/** Adds, replaces and removes in one step. The next deployment runs with the outcome. */
export async function setVariables(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  input: SetVariablesInput,
): Promise<Variable[]> {
  const place = await appAccess(platform, viewer, appId, 'variable.write')
  const { set, remove } = validate(setVariablesSchema, input)
  const told = await platform.db.$transaction(async (tx) => {
    await lockApp(tx, appId)
    const before = { variables: maskedVariables(await ownVariables(platform, tx, appId)) }
    await tx.variable.deleteMany({ where: { appId, name: { in: remove } } })
    await sealVariables(platform, tx, appId, set)
    if ((await tx.variable.count({ where: { appId } })) > maxVariables) {
      throw new PlatformError('invalid', `An app has at most ${maxVariables} variables.`)
    }
    await tx.app.update({ where: { id: appId }, data: { variablesVersion: { increment: 1 } } })
    const after = { variables: maskedVariables(await ownVariables(platform, tx, appId)) }
    await record(tx, viewer, {
      teamId: place.teamId,
      action: 'variable.write',
      target: { type: 'app', id: appId, name: place.name },
      before,
      after,
    })
    const changes = changesBetween(before, after)
    if (changes.length === 0) return []
    const event = { kind: 'configuration.variables-changed', changes } as const
    return tellOfApp(tx, { appId, by: viewer, event })
  })
  await announce(platform, told)
  return listVariables(platform, viewer, appId)
}

async function ownVariables(platform: Platform, tx: Transaction, appId: string): Promise<PlainVariable[]> {
  const rows = await tx.variable.findMany({ where: { appId } })
  return rows.map(({ name, sealedValue, isSecret }) => ({
    name,
    value: unseal(platform.keyring, sealedValue, appContext(appId, name)),
    isSecret,
  }))
}

/** For the audit log: which there are and whether they differ. Many that nobody marked as secret are. */
export function maskedVariables(variables: PlainVariable[]): Facts {
  return Object.fromEntries(
    variables.map(({ name, value, isSecret }) => [name, { value: new Masked(value), isSecret }]),
  )
}

/** Writes an app's variables, in a transaction of the caller's. */
export async function sealVariables(
  platform: Platform,
  tx: Transaction,
  appId: string,
  variables: PlainVariable[],
): Promise<void> {
  for (const { name, value, isSecret } of variables) {
    const sealedValue = seal(platform.keyring, value, appContext(appId, name))
    await tx.variable.upsert({
      where: { appId_name: { appId, name } },
      create: { id: newId('variable'), appId, name, sealedValue, isSecret },
      update: { sealedValue, isSecret },
    })
  }
}

/** What a deployment made now would run with: the environment's, covered by the app's own. */
export async function effectiveVariables(
  platform: Platform,
  tx: Transaction,
  app: { id: string; environmentId: string },
): Promise<PlainVariable[]> {
  const rows = await tx.variable.findMany({
    where: { OR: [{ environmentId: app.environmentId }, { appId: app.id }] },
  })
  const variables = new Map<string, PlainVariable>()
  for (const own of [false, true]) {
    for (const row of rows) {
      if ((row.appId !== null) !== own) continue
      const context = own ? appContext(app.id, row.name) : environmentContext(app.environmentId, row.name)
      const value = unseal(platform.keyring, row.sealedValue, context)
      variables.set(row.name, { name: row.name, value, isSecret: row.isSecret })
    }
  }
  return [...variables.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

type SnapshotVariables = DeploymentSnapshot['variables']

/** Sealed for this deployment alone. */
export function sealForDeployment(
  platform: Platform,
  deploymentId: string,
  variables: PlainVariable[],
): SnapshotVariables {
  return variables.map(({ name, value, isSecret }) => ({
    name,
    sealedValue: seal(platform.keyring, value, deploymentContext(deploymentId, name)),
    isSecret,
  }))
}

export function openForDeployment(
  platform: Platform,
  deploymentId: string,
  variables: SnapshotVariables,
): PlainVariable[] {
  return variables.map(({ name, sealedValue, isSecret }) => ({
    name,
    value: unseal(platform.keyring, sealedValue, deploymentContext(deploymentId, name)),
    isSecret,
  }))
}

const appContext = (appId: string, name: string) => `app:${appId}:${name}`
const environmentContext = (environmentId: string, name: string) => `environment:${environmentId}:${name}`
const deploymentContext = (deploymentId: string, name: string) => `deployment:${deploymentId}:${name}`
