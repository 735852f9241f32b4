'use client'

import { useTranslations } from 'next-intl'
import { takeTokenOverAction } from '../_actions/account.ts'
import { Button } from '../_ui/button.tsx'
import { ConfirmDialog } from '../_ui/confirm-dialog.client.tsx'

export function TakeOverButton({ id, name }: { id: string; name: string }) {
  const t = useTranslations('tokens')
  const tCommon = useTranslations('common')
  return (
    <ConfirmDialog
      title={t('takeOverTitle', { name })}
      description={t('takeOverDescription')}
      confirmLabel={t('takeOver')}
      done={tCommon('saved')}
      trigger={<Button size="small">{t('takeOver')}</Button>}
      action={() => takeTokenOverAction(id)}
    />
  )
}
