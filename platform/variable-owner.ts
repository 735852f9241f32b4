/** Whose variables they are: an app's own, or those that the apps of an environment share. */
import { notFound, type ProjectAction, requireProject, type Viewer } from './access.ts'
import { appAccess } from './app-access.ts'
import { lockApp } from './app-lock.ts'
import type { Transaction } from './database.ts'
import type { Platform } from './open.ts'

export type VariableOwner = { appId: string } | { environmentId: string }

export interface VariablePlace {
  owner: VariableOwner
  teamId: string
  projectId: string
  environmentId: string
  /** What the audit log says that it was about. */
  target: { type: 'app' | 'environment'; id: string; name: string }
}

/** Throws `not-found` or `forbidden`. */
export async function variableAccess(
  platform: Platform,
  viewer: Viewer,
  owner: VariableOwner,
  action: Extract<ProjectAction, `variable.${string}`>,
): Promise<VariablePlace> {
  if ('appId' in owner) {
    const { teamId, projectId, environmentId, name } = await appAccess(platform, viewer, owner.appId, action)
    const target = { type: 'app' as const, id: owner.appId, name }
    return { owner, teamId, projectId, environmentId, target }
  }
  const { environmentId: id } = owner
  const environment = await platform.db.environment.findUnique({
    where: { id },
    select: { name: true, project: { select: { id: true, name: true, teamId: true } } },
  })
  if (environment === null) throw notFound('environment')
  const { project, name } = environment
  const place = { teamId: project.teamId, projectId: project.id }
  await requireProject(platform, viewer, place, action, 'environment')
  const target = { type: 'environment' as const, id, name: `${project.name} / ${name}` }
  return { owner, ...place, environmentId: id, target }
}

/** Nobody else changes them until the transaction ends. Answers with the number of the last change. */
export async function lockOwner(tx: Transaction, owner: VariableOwner): Promise<number> {
  if ('appId' in owner) return (await lockApp(tx, owner.appId)).variablesVersion
  await tx.$executeRaw`SELECT 1 FROM environments WHERE id = ${owner.environmentId} FOR UPDATE`
  const environment = await tx.environment.findUnique({ where: { id: owner.environmentId } })
  if (environment === null) throw notFound('environment')
  return environment.variablesVersion
}

export async function setVersion(tx: Transaction, owner: VariableOwner, number: number): Promise<void> {
  const data = { variablesVersion: number }
  if ('appId' in owner) await tx.app.update({ where: { id: owner.appId }, data })
  else await tx.environment.update({ where: { id: owner.environmentId }, data })
}

/** What a value is sealed for (platform/secrets.ts): it opens nowhere else. */
export function sealingContext(owner: VariableOwner, name: string): string {
  return 'appId' in owner ? `app:${owner.appId}:${name}` : `environment:${owner.environmentId}:${name}`
}
