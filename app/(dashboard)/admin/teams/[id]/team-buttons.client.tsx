'use client'

import { useTranslations } from 'next-intl'
import { appointOwnerAction, deleteAnyTeamAction } from '../../../../_actions/admin.ts'
import { restoreTeamAction } from '../../../../_actions/teams.ts'
import { ActionButton } from '../../../../_ui/action-button.client.tsx'
import { Button } from '../../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../../_ui/confirm-dialog.client.tsx'

interface AppointProps {
  teamId: string
  user: { id: string; name: string }
  /** Whoever looks at it. */
  isOwn: boolean
}

/** Makes somebody owner of a team. The team's own log tells of it. */
export function AppointButton({ teamId, user, isOwn }: AppointProps) {
  const t = useTranslations('admin')
  const label = isOwn ? t('becomeOwner') : t('makeOwner')
  return (
    <ConfirmDialog
      title={t('makeOwnerTitle', { name: user.name })}
      description={t('makeOwnerDescription')}
      confirmLabel={label}
      done={t('ownerMade')}
      trigger={
        <Button size="small" aria-label={isOwn ? label : t('makeOwnerName', { name: user.name })}>
          {label}
        </Button>
      }
      action={() => appointOwnerAction(teamId, user.id)}
    />
  )
}

export function DeleteTeamButton({ team, days }: { team: { id: string; name: string }; days: number }) {
  const t = useTranslations('teamPages')
  const tAdmin = useTranslations('admin')
  return (
    <ConfirmDialog
      title={t('deleteTitle', { name: team.name })}
      description={t('deleteDescription', { days })}
      confirmLabel={t('delete')}
      typed={team.name}
      done={tAdmin('teamDeleted')}
      trigger={
        <Button size="small" tone="danger">
          {t('delete')}
        </Button>
      }
      action={() => deleteAnyTeamAction(team.id, team.name)}
    />
  )
}

export function RestoreTeamButton({ id }: { id: string }) {
  const t = useTranslations('teamPages')
  const tAdmin = useTranslations('admin')
  return (
    <ActionButton size="small" done={tAdmin('teamRestored')} action={() => restoreTeamAction(id)}>
      {t('restore')}
    </ActionButton>
  )
}
