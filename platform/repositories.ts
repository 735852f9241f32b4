import { policy, roleIn, type TeamAction, type Viewer } from './access.ts'
import type { Config } from './config.ts'
import { newId } from './model/ids.ts'
import { slugSchema } from './model/names.ts'
import { roleIncludes } from './model/roles.ts'
import type { Platform } from './open.ts'
import { type RegistryAccess, signRegistryToken } from './registry-token.ts'

const tokenSeconds = 300

export interface RegistryTokenRequest {
  /** Null: nobody in particular, who may pull what is public. */
  viewer: Viewer | null
  /** Name that the client gave; only for the registry's log. */
  account: string
  /** Such as repository:acme/shop:pull,push. */
  scopes: string[]
}

/**
 * A token for the registry that allows what was asked for as far as the caller may: less is no error, as the
 * registry's own answer tells the client. Repositories that may be pushed to are recorded.
 */
export async function issueRegistryToken(
  platform: Platform,
  request: RegistryTokenRequest,
): Promise<{ token: string; expiresInSeconds: number }> {
  const access: RegistryAccess[] = []
  for (const scope of request.scopes.map(parseScope)) {
    if (scope === null) continue
    const actions = await allowedActions(platform, request.viewer, scope)
    if (actions.length > 0) access.push({ type: 'repository', name: scope.name, actions })
  }
  const token = await signRegistryToken(platform.config, request.account, access, tokenSeconds)
  return { token, expiresInSeconds: tokenSeconds }
}

interface Scope {
  name: string
  teamSlug: string
  /** The name below the team. */
  repository: string
  actions: string[]
}

const actionNeeds = {
  pull: 'repository.pull',
  push: 'repository.push',
  delete: 'repository.delete',
} as const satisfies Record<string, TeamAction>

type RegistryAction = keyof typeof actionNeeds

/** `repository[(class)]:<name>:<action>,…`; the name may have colons itself. Null for what Berth has no rules for. */
export function parseScope(text: string): Scope | null {
  const match = /^repository(?:\([a-z]+\))?:(.+):([a-z*,]+)$/.exec(text)
  if (match?.[1] === undefined || match[2] === undefined) return null
  const [teamSlug, ...rest] = match[1].split('/')
  const repository = rest.join('/')
  const wellFormed = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/
  if (!slugSchema.safeParse(teamSlug).success || repository.length > 200 || !wellFormed.test(repository))
    return null
  const asked = match[2].split(',')
  const actions = asked.includes('*') ? Object.keys(actionNeeds) : asked
  return { name: match[1], teamSlug: teamSlug ?? '', repository, actions }
}

async function allowedActions(
  platform: Platform,
  viewer: Viewer | null,
  scope: Scope,
): Promise<RegistryAction[]> {
  const team = await platform.db.team.findFirst({ where: { slug: scope.teamSlug, deletedAt: null } })
  if (team === null) return []
  const role = viewer === null ? null : await roleIn(platform, viewer, team.id)
  const known = (Object.keys(actionNeeds) as RegistryAction[]).filter((action) =>
    scope.actions.includes(action),
  )
  const actions = known.filter(
    (action) => role !== null && roleIncludes(role, policy[actionNeeds[action]].role),
  )
  if (actions.includes('push')) {
    await platform.db.repository.createMany({
      data: [{ id: newId('repository'), teamId: team.id, name: scope.repository }],
      skipDuplicates: true,
    })
  }
  if (known.includes('pull') && !actions.includes('pull')) {
    const where = { teamId: team.id, name: scope.repository, isPublic: true }
    if ((await platform.db.repository.count({ where })) > 0) actions.push('pull')
  }
  return actions
}

/**
 * `acme/shop` when the image's reference names a repository of Berth's own registry, otherwise null.
 */
export function ownRepository(config: Pick<Config, 'registryHost'>, imageRef: string): string | null {
  if (!imageRef.startsWith(`${config.registryHost}/`)) return null
  return imageRef
    .slice(config.registryHost.length + 1)
    .replace(/@.*$/, '')
    .replace(/:[^/]*$/, '')
}

/**
 * What a worker pulls with for an app of this team: the team's own repositories, and public ones. The token allows
 * nothing where it is another team's, so that naming its image in an app doesn't hand it over.
 */
export async function pullToken(platform: Platform, repository: string, teamId: string): Promise<string> {
  const asTeam: Viewer = { kind: 'token', tokenId: 'worker', userId: null, teamId, role: 'viewer' }
  const { token } = await issueRegistryToken(platform, {
    viewer: asTeam,
    account: 'worker',
    scopes: [`repository:${repository}:pull`],
  })
  return token
}
