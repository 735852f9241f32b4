import type { Viewer } from './access.ts'
import { publishAccess } from './access-changes.ts'
import { record } from './audit.ts'
import { PlatformError } from './errors.ts'
import { publish, streams } from './event-log.ts'
import { lockMember, requireAtLeast } from './members.ts'
import { type ChangeProjectAccessInput, changeProjectAccessSchema, type PageInput } from './model/inputs.ts'
import type { Page, ProjectMember } from './model/resources.ts'
import { type Role, roleIncludes } from './model/roles.ts'
import type { Platform } from './open.ts'
import { afterId, parsePage, toPage } from './pages.ts'
import { projectAccess } from './projects.ts'
import { validate } from './validate.ts'

/** All members of the team with what they may do in the project, in the order in which the accounts were made. */
export async function listProjectAccess(
  platform: Platform,
  viewer: Viewer,
  projectId: string,
  pageInput?: PageInput,
): Promise<Page<ProjectMember>> {
  const { teamId } = await projectAccess(platform, viewer, projectId, 'project.manage-access')
  const page = parsePage(pageInput)
  const rows = await platform.db.membership.findMany({
    where: { teamId, user: { disabledAt: null }, userId: { gt: afterId(page) } },
    orderBy: { userId: 'asc' },
    take: page.limit + 1,
    include: shown(projectId),
  })
  return toPage(rows, page.limit, (row) => row.userId, show)
}

/**
 * Gives a member another role in this project than in the team, or none (`none`), or takes that back (`team`). Works at
 * once. Nobody gives more than he has, or changes who has more. Throws `conflict` for owners and administrators of the
 * team: they are that in all of its projects.
 */
export async function changeProjectAccess(
  platform: Platform,
  viewer: Viewer,
  projectId: string,
  userId: string,
  input: ChangeProjectAccessInput,
): Promise<ProjectMember> {
  const {
    teamId,
    name,
    role: own,
  } = await projectAccess(platform, viewer, projectId, 'project.manage-access')
  const { access } = validate(changeProjectAccessSchema, input)
  if (access !== 'team' && access !== 'none') requireAtLeast(own, access, `give the role ${access}`)
  const changed = await platform.db.$transaction(async (tx) => {
    const member = await lockMember(tx, teamId, userId)
    if (roleIncludes(member.role, 'admin')) {
      throw new PlatformError(
        'conflict',
        `${member.user.name} is ${member.role} of the team, and that in all of its projects.`,
      )
    }
    const where = { projectId_userId: { projectId, userId } }
    const before = await tx.projectAccess.findUnique({ where })
    requireAtLeast(own, before?.role ?? member.role, 'change this')
    const role = access === 'none' || access === 'team' ? null : access
    if (access === 'team') await tx.projectAccess.deleteMany({ where: { projectId, userId } })
    else await tx.projectAccess.upsert({ where, create: { projectId, userId, role }, update: { role } })
    await record(tx, viewer, {
      teamId,
      action: 'project.manage-access',
      target: { type: 'project', id: projectId, name },
      detail: { user: userId, member: member.user.name },
      before: { access: before === null ? 'team' : accessOf(before.role) },
      after: { access },
    })
    return tx.membership.findUniqueOrThrow({
      where: { teamId_userId: { teamId, userId } },
      include: shown(projectId),
    })
  })
  await publishAccess(platform, { userId })
  await publish(platform, streams.team(teamId), { type: 'project', projectId })
  return show(changed)
}

/** Nobody is made owner of a project. */
function accessOf(role: Role | null): ProjectMember['access'] {
  return role === 'owner' ? 'admin' : (role ?? 'none')
}

function shown(projectId: string) {
  return {
    user: {
      select: { name: true, email: true, projectAccess: { where: { projectId }, select: { role: true } } },
    },
  } as const
}

function show(row: {
  userId: string
  role: Role
  user: { name: string; email: string; projectAccess: { role: Role | null }[] }
}): ProjectMember {
  const { userId, role: teamRole, user } = row
  const own = roleIncludes(teamRole, 'admin') ? undefined : user.projectAccess[0]
  return {
    userId,
    name: user.name,
    email: user.email,
    teamRole,
    access: own === undefined ? 'team' : accessOf(own.role),
    role: own === undefined ? teamRole : own.role,
  }
}
