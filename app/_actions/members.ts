'use server'

import { acceptInvitation, invite, joinByInvitation, revokeInvitation } from '@/platform/invitations.ts'
import { changeRole, leaveTeam, removeMember } from '@/platform/members.ts'
import type { ChangeRoleInput, InviteInput, JoinInput } from '@/platform/model/inputs.ts'
import type { ActionResult } from './result.ts'
import { answer, asId, run } from './run.ts'

/** The only answer that ever carries the link. */
export async function inviteAction(
  teamId: string,
  input: InviteInput,
): Promise<ActionResult<{ url: string | null; email: string }>> {
  return run(async (platform, viewer) => {
    const { url, email } = await invite(platform, viewer, asId(teamId), input)
    return { url, email }
  })
}

export async function revokeInvitationAction(id: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await revokeInvitation(platform, viewer, asId(id))
    return null
  })
}

export async function changeRoleAction(
  teamId: string,
  userId: string,
  input: ChangeRoleInput,
): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await changeRole(platform, viewer, asId(teamId), asId(userId), input)
    return null
  })
}

export async function removeMemberAction(teamId: string, userId: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await removeMember(platform, viewer, asId(teamId), asId(userId))
    return null
  })
}

export async function leaveTeamAction(teamId: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await leaveTeam(platform, viewer, asId(teamId))
    return null
  })
}

/** Answers the team's page. */
export async function acceptInvitationAction(token: string): Promise<ActionResult<{ path: string }>> {
  return run(async (platform, viewer) => {
    const { slug } = await acceptInvitation(platform, viewer, asId(token))
    return { path: `/${slug}` }
  })
}

/** Answers with whom to sign in, and the team's page. */
export async function joinAction(input: JoinInput): Promise<ActionResult<{ email: string; path: string }>> {
  return answer(async (platform) => {
    const { email, teamSlug } = await joinByInvitation(platform, input)
    return { email, path: `/${teamSlug}` }
  })
}
