'use client'

import { useTranslations } from 'next-intl'
import type { VariableOwner } from '@/platform/variable-owner.ts'
import { restoreVariablesAction } from '../_actions/variables.ts'
import { Button } from '../_ui/button.tsx'
import { ConfirmDialog } from '../_ui/confirm-dialog.client.tsx'

export function RestoreButton({ owner, number }: { owner: VariableOwner; number: number }) {
  const t = useTranslations('variables')
  return (
    <ConfirmDialog
      title={t('restoreTitle', { number })}
      description={t('restoreDescription')}
      confirmLabel={t('restore')}
      trigger={<Button size="small">{t('restore')}</Button>}
      action={() => restoreVariablesAction(owner, number)}
      done={t('restored', { number })}
    />
  )
}
