import { policy, roleIn, scopeOf, type Viewer } from '../access.ts'
import { isBuildCache } from '../model/build-cache.ts'
import { newId } from '../model/ids.ts'
import { type Role, roleIncludes } from '../model/roles.ts'
import { allowsAction, everything, reachesRepository } from '../model/scopes.ts'
import type { Platform } from '../open.ts'
import { checkQuota } from '../quotas.ts'
import type { BuildRights } from './build-password.ts'
import { parseScope, type RegistryAction, registryRights, type Scope } from './scope.ts'
import { type RegistryAccess, signRegistryToken } from './sign-token.ts'
import { subjectOf } from './subject.ts'

/** Docker asks again when it ran out; what goes on under one that did may end. */
const tokenSeconds = 300
/** So long after a token to push was given something may still rely on it, with time to spare. */
export const pushLastsMs = 15 * 60_000
/** A worker can't ask again in the middle of a pull: this lasts as long as the longest one. */
const pullSeconds = 3_600

export interface RegistryTokenRequest {
  /** Null: nobody in particular, who may pull what is public. */
  viewer: Viewer | null
  /** Such as repository:acme/shop:pull,push. */
  scopes: string[]
}

export interface RegistryToken {
  token: string
  expiresInSeconds: number
}

/**
 * A token for the registry that allows what was asked for as far as the caller may: less is no error, as the
 * registry's own answer tells the client. Repositories that may be pushed to are recorded.
 */
export async function issueRegistryToken(
  platform: Platform,
  { viewer, scopes }: RegistryTokenRequest,
): Promise<RegistryToken> {
  return { token: await issue(platform, viewer, scopes, subjectOf(viewer)), expiresInSeconds: tokenSeconds }
}

async function issue(
  platform: Platform,
  viewer: Viewer | null,
  scopes: string[],
  subject: string,
  { lifeSeconds = tokenSeconds, cache = null }: { lifeSeconds?: number; cache?: string | null } = {},
): Promise<string> {
  const access = new Map<string, Set<RegistryAction>>()
  for (const scope of scopes.map(parseScope)) {
    if (scope === null) continue
    // A build's own business: to everybody else it is not there.
    if (isBuildCache(scope.repository) && scope.name !== cache) continue
    const allowed = access.get(scope.name) ?? new Set()
    for (const action of await allowedActions(platform, viewer, scope)) allowed.add(action)
    access.set(scope.name, allowed)
  }
  const granted = [...access].flatMap(([name, actions]): RegistryAccess[] =>
    actions.size === 0 ? [] : [{ type: 'repository', name, actions: [...actions] }],
  )
  return signRegistryToken(platform.config, subject, granted, lifeSeconds)
}

/**
 * For Berth's own work on its registry, such as reading what was pushed: exactly this, for a minute. Nobody's rights
 * are asked, and nothing is recorded.
 */
export async function ownToken(
  platform: Platform,
  name: string,
  ...actions: RegistryAction[]
): Promise<string> {
  const access: RegistryAccess = { type: 'repository', name, actions }
  return signRegistryToken(platform.config, 'system', [access], 60)
}

/** To list the repositories of all teams: nobody but Berth itself gets this. */
export async function catalogToken(platform: Platform): Promise<string> {
  const access: RegistryAccess = { type: 'registry', name: 'catalog', actions: ['*'] }
  return signRegistryToken(platform.config, 'system', [access], 60)
}

/**
 * What a worker pulls with for an app of this team: the team's own repositories, and public ones. The token allows
 * nothing where it is another team's, so that naming its image in an app doesn't hand it over.
 */
export function pullToken(platform: Platform, repository: string, teamId: string): Promise<string> {
  return issue(platform, asTeam(teamId, 'viewer'), [`repository:${repository}:pull`], 'system', {
    lifeSeconds: pullSeconds,
  })
}

/** What a build of this team pushes its result with: this one repository, which comes to be where it is new. */
export function pushToken(platform: Platform, repository: string, teamId: string): Promise<string> {
  return issue(platform, asTeam(teamId, 'developer'), [`repository:${repository}:pull,push`], 'system')
}

/**
 * What a build may: push its result, and pull what the team itself may pull. What is for its cache: pull and push that, and
 * pull the result, whose layers need not be sent again then.
 */
export async function issueBuildToken(
  platform: Platform,
  { teamId, repository, cache }: Pick<BuildRights, 'teamId' | 'repository' | 'cache'>,
  scopes: string[],
): Promise<RegistryToken> {
  const allowed = scopes.flatMap((text) => {
    const scope = parseScope(text)
    if (scope === null) return []
    if (cache !== null && scope.name !== cache && scope.name !== repository) return []
    const actions = scope.name === (cache ?? repository) ? ['pull', 'push'] : ['pull']
    const asked = scope.actions.filter((action) => actions.includes(action))
    return asked.length === 0 ? [] : [`repository:${scope.name}:${asked.join(',')}`]
  })
  const token = await issue(platform, asTeam(teamId, 'developer'), allowed, 'system', { cache })
  return { token, expiresInSeconds: tokenSeconds }
}

function asTeam(teamId: string, role: Role): Viewer {
  return { kind: 'token', tokenId: 'worker', userId: null, makerId: null, teamId, role, scope: everything }
}

async function allowedActions(
  platform: Platform,
  viewer: Viewer | null,
  scope: Scope,
): Promise<RegistryAction[]> {
  const place = await placeOf(platform, scope)
  if (place === null) return []
  const role = viewer === null ? null : await roleIn(platform, viewer, place.teamId, { isThere: true })
  const reach = viewer === null ? null : scopeOf(viewer)
  const actions = scope.actions.filter((action) => {
    const right = registryRights[action]
    if (role === null || reach === null || !roleIncludes(role, policy[right].role)) return false
    return allowsAction(reach, right) && reachesRepository(reach, scope.repository)
  })
  if (actions.includes('push')) await noteGrant(platform, place, scope.repository)
  if (scope.actions.includes('pull') && !actions.includes('pull') && place.isPublic) actions.push('pull')
  return actions
}

/** What a scope names: a repository of a team, which may not be there yet. */
interface NamedPlace {
  teamId: string
  /** The team may take as much of the disk as there is. */
  isUnlimited: boolean
  isPublic: boolean
  pushGrantedAt: Date | null
}

/** In one question: every pull and push waits for it. Null where there is no such team. */
async function placeOf(platform: Platform, { namespace, repository }: Scope): Promise<NamedPlace | null> {
  const [place] = await platform.db.$queryRaw<NamedPlace[]>`
    SELECT t.id AS "teamId", t."maxDiskBytes" IS NULL AS "isUnlimited",
      coalesce(r."isPublic", false) AS "isPublic", r."pushGrantedAt"
    FROM teams t LEFT JOIN repositories r ON r."teamId" = t.id AND r.name = ${repository}
    WHERE t."imageNamespace" = ${namespace} AND t."deletedAt" IS NULL`
  return place ?? null
}

/** Written down so lately, it needs no writing again: pushLastsMs has more to spare. */
const notedMs = 30_000

/**
 * Before the token exists, so that a collection of garbage never misses a push: worker/registry/collect.ts. Throws
 * `quota-exceeded` where the team has no room left: whoever pushes is told in its words.
 */
async function noteGrant(platform: Platform, place: NamedPlace, name: string): Promise<void> {
  const { teamId, isUnlimited } = place
  const pushGrantedAt = new Date()
  if (isUnlimited && Number(place.pushGrantedAt) > pushGrantedAt.getTime() - notedMs) return
  const row = { id: newId('repository'), teamId, name }
  if (isUnlimited) {
    // Nothing is to be added up. The lock is lockTeam's: a collection that has begun is waited for.
    const noted = await platform.db.$executeRaw`
      INSERT INTO repositories (id, "teamId", name, "pushGrantedAt", "updatedAt")
      SELECT ${row.id}, id, ${name}, ${pushGrantedAt}::timestamp, ${pushGrantedAt}::timestamp FROM teams
      WHERE id = ${teamId} AND "deletedAt" IS NULL AND "maxDiskBytes" IS NULL
      FOR NO KEY UPDATE
      ON CONFLICT ("teamId", name)
      DO UPDATE SET "pushGrantedAt" = excluded."pushGrantedAt", "updatedAt" = excluded."updatedAt"`
    if (noted > 0) return
  }
  await platform.db.$transaction(async (tx) => {
    await checkQuota(tx, teamId, { diskBytes: 1 })
    await tx.repository.createMany({ data: [row], skipDuplicates: true })
    await tx.repository.updateMany({ where: { teamId, name }, data: { pushGrantedAt } })
  })
}
