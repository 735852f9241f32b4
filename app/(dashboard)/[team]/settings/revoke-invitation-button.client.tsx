'use client'

import { useTranslations } from 'next-intl'
import { revokeInvitationAction } from '../../../_actions/members.ts'
import { Button } from '../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../_ui/confirm-dialog.client.tsx'

export function RevokeInvitationButton({ id, email }: { id: string; email: string }) {
  const t = useTranslations('team')
  const tAccount = useTranslations('account')
  return (
    <ConfirmDialog
      title={t('revokeTitle', { email })}
      description={t('revokeDescription')}
      confirmLabel={tAccount('revoke')}
      done={t('revoked')}
      trigger={
        <Button size="small" aria-label={tAccount('revokeName', { name: email })}>
          {tAccount('revoke')}
        </Button>
      }
      action={() => revokeInvitationAction(id)}
    />
  )
}
