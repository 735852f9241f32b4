import { requireTeam, type Viewer } from './access.ts'
import type { Role } from './model/roles.ts'
import type { Platform } from './open.ts'

export interface Member {
  userId: string
  name: string
  email: string
  role: Role
  joinedAt: string
}

/** Who belongs to a team, in the order in which they joined. */
export async function listMembers(platform: Platform, viewer: Viewer, teamId: string): Promise<Member[]> {
  await requireTeam(platform, viewer, teamId, 'team.read')
  const rows = await platform.db.membership.findMany({
    where: { teamId, user: { disabledAt: null } },
    orderBy: [{ createdAt: 'asc' }, { userId: 'asc' }],
    include: { user: { select: { name: true, email: true } } },
  })
  return rows.map((row) => ({
    userId: row.userId,
    name: row.user.name,
    email: row.user.email,
    role: row.role,
    joinedAt: row.createdAt.toISOString(),
  }))
}
