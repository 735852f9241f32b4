/** In which variables the next deployment of an app would differ from its live one, and where they were changed. */
import type { Transaction } from './database.ts'
import { openForDeployment, type PlainVariable, resolvableOf, variablesOf } from './effective-variables.ts'
import type { DeploymentSnapshot } from './model/deployment-snapshot.ts'
import type { PendingChange } from './model/pending-changes.ts'
import { versionVariablesSchema } from './model/variable-version.ts'
import type { Platform } from './open.ts'
import { unseal } from './secrets.ts'
import { sealingContext } from './variable-owner.ts'

export interface VariableChange extends Pick<PendingChange, 'change' | 'source' | 'isSecret' | 'problem'> {
  name: string
  before: string | null
  after: string | null
  /** What discarding it makes of the app's own variable; null: it has none then. Of changes in the app only. */
  putBack: PlainVariable | null
}

interface OfApp {
  id: string
  slug: string
  environmentId: string
}

/**
 * What counts is what containers are given, with references filled in: a shared variable or another app's address that
 * changed counts too. `live` is what the live deployment was made with.
 */
export async function variableChanges(
  platform: Platform,
  tx: Transaction,
  app: OfApp,
  live: { id: string; snapshot: DeploymentSnapshot },
): Promise<VariableChange[]> {
  const scope = await variablesOf(platform, tx, app.environmentId)
  const { variables, broken } = resolvableOf(scope, app.slug)
  const then = byName(openForDeployment(platform, live.id, live.snapshot.variables))
  const now = byName(variables)
  const problems = new Map(broken.map(({ name, message }) => [name, message]))
  const own = await ownVariables(platform, tx, app.id)
  const ownThen = await ownThenOf(platform, tx, app.id, live.snapshot.variablesVersion)
  const names = [...new Set([...then.keys(), ...now.keys(), ...problems.keys()])].sort()
  return names.flatMap((name): VariableChange[] => {
    const [was, is, problem] = [then.get(name), now.get(name), problems.get(name) ?? null]
    if (problem === null && isSame(was, is)) return []
    const isOwn = ownThen === null ? own.has(name) || !scope.shared.has(name) : differs(name)
    const source = isOwn ? 'app' : own.has(name) ? 'reference' : 'shared'
    const isThere = is !== undefined || problem !== null
    return [
      {
        name,
        source,
        change: was === undefined ? 'added' : isThere ? 'changed' : 'removed',
        isSecret: was?.isSecret === true || is?.isSecret === true || own.get(name)?.isSecret === true,
        before: was === undefined ? null : shown(was),
        after: is === undefined ? null : shown(is),
        problem,
        putBack: (ownThen === null ? was : ownThen.get(name)) ?? null,
      },
    ]
  })

  function differs(name: string): boolean {
    return !isSame(own.get(name), ownThen?.get(name))
  }
}

function byName(variables: PlainVariable[]): Map<string, PlainVariable> {
  return new Map(variables.map((variable) => [variable.name, variable]))
}

/** Whether it is shown is no matter of what runs. */
function isSame(a: PlainVariable | undefined, b: PlainVariable | undefined): boolean {
  return a?.value === b?.value && a?.filePath === b?.filePath && (a === undefined) === (b === undefined)
}

function shown({ value, filePath }: PlainVariable): string {
  return filePath === null ? value : `${value} → ${filePath}`
}

async function ownVariables(
  platform: Platform,
  tx: Transaction,
  appId: string,
): Promise<Map<string, PlainVariable>> {
  const rows = await tx.variable.findMany({ where: { appId } })
  return byName(opened(platform, appId, rows))
}

/** As they were written down when the deployment was made; null when that version is not kept any more. */
async function ownThenOf(
  platform: Platform,
  tx: Transaction,
  appId: string,
  number: number,
): Promise<Map<string, PlainVariable> | null> {
  if (number === 0) return new Map()
  const version = await tx.variableVersion.findFirst({ where: { appId, number } })
  if (version === null) return null
  return byName(opened(platform, appId, versionVariablesSchema.parse(version.variables)))
}

function opened(
  platform: Platform,
  appId: string,
  rows: { name: string; sealedValue: string; isSecret: boolean; filePath: string | null }[],
): PlainVariable[] {
  return rows.map(({ name, sealedValue, isSecret, filePath }) => ({
    ...{ name, isSecret, filePath },
    value: unseal(platform.keyring, sealedValue, sealingContext({ appId }, name)),
  }))
}
