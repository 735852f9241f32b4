import { ShieldCheck, ShieldOff } from 'lucide-react'
import { getTranslations } from 'next-intl/server'
import { listInvitations } from '@/platform/invitations.ts'
import { listMembers } from '@/platform/members.ts'
import type { Team } from '@/platform/model/resources.ts'
import { roleIncludes, roles } from '@/platform/model/roles.ts'
import { getUser } from '@/platform/users.ts'
import { enter } from '../../../_shell/load.ts'
import { Badge } from '../../../_ui/badge.tsx'
import { Card, CardHeader } from '../../../_ui/card.tsx'
import { RelativeTime } from '../../../_ui/relative-time.client.tsx'
import { InviteButton } from './invite-button.client.tsx'
import { LeaveButton } from './leave-button.client.tsx'
import { MemberButton } from './member-button.client.tsx'
import { RevokeInvitationButton } from './revoke-invitation-button.client.tsx'

/** Who is in the team and who was asked, with what the viewer may do about it. */
export async function MembersCard({ team }: { team: Team }) {
  const { platform, viewer } = await enter()
  const isAdmin = roleIncludes(team.role, 'admin')
  const page = { limit: 100 }
  const [t, user, { data: members }, { data: invitations }] = await Promise.all([
    getTranslations('team'),
    getUser(platform, viewer),
    listMembers(platform, viewer, team.id, page),
    isAdmin ? listInvitations(platform, viewer, team.id, page) : { data: [] },
  ])
  const grantable = roles.filter((role) => roleIncludes(team.role, role))
  return (
    <Card aria-labelledby="members">
      <CardHeader
        titleId="members"
        title={t('members')}
        actions={isAdmin && <InviteButton teamId={team.id} roles={grantable} />}
      />
      <ul className="mt-3 divide-y border-t" aria-labelledby="members">
        {members.map((member) => {
          const isOwn = member.userId === user.id
          const canManage = isAdmin && !isOwn && roleIncludes(team.role, member.role)
          return (
            <li key={member.userId} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-5 py-3">
              <div className="min-w-0 flex-[1_1_12rem]">
                <p className="truncate font-medium">{member.name}</p>
                <p className="truncate text-muted">{member.email}</p>
              </div>
              <span className="text-muted text-xs">
                {t('joined')} <RelativeTime at={member.joinedAt} />
              </span>
              {member.hasTwoFactor !== null && (
                <Badge tone={member.hasTwoFactor ? 'success' : 'neutral'}>
                  {member.hasTwoFactor ? <ShieldCheck aria-hidden /> : <ShieldOff aria-hidden />}
                  {member.hasTwoFactor ? t('twoFactor') : t('noTwoFactor')}
                </Badge>
              )}
              <Badge>{t(`role.${member.role}`)}</Badge>
              {canManage && <MemberButton teamId={team.id} member={member} roles={grantable} />}
              {isOwn && <LeaveButton team={{ id: team.id, name: team.name }} />}
            </li>
          )
        })}
        {invitations.map((invitation) => (
          <li key={invitation.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-5 py-3">
            <div className="min-w-0 flex-[1_1_12rem]">
              <p className="truncate font-medium">{invitation.email}</p>
              <p className="truncate text-muted">{t('invitedBy', { name: invitation.invitedBy })}</p>
            </div>
            <span className="text-muted text-xs">
              {t('invited')} <RelativeTime at={invitation.createdAt} />
            </span>
            <Badge>{t(`role.${invitation.role}`)}</Badge>
            <RevokeInvitationButton id={invitation.id} email={invitation.email} />
          </li>
        ))}
      </ul>
    </Card>
  )
}
