import { PlatformError } from './errors.ts'
import { type Role, roleIncludes, roles } from './model/roles.ts'
import {
  allowsAction,
  everything,
  isNarrowed,
  reachesApp,
  reachesProject,
  reachesRepository,
  type TokenScope,
} from './model/scopes.ts'
import type { Platform } from './open.ts'

/** Who asks. The operator holds the installation's own token; `system` is Berth itself. */
export type Viewer =
  | { kind: 'user'; userId: string; sessionId: string | null }
  | TokenViewer
  | { kind: 'operator' }
  | { kind: 'system' }

export interface TokenViewer {
  kind: 'token'
  tokenId: string
  /** Of a person, narrowed to one team or not; null: of a team alone. */
  userId: string | null
  teamId: string | null
  /** Who made a team's token; null: the operator. */
  makerId: string | null
  /** The most it may ever do. Its owner, or its maker, bounds it further. */
  role: Role
  scope: TokenScope
}

/**
 * Everything that can be asked for, and who may. `role`: whoever has at least this role in the team. `admin`: an
 * administrator of the installation. `person`: a signed-in person. The operator may do everything. `at: 'project'`: what
 * is in a project, where a member may have another role than in the team.
 */
export const policy = {
  'installation.create-setup-link': 'operator',
  'installation.create-token': 'operator',
  'installation.read-status': 'operator',
  'installation.read-users': 'admin',
  'installation.manage-users': 'admin',
  'installation.read-teams': 'admin',
  'installation.manage-teams': 'admin',
  'installation.read-hosts': 'admin',
  'installation.manage-hosts': 'admin',
  'installation.collect-images': 'admin',
  'installation.read-audit': 'admin',
  'installation.change-settings': 'admin',
  'team.create': 'admin',
  'team.read': { role: 'viewer' },
  'team.rename': { role: 'admin' },
  'team.delete': { role: 'owner' },
  'team.restore': 'admin',
  'team.leave': { role: 'viewer' },
  'team.require-two-factor': { role: 'owner' },
  'member.read': { role: 'viewer' },
  'member.change-role': { role: 'admin' },
  'member.remove': { role: 'admin' },
  'invitation.read': { role: 'admin' },
  'invitation.create': { role: 'admin' },
  'invitation.revoke': { role: 'admin' },
  'project.read': { role: 'viewer', at: 'project' },
  'project.create': { role: 'developer' },
  'project.update': { role: 'developer', at: 'project' },
  'project.delete': { role: 'admin', at: 'project' },
  'project.manage-access': { role: 'admin', at: 'project' },
  'app.read': { role: 'viewer', at: 'project' },
  'app.create': { role: 'developer', at: 'project' },
  'app.update': { role: 'developer', at: 'project' },
  'app.change-access': { role: 'developer', at: 'project' },
  'app.scale': { role: 'developer', at: 'project' },
  'app.start': { role: 'developer', at: 'project' },
  'app.stop': { role: 'developer', at: 'project' },
  'app.delete': { role: 'developer', at: 'project' },
  'app.read-timeline': { role: 'viewer', at: 'project' },
  'app.read-logs': { role: 'viewer', at: 'project' },
  'metrics.read': { role: 'viewer', at: 'project' },
  'alert.read': { role: 'viewer', at: 'project' },
  'alert.write': { role: 'developer', at: 'project' },
  'terminal.open': { role: 'developer', at: 'project' },
  'file.list': { role: 'developer', at: 'project' },
  'file.download': { role: 'developer', at: 'project' },
  'file.upload': { role: 'developer', at: 'project' },
  'file.delete': { role: 'developer', at: 'project' },
  'deployment.read': { role: 'viewer', at: 'project' },
  'deployment.create': { role: 'developer', at: 'project' },
  'deployment.rollback': { role: 'developer', at: 'project' },
  'deployment.cancel': { role: 'developer', at: 'project' },
  'git-source.read': { role: 'viewer', at: 'project' },
  'git-source.write': { role: 'developer', at: 'project' },
  'variable.read': { role: 'developer', at: 'project' },
  'variable.write': { role: 'developer', at: 'project' },
  'run.read': { role: 'viewer', at: 'project' },
  'run.create': { role: 'developer', at: 'project' },
  'run.cancel': { role: 'developer', at: 'project' },
  'cron-job.read': { role: 'viewer', at: 'project' },
  'cron-job.write': { role: 'developer', at: 'project' },
  'volume.read': { role: 'viewer', at: 'project' },
  'volume.write': { role: 'developer', at: 'project' },
  'volume.delete': { role: 'developer', at: 'project' },
  'volume.restore': { role: 'developer', at: 'project' },
  'domain.read': { role: 'viewer', at: 'project' },
  'domain.add': { role: 'developer', at: 'project' },
  'domain.change': { role: 'developer', at: 'project' },
  'domain.check': { role: 'developer', at: 'project' },
  'domain.remove': { role: 'developer', at: 'project' },
  'port.publish': { role: 'developer', at: 'project' },
  'port.remove': { role: 'developer', at: 'project' },
  'repository.pull': { role: 'viewer' },
  'repository.push': { role: 'developer' },
  'repository.delete': { role: 'admin' },
  'registry.read': { role: 'developer' },
  'registry.manage': { role: 'admin' },
  'log-drain.read': { role: 'admin' },
  'log-drain.manage': { role: 'admin' },
  'notification.read': { role: 'admin' },
  'notification.manage': { role: 'admin' },
  'quota.read': { role: 'viewer' },
  'quota.change': 'admin',
  'repository.update': { role: 'admin' },
  'audit.read': { role: 'admin' },
  'account.manage-own': 'person',
  'user.reset-two-factor': 'admin',
  'installation.read-sign-in': 'admin',
  'installation.change-sign-in': 'admin',
  'token.manage-own': 'person',
  'token.manage-of-team': { role: 'admin' },
} as const satisfies Record<string, { role: Role; at?: 'project' } | 'person' | 'admin' | 'operator'>

export type Action = keyof typeof policy

export type TeamAction = {
  [Name in Action]: (typeof policy)[Name] extends { role: Role } ? Name : never
}[Action]

/** What is done in a project. */
export type ProjectAction = {
  [Name in Action]: (typeof policy)[Name] extends { at: 'project' } ? Name : never
}[Action]

export type RepositoryAction = Extract<TeamAction, `repository.${string}`>

export type InstallationAction = Exclude<Action, TeamAction>

/** What the caller may do in a team: the weaker of the membership and the token. Null: the team is not his. */
export async function roleIn(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  options: StandingOptions = {},
): Promise<Role | null> {
  const standing = await standingIn(platform, viewer, teamId, options)
  return standing === null || standing.lacksFactor ? null : weaker(standing.own, standing.most)
}

export interface StandingOptions {
  /** Whoever asks has just seen that the team is there, and was not deleted: nobody is asked again. */
  isThere?: boolean
}

export interface Standing {
  /** Of the person who asks or whose token it is, in the team. */
  own: Role
  /** More than this a token may not do, wherever. */
  most: Role
  /** The team asks its people for a second factor, and this one has none: he may do nothing in it but leave. */
  lacksFactor: boolean
}

/**
 * Null: the team is not the caller's, is not there, or was deleted. A person's tokens are bound by what is asked of that
 * person; a team's own sign in nowhere, so they need no second factor.
 */
export async function standingIn(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  { isThere = false }: StandingOptions = {},
): Promise<Standing | null> {
  if (viewer.kind === 'system') return { own: 'owner', most: 'owner', lacksFactor: false }
  if (viewer.kind === 'token' && viewer.teamId !== null && viewer.teamId !== teamId) return null
  const userId = personBehind(viewer)
  if (userId === null) {
    if (viewer.kind === 'token' && viewer.teamId === null) return null
    if (!isThere && (await platform.db.team.count({ where: { id: teamId, deletedAt: null } })) === 0)
      return null
    return { own: 'owner', most: viewer.kind === 'token' ? viewer.role : 'owner', lacksFactor: false }
  }
  // In one question, where Prisma would ask for each table by itself: every request waits for it.
  const [membership] = await platform.db.$queryRaw<{ role: Role; lacksFactor: boolean }[]>`
    SELECT m.role::text AS role, t."requiresTwoFactor" AND u."twoFactorAt" IS NULL AS "lacksFactor"
    FROM memberships m JOIN users u ON u.id = m."userId" JOIN teams t ON t.id = m."teamId"
    WHERE m."teamId" = ${teamId} AND m."userId" = ${userId}
      AND u."disabledAt" IS NULL AND t."deletedAt" IS NULL`
  if (membership === undefined) return null
  const isOfTeam = viewer.kind === 'token' && viewer.userId === null
  return {
    own: membership.role,
    most: viewer.kind === 'token' ? viewer.role : 'owner',
    lacksFactor: !isOfTeam && membership.lacksFactor,
  }
}

/** Throws `second-factor-needed`. */
export function requireFactor({ lacksFactor }: Standing): void {
  if (!lacksFactor) return
  throw new PlatformError(
    'second-factor-needed',
    'This team asks its members for two-factor sign-in. Set it up in your account, then come back.',
  )
}

/** Whose rights bound the caller's: of a team's own token those of whoever made it. */
export function personBehind(viewer: Viewer): string | null {
  if (viewer.kind === 'user') return viewer.userId
  return viewer.kind === 'token' ? (viewer.userId ?? viewer.makerId) : null
}

export function scopeOf(viewer: Viewer): TokenScope {
  return viewer.kind === 'token' ? viewer.scope : everything
}

/**
 * Throws `not-found` where the caller is not in the team, just as for one that doesn't exist, and `forbidden` where
 * the role is too weak or the token is not for it, `second-factor-needed` where the team asks for one. `what` names the thing that was asked for, in the sentence of
 * not-found. Lists of what is in projects show what visibleIn() says.
 */
export async function requireTeam(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  action: TeamAction,
  what = 'team',
): Promise<Role> {
  const standing = await standingIn(platform, viewer, teamId)
  if (standing === null) throw notFound(what)
  if (action !== 'team.leave') requireFactor(standing)
  const role = weaker(standing.own, standing.most)
  requireScope(viewer, action)
  if (isNarrowed(scopeOf(viewer)) && action !== 'team.read' && !('at' in policy[action]))
    throw new PlatformError('forbidden', 'This token is for some things of the team only, not for the team.')
  requireRole(role, action, 'team')
  return role
}

export interface Place {
  teamId: string
  projectId: string
  /** Where it is about one app. */
  appId?: string
}

/** The same for what is in a project, where a member may have another role than in the team, or none. */
export async function requireProject(
  platform: Platform,
  viewer: Viewer,
  place: Place,
  action: ProjectAction,
  what = 'project',
): Promise<Role> {
  const standing = await standingIn(platform, viewer, place.teamId)
  if (standing === null || !(await reaches(platform, scopeOf(viewer), place, action))) throw notFound(what)
  const own = await ownRoleAt(platform, viewer, place.projectId, standing.own)
  if (own === null) throw notFound(what)
  requireFactor(standing)
  requireScope(viewer, action)
  const role = weaker(own, standing.most)
  requireRole(role, action, 'project')
  return role
}

/** The same for a repository, which a token may be for without being for the team. */
export async function requireRepository(
  platform: Platform,
  viewer: Viewer,
  { teamId, name }: { teamId: string; name: string },
  action: RepositoryAction,
): Promise<Role> {
  const standing = await standingIn(platform, viewer, teamId)
  if (standing === null || !reachesRepository(scopeOf(viewer), name)) throw notFound('repository')
  requireFactor(standing)
  requireScope(viewer, action)
  const role = weaker(standing.own, standing.most)
  requireRole(role, action, 'team')
  return role
}

/** A token for an app sees the project around it. */
async function reaches(
  platform: Platform,
  scope: TokenScope,
  { projectId, appId }: Place,
  action: ProjectAction,
): Promise<boolean> {
  if (appId !== undefined) return reachesApp(scope, { projectId, appId })
  if (reachesProject(scope, projectId)) return true
  if (action !== 'project.read' && action !== 'app.read') return false
  return (await platform.db.app.count({ where: { projectId, id: { in: [...scope.appIds] } } })) > 0
}

/** Owners and administrators of the team are that everywhere in it. */
async function ownRoleAt(
  platform: Platform,
  viewer: Viewer,
  projectId: string,
  own: Role,
): Promise<Role | null> {
  const userId = personBehind(viewer)
  if (userId === null || roleIncludes(own, 'admin')) return own
  const access = await platform.db.projectAccess.findUnique({
    where: { projectId_userId: { projectId, userId } },
    select: { role: true },
  })
  return access === null ? own : access.role
}

function requireScope(viewer: Viewer, action: TeamAction): void {
  if (allowsAction(scopeOf(viewer), action)) return
  throw new PlatformError('forbidden', `This token is not for ${action}.`)
}

function requireRole(role: Role, action: TeamAction, where: 'team' | 'project'): void {
  const needed = policy[action].role
  if (roleIncludes(role, needed)) return
  throw new PlatformError('forbidden', `This needs the role ${needed} in the ${where}; yours is ${role}.`)
}

const whoMay = {
  person: 'a signed-in person',
  admin: 'an administrator of this installation',
  operator: "the installation's operator",
}

/** For what belongs to no team. Throws `forbidden`. */
export async function requireInstallation(
  platform: Platform,
  viewer: Viewer,
  action: InstallationAction,
): Promise<void> {
  if (await isAllowedInstallation(platform, viewer, action)) return
  throw new PlatformError('forbidden', `Only ${whoMay[policy[action]]} can do this.`)
}

export async function isAllowedInstallation(
  platform: Platform,
  viewer: Viewer,
  action: InstallationAction,
): Promise<boolean> {
  if (viewer.kind === 'operator' || viewer.kind === 'system') return true
  const needed = policy[action]
  if (needed === 'person') return viewer.kind === 'user'
  if (needed === 'admin' && viewer.userId !== null) {
    const full =
      viewer.kind === 'user' ||
      (viewer.teamId === null && viewer.role === 'owner' && allowsAction(viewer.scope, '*'))
    const user = await platform.db.user.findUnique({ where: { id: viewer.userId } })
    return full && user?.isAdmin === true && user.disabledAt === null
  }
  return false
}

/** Nothing in it tells whether the thing exists elsewhere. */
export function notFound(what: string): PlatformError {
  return new PlatformError('not-found', `There is no such ${what}, or it is not yours to see.`)
}

/** The one of the two that may do less. */
export function weaker(a: Role, b: Role): Role {
  return roles.indexOf(a) < roles.indexOf(b) ? a : b
}
