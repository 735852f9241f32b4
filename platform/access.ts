import { PlatformError } from './errors.ts'
import { type Role, roleIncludes, roles } from './model/roles.ts'
import type { Platform } from './open.ts'

/** Who asks. The operator holds the installation's own token; `system` is Berth itself. */
export type Viewer =
  | { kind: 'user'; userId: string; sessionId: string | null }
  /** Of a person (userId), narrowed to one team or not, or of a team alone. Its role is the most it may ever do. */
  | { kind: 'token'; tokenId: string; userId: string | null; teamId: string | null; role: Role }
  | { kind: 'operator' }
  | { kind: 'system' }

/**
 * Everything that can be asked for, and who may. `role`: whoever has at least this role in the team. `admin`: an
 * administrator of the installation. `person`: a signed-in person. The operator may do everything.
 */
export const policy = {
  'installation.create-setup-link': 'operator',
  'installation.create-token': 'operator',
  'installation.read-status': 'operator',
  'team.create': 'admin',
  'team.read': { role: 'viewer' },
  'team.rename': { role: 'admin' },
  'team.leave': { role: 'viewer' },
  'member.read': { role: 'viewer' },
  'member.change-role': { role: 'admin' },
  'member.remove': { role: 'admin' },
  'invitation.read': { role: 'admin' },
  'invitation.create': { role: 'admin' },
  'invitation.revoke': { role: 'admin' },
  'project.read': { role: 'viewer' },
  'project.create': { role: 'developer' },
  'project.update': { role: 'developer' },
  'project.delete': { role: 'admin' },
  'app.read': { role: 'viewer' },
  'app.create': { role: 'developer' },
  'app.update': { role: 'developer' },
  'app.start': { role: 'developer' },
  'app.stop': { role: 'developer' },
  'app.delete': { role: 'developer' },
  'app.read-logs': { role: 'viewer' },
  'deployment.read': { role: 'viewer' },
  'deployment.create': { role: 'developer' },
  'deployment.rollback': { role: 'developer' },
  'deployment.cancel': { role: 'developer' },
  'variable.read': { role: 'developer' },
  'variable.write': { role: 'developer' },
  'repository.pull': { role: 'viewer' },
  'repository.push': { role: 'developer' },
  'repository.delete': { role: 'admin' },
  'quota.read': { role: 'viewer' },
  'quota.change': 'admin',
  'audit.read': { role: 'admin' },
  'account.manage-own': 'person',
  'token.manage-own': 'person',
  'token.manage-of-team': { role: 'admin' },
} as const satisfies Record<string, { role: Role } | 'person' | 'admin' | 'operator'>

export type Action = keyof typeof policy

export type TeamAction = {
  [Name in Action]: (typeof policy)[Name] extends { role: Role } ? Name : never
}[Action]

export type InstallationAction = Exclude<Action, TeamAction>

/** What the caller may do in a team: the weaker of the membership and the token. Null: the team is not his. */
export async function roleIn(platform: Platform, viewer: Viewer, teamId: string): Promise<Role | null> {
  if (viewer.kind === 'operator' || viewer.kind === 'system') return 'owner'
  if (viewer.kind === 'token' && viewer.teamId !== null && viewer.teamId !== teamId) return null
  const { userId } = viewer
  if (userId === null) return viewer.kind === 'token' && viewer.teamId === teamId ? viewer.role : null
  const membership = await platform.db.membership.findUnique({
    where: { teamId_userId: { teamId, userId } },
    select: { role: true, user: { select: { disabledAt: true } } },
  })
  if (membership === null || membership.user.disabledAt !== null) return null
  return viewer.kind === 'token' ? weaker(membership.role, viewer.role) : membership.role
}

/**
 * Throws `not-found` where the caller is not in the team, just as for one that doesn't exist, and `forbidden` where
 * the role is too weak. `what` names the thing that was asked for, in the sentence of not-found.
 */
export async function requireTeam(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  action: TeamAction,
  what = 'team',
): Promise<Role> {
  const role = await roleIn(platform, viewer, teamId)
  if (role === null) throw notFound(what)
  const needed = policy[action].role
  if (!roleIncludes(role, needed)) {
    throw new PlatformError('forbidden', `This needs the role ${needed} in the team; yours is ${role}.`)
  }
  return role
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
    const full = viewer.kind === 'user' || (viewer.teamId === null && viewer.role === 'owner')
    const user = await platform.db.user.findUnique({ where: { id: viewer.userId } })
    return full && user?.isAdmin === true && user.disabledAt === null
  }
  return false
}

/** Nothing in it tells whether the thing exists elsewhere. */
export function notFound(what: string): PlatformError {
  return new PlatformError('not-found', `There is no such ${what}, or it is not yours to see.`)
}

function weaker(a: Role, b: Role): Role {
  return roles.indexOf(a) < roles.indexOf(b) ? a : b
}
