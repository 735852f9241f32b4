'use client'

import { useTranslations } from 'next-intl'
import { removeGitSourceAction } from '../../../../../_actions/git.ts'
import { Button } from '../../../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../../../_ui/confirm-dialog.client.tsx'

export function RemoveSourceButton({ appId }: { appId: string }) {
  const t = useTranslations('git')
  return (
    <ConfirmDialog
      title={t('removeTitle')}
      description={t('removeDescription')}
      confirmLabel={t('remove')}
      action={() => removeGitSourceAction(appId)}
      trigger={<Button>{t('remove')}</Button>}
    />
  )
}
