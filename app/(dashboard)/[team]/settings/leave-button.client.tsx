'use client'

import { useTranslations } from 'next-intl'
import { leaveTeamAction } from '../../../_actions/members.ts'
import { Button } from '../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../_ui/confirm-dialog.client.tsx'

export function LeaveButton({ team }: { team: { id: string; name: string } }) {
  const t = useTranslations('team')
  return (
    <ConfirmDialog
      title={t('leaveTitle', { name: team.name })}
      description={t('leaveDescription')}
      confirmLabel={t('leave')}
      trigger={<Button size="small">{t('leave')}</Button>}
      action={() => leaveTeamAction(team.id)}
      // A whole new page: nothing of the team may stay in the browser.
      onDone={() => window.location.assign('/')}
    />
  )
}
