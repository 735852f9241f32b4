'use client'

import { useTranslations } from 'next-intl'
import { revokeTokenAction } from '../_actions/account.ts'
import { Button } from '../_ui/button.tsx'
import { ConfirmDialog } from '../_ui/confirm-dialog.client.tsx'

export function RevokeButton({ id, name }: { id: string; name: string }) {
  const t = useTranslations('account')
  return (
    <ConfirmDialog
      title={t('revokeTitle', { name })}
      description={t('revokeDescription')}
      confirmLabel={t('revoke')}
      done={t('revoked')}
      trigger={
        <Button size="small" aria-label={t('revokeName', { name })}>
          {t('revoke')}
        </Button>
      }
      action={() => revokeTokenAction(id)}
    />
  )
}
