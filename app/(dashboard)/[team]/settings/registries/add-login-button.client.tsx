'use client'

import { Plus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { Button } from '../../../../_ui/button.tsx'
import { DialogButton } from '../../../../_ui/dialog.client.tsx'
import { LoginForm } from './login-form.client.tsx'

export function AddLoginButton({ teamId }: { teamId: string }) {
  const t = useTranslations('registries')
  return (
    <DialogButton
      title={t('addTitle')}
      description={t('addDescription')}
      trigger={
        <Button tone="primary">
          <Plus aria-hidden />
          {t('add')}
        </Button>
      }
    >
      {(close) => <LoginForm teamId={teamId} onDone={close} />}
    </DialogButton>
  )
}
