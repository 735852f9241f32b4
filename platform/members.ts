import { notFound, requireTeam, type Viewer } from './access.ts'
import { publishAccess } from './access-changes.ts'
import { record } from './audit.ts'
import type { Transaction } from './database.ts'
import { PlatformError } from './errors.ts'
import { type ChangeRoleInput, changeRoleSchema, type PageInput } from './model/inputs.ts'
import type { Member, Page } from './model/resources.ts'
import { type Role, roleIncludes } from './model/roles.ts'
import type { Platform } from './open.ts'
import { afterId, parsePage, toPage } from './pages.ts'
import { validate } from './validate.ts'

/** Who belongs to a team, in the order in which the accounts were made. */
export async function listMembers(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  pageInput?: PageInput,
): Promise<Page<Member>> {
  const own = await requireTeam(platform, viewer, teamId, 'member.read')
  const page = parsePage(pageInput)
  const rows = await platform.db.membership.findMany({
    where: { teamId, user: { disabledAt: null }, userId: { gt: afterId(page) } },
    orderBy: { userId: 'asc' },
    take: page.limit + 1,
    include: named,
  })
  return toPage(
    rows,
    page.limit,
    (row) => row.userId,
    (row) => showMember(row, own),
  )
}

/**
 * Works at once, in sessions and tokens that are open too. Nobody gives more than he has, or changes who has more; the
 * last owner stays one (`conflict`).
 */
export async function changeRole(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  userId: string,
  input: ChangeRoleInput,
): Promise<Member> {
  const own = await requireTeam(platform, viewer, teamId, 'member.change-role')
  const { role } = validate(changeRoleSchema, input)
  requireAtLeast(own, role, `give the role ${role}`)
  const changed = await platform.db.$transaction(async (tx) => {
    const member = await lockMember(tx, teamId, userId)
    requireAtLeast(own, member.role, `change the role of ${a(member.role)}`)
    if (member.role === role) return showMember(member, own)
    if (member.role === 'owner') await requireAnotherOwner(tx, teamId, userId)
    const changed = await tx.membership.update({
      where: { teamId_userId: { teamId, userId } },
      data: { role },
      include: named,
    })
    await record(tx, viewer, {
      teamId,
      action: 'member.change-role',
      target: { type: 'user', id: userId, name: member.user.name },
      ...{ before: { role: member.role }, after: { role } },
    })
    return showMember(changed, own)
  })
  await publishAccess(platform, { userId })
  return changed
}

/** The account stays; what the person could see of the team is gone at once. Throws as changeRole(). */
export async function removeMember(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  userId: string,
): Promise<void> {
  const own = await requireTeam(platform, viewer, teamId, 'member.remove')
  await takeOut(platform, viewer, { teamId, userId, action: 'member.remove', own })
}

/** The caller's own way out. Throws `conflict` for the last owner. */
export async function leaveTeam(platform: Platform, viewer: Viewer, teamId: string): Promise<void> {
  const own = await requireTeam(platform, viewer, teamId, 'team.leave')
  // A token that somebody found must not be able to shut its owner out.
  if (viewer.kind !== 'user')
    throw new PlatformError('forbidden', 'Only a signed-in person can leave a team.')
  await takeOut(platform, viewer, { teamId, userId: viewer.userId, action: 'team.leave', own })
}

async function takeOut(
  platform: Platform,
  viewer: Viewer,
  {
    teamId,
    userId,
    action,
    own,
  }: { teamId: string; userId: string; action: 'member.remove' | 'team.leave'; own: Role },
): Promise<void> {
  await platform.db.$transaction(async (tx) => {
    const member = await lockMember(tx, teamId, userId)
    requireAtLeast(own, member.role, `remove ${a(member.role)}`)
    if (member.role === 'owner') await requireAnotherOwner(tx, teamId, userId)
    await tx.membership.delete({ where: { teamId_userId: { teamId, userId } } })
    await tx.projectAccess.deleteMany({ where: { userId, project: { teamId } } })
    await record(tx, viewer, {
      teamId,
      action,
      target: { type: 'user', id: userId, name: member.user.name },
      before: { role: member.role },
    })
  })
  await publishAccess(platform, { userId })
}

/** One change of a team's members at a time: two last owners must not let each other go. */
export async function lockMember(tx: Transaction, teamId: string, userId: string): Promise<MemberRow> {
  await tx.$executeRaw`SELECT 1 FROM teams WHERE id = ${teamId} FOR UPDATE`
  const member = await tx.membership.findUnique({
    where: { teamId_userId: { teamId, userId } },
    include: named,
  })
  if (member === null) throw notFound('member')
  return member
}

async function requireAnotherOwner(tx: Transaction, teamId: string, userId: string): Promise<void> {
  const others = await tx.membership.count({
    where: { teamId, role: 'owner', userId: { not: userId }, user: { disabledAt: null } },
  })
  if (others > 0) return
  throw new PlatformError(
    'conflict',
    'This is the last owner of the team. Make somebody else an owner first.',
  )
}

/** Throws `forbidden`. */
export function requireAtLeast(own: Role, needed: Role, what: string): void {
  if (roleIncludes(own, needed)) return
  throw new PlatformError('forbidden', `Only ${a(needed)} can ${what}; your role is ${own}.`)
}

function a(role: Role): string {
  return /^[aeiou]/.test(role) ? `an ${role}` : `a ${role}`
}

const named = { user: { select: { name: true, email: true, twoFactorAt: true } } } as const

interface MemberRow {
  userId: string
  role: Role
  createdAt: Date
  user: { name: string; email: string; twoFactorAt: Date | null }
}

function showMember({ userId, role, createdAt, user }: MemberRow, own: Role): Member {
  const { name, email, twoFactorAt } = user
  const hasTwoFactor = roleIncludes(own, 'admin') ? twoFactorAt !== null : null
  return { userId, name, email, role, hasTwoFactor, joinedAt: createdAt.toISOString() }
}
