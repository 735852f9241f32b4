import { requireTeam, type Viewer } from './access.ts'
import { publishAccess } from './access-changes.ts'
import { record } from './audit.ts'
import { PlatformError } from './errors.ts'
import type { Team } from './model/resources.ts'
import type { Platform } from './open.ts'
import { getTeam } from './teams.ts'

/**
 * Whether members need a second factor to do anything in the team. Works at once, in sessions, event streams and
 * personal tokens that are open too. Throws `conflict` where the caller, who would be shut out, has none himself.
 */
export async function requireTwoFactorIn(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  isRequired: boolean,
): Promise<Team> {
  await requireTeam(platform, viewer, teamId, 'team.require-two-factor')
  await platform.db.$transaction(async (tx) => {
    if (isRequired && (viewer.kind === 'user' || viewer.kind === 'token') && viewer.userId !== null) {
      const { twoFactorAt } = await tx.user.findUniqueOrThrow({ where: { id: viewer.userId } })
      if (twoFactorAt === null)
        throw new PlatformError('conflict', 'Set up two-factor sign-in for yourself first.')
    }
    const before = await tx.team.findUniqueOrThrow({ where: { id: teamId } })
    const team = await tx.team.update({ where: { id: teamId }, data: { requiresTwoFactor: isRequired } })
    await record(tx, viewer, {
      teamId,
      action: 'team.require-two-factor',
      target: { type: 'team', id: teamId, name: team.name },
      before: { requiresTwoFactor: before.requiresTwoFactor },
      after: { requiresTwoFactor: isRequired },
    })
  })
  await publishAccess(platform, { teamId })
  return getTeam(platform, viewer, teamId)
}
