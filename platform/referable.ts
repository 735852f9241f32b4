import { requireProject, type Viewer } from './access.ts'
import { PlatformError } from './errors.ts'
import type { Platform } from './open.ts'
import { type VariableOwner, variableAccess } from './variable-owner.ts'

export interface Referable {
  /** Slug of the app; null: shared. */
  app: string | null
  names: string[]
}

const builtIn = ['BERTH_PRIVATE_HOST', 'BERTH_PRIVATE_PORT', 'BERTH_PUBLIC_URL']

/** Names that a variable of this place may refer to: those of the environment's apps that are the viewer's to change. */
export async function listReferable(
  platform: Platform,
  viewer: Viewer,
  owner: VariableOwner,
): Promise<Referable[]> {
  const { teamId, projectId, environmentId } = await variableAccess(platform, viewer, owner, 'variable.read')
  const variables = { orderBy: { name: 'asc' }, select: { name: true } } as const
  const environment = await platform.db.environment.findUniqueOrThrow({
    where: { id: environmentId },
    select: {
      variables,
      apps: {
        where: { desiredState: { not: 'deleted' } },
        orderBy: { slug: 'asc' },
        select: { id: true, slug: true, variables },
      },
    },
  })
  const names = (rows: { name: string }[]) => rows.map(({ name }) => name)
  const found: Referable[] = [{ app: null, names: names(environment.variables) }]
  for (const { id, slug, variables: own } of environment.apps) {
    if ('appId' in owner && owner.appId === id) continue
    try {
      await requireProject(platform, viewer, { teamId, projectId, appId: id }, 'variable.write')
      found.push({ app: slug, names: [...builtIn, ...names(own)] })
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error
    }
  }
  return found.filter(({ names }) => names.length > 0)
}
