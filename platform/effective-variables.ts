/** What a deployment runs with: an app's own variables over its environment's, and what they refer to filled in. */

import type { Transaction } from './database.ts'
import { addressesOf, publicNames } from './domains/addresses.ts'
import { PlatformError } from './errors.ts'
import { appSettingsSchema } from './model/app-settings.ts'
import type { DeploymentSnapshot } from './model/deployment-snapshot.ts'
import { BadReference, createResolver, type Referable, type ReferenceScope } from './model/references.ts'
import type { Platform } from './open.ts'
import { seal, unseal } from './secrets.ts'
import { sealingContext } from './variable-owner.ts'

export interface PlainVariable {
  name: string
  value: string
  isSecret: boolean
  /** Null: in the environment. */
  filePath: string | null
}

export interface ScopedVariable extends Referable {
  filePath: string | null
  /** Of an app: that Berth itself says it. */
  isBuiltIn: boolean
}

export type EnvironmentVariables = ReferenceScope<ScopedVariable>

/** All that is in an environment, with what Berth itself says of each app. */
export async function variablesOf(
  platform: Platform,
  tx: Transaction,
  environmentId: string,
): Promise<EnvironmentVariables> {
  const environment = await tx.environment.findUniqueOrThrow({
    where: { id: environmentId },
    select: {
      variables: true,
      project: { select: { teamId: true } },
      apps: {
        where: { desiredState: { not: 'deleted' } },
        select: {
          id: true,
          slug: true,
          settings: true,
          variables: true,
          domains: publicNames,
        },
      },
    },
  })
  const opened = (
    owner: { appId: string } | { environmentId: string },
    rows: (typeof environment)['variables'],
  ): [string, ScopedVariable][] =>
    rows.map(({ name, sealedValue, isSecret, filePath }) => [
      name,
      {
        value: unseal(platform.keyring, sealedValue, sealingContext(owner, name)),
        ...{ isSecret, filePath, isBuiltIn: false },
      },
    ])
  const { teamId } = environment.project
  const addressOf = await addressesOf(
    { config: platform.config, db: tx },
    environment.apps.flatMap(({ domains: [domain] }) => (domain ? [{ name: domain.name, teamId }] : [])),
  )
  const apps = environment.apps.map((app) => {
    const own = new Map(opened({ appId: app.id }, app.variables))
    const { port, isPublic } = appSettingsSchema.parse(app.settings)
    const [domain] = app.domains
    const known = {
      BERTH_PRIVATE_HOST: app.slug,
      BERTH_PRIVATE_PORT: port === null ? own.get('PORT')?.value : String(port),
      BERTH_PUBLIC_URL: domain === undefined || !isPublic ? undefined : addressOf(domain),
    }
    for (const [name, value] of Object.entries(known))
      if (value !== undefined) own.set(name, { value, isSecret: false, filePath: null, isBuiltIn: true })
    return [app.slug, own] as const
  })
  return { shared: new Map(opened({ environmentId }, environment.variables)), apps: new Map(apps) }
}

/** By name. Throws `invalid`, naming the variable, when one refers to what is not there or to itself. */
export async function effectiveVariables(
  platform: Platform,
  tx: Transaction,
  app: { slug: string; environmentId: string },
): Promise<PlainVariable[]> {
  return effectiveOf(await variablesOf(platform, tx, app.environmentId), app.slug)
}

/** The same of what was read before. */
export function effectiveOf(scope: EnvironmentVariables, slug: string): PlainVariable[] {
  const { variables, broken } = resolvableOf(scope, slug)
  const [first] = broken
  if (first === undefined) return variables
  const { name, message } = first
  throw new PlatformError('invalid', `The variable ${name} ${message}. Change it, then deploy again.`)
}

/** What can be filled in, by name, and what can't, with why: the end of a sentence that begins with the variable. */
export function resolvableOf(
  scope: EnvironmentVariables,
  slug: string,
): { variables: PlainVariable[]; broken: { name: string; message: string }[] } {
  const own = scope.apps.get(slug) ?? new Map<string, ScopedVariable>()
  const resolve = createResolver(scope)
  const owners = new Map<string, string | null>()
  for (const name of scope.shared.keys()) owners.set(name, null)
  for (const [name, { isBuiltIn }] of own) if (!isBuiltIn) owners.set(name, slug)
  const variables: PlainVariable[] = []
  const broken: { name: string; message: string }[] = []
  for (const [name, owner] of owners) {
    const filePath = (owner === null ? scope.shared : own).get(name)?.filePath ?? null
    try {
      variables.push({ name, ...resolve(owner, name), filePath })
    } catch (error) {
      if (!(error instanceof BadReference)) throw error
      broken.push({ name, message: error.message })
    }
  }
  return { variables: variables.sort((a, b) => (a.name < b.name ? -1 : 1)), broken }
}

type SnapshotVariables = DeploymentSnapshot['variables']

/** Sealed for this deployment alone. */
export function sealForDeployment(
  platform: Platform,
  deploymentId: string,
  variables: PlainVariable[],
): SnapshotVariables {
  return variables.map(({ value, ...variable }) => ({
    ...variable,
    sealedValue: seal(platform.keyring, value, deploymentContext(deploymentId, variable.name)),
  }))
}

export function openForDeployment(
  platform: Platform,
  deploymentId: string,
  variables: SnapshotVariables,
): PlainVariable[] {
  return variables.map(({ sealedValue, ...variable }) => ({
    ...variable,
    value: unseal(platform.keyring, sealedValue, deploymentContext(deploymentId, variable.name)),
  }))
}

const deploymentContext = (deploymentId: string, name: string) => `deployment:${deploymentId}:${name}`
