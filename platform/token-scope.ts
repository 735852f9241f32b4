import { type Action, policy, requireProject, requireTeam, type Viewer, weaker } from './access.ts'
import { PlatformError } from './errors.ts'
import type { CreateTokenOutput } from './model/inputs.ts'
import type { Role } from './model/roles.ts'
import { roleIncludes } from './model/roles.ts'
import { covers, isNarrowed, type TokenScope, tokenPresets } from './model/scopes.ts'
import type { Platform } from './open.ts'

/** What tokens can be for: all that is done in teams, by its name in the policy table. */
export const scopeActions = (Object.keys(policy) as Action[]).filter(
  (name) => typeof policy[name] === 'object',
)

/** What the token is to be for. Throws `invalid` for actions that there are not, and for things of no team. */
export function chooseScope(input: CreateTokenOutput, teamId: string | null): TokenScope {
  const { preset, actions, projectIds, appIds, repositories } = input
  if (preset !== undefined && actions !== undefined)
    throw invalid('actions', 'Give a preset or actions, not both.')
  const chosen = actions ?? tokenPresets[preset ?? 'all']
  const unknown = chosen.find((pattern) => !scopeActions.some((action) => covers(pattern, action)))
  if (unknown !== undefined) throw invalid('actions', `There is no action ${unknown} for tokens.`)
  const scope = { actions: [...chosen], projectIds, appIds, repositories }
  if (isNarrowed(scope) && teamId === null)
    throw invalid('teamId', 'A token for some projects, apps or repositories must be of their team.')
  return scope
}

/**
 * Nobody makes a token for what is not his, or with a role that he has neither in the team nor in each of the projects
 * that the token is for. Throws `not-found`, `forbidden`.
 */
export async function requireOwnScope(
  platform: Platform,
  viewer: Viewer,
  { teamId, role, scope }: { teamId: string; role: Role; scope: TokenScope },
): Promise<void> {
  let own = await requireTeam(platform, viewer, teamId, 'team.read')
  const places = await placesOf(platform, teamId, scope)
  const inPlaces: Role[] = []
  for (const { projectId, appId } of places)
    inPlaces.push(
      await requireProject(
        platform,
        viewer,
        { teamId, projectId, appId },
        appId ? 'app.read' : 'project.read',
      ),
    )
  if (inPlaces.length > 0) own = inPlaces.reduce(weaker)
  if (!roleIncludes(own, role))
    throw new PlatformError('forbidden', `A token can't have the role ${role}: yours is ${own}.`)
}

async function placesOf(
  platform: Platform,
  teamId: string,
  { projectIds, appIds }: TokenScope,
): Promise<{ projectId: string; appId?: string }[]> {
  const [projects, apps] = await Promise.all([
    platform.db.project.findMany({ where: { teamId, id: { in: [...projectIds] } }, select: { id: true } }),
    platform.db.app.findMany({
      where: { project: { teamId }, id: { in: [...appIds] } },
      select: { id: true, projectId: true },
    }),
  ])
  if (projects.length < new Set(projectIds).size) throw unknownThing('projectIds', 'project')
  if (apps.length < new Set(appIds).size) throw unknownThing('appIds', 'app')
  return [
    ...projects.map(({ id }) => ({ projectId: id })),
    ...apps.map(({ id, projectId }) => ({ projectId, appId: id })),
  ]
}

function unknownThing(path: string, what: string): PlatformError {
  return new PlatformError('not-found', `One of the ${what}s is not there, or not yours to see.`, {
    fields: [{ path, message: `has ${what}s that are not of this team` }],
  })
}

function invalid(path: string, message: string): PlatformError {
  return new PlatformError('invalid', message, { fields: [{ path, message }] })
}
