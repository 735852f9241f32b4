'use client'

import { useTranslations } from 'next-intl'
import { renewDeployKeyAction } from '../../../../../_actions/git.ts'
import { Button } from '../../../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../../../_ui/confirm-dialog.client.tsx'

export function RenewKeyButton({ appId }: { appId: string }) {
  const t = useTranslations('git')
  return (
    <ConfirmDialog
      title={t('renewTitle')}
      description={t('renewDescription')}
      confirmLabel={t('renew')}
      action={() => renewDeployKeyAction(appId)}
      trigger={<Button>{t('renew')}</Button>}
    />
  )
}
