'use client'

import { useTranslations } from 'next-intl'
import { cordonHostAction } from '../../../_actions/admin.ts'
import { ActionButton } from '../../../_ui/action-button.client.tsx'
import { Button } from '../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../_ui/confirm-dialog.client.tsx'

/** Whether a host takes new apps. */
export function CordonButton({ id, name, isCordoned }: { id: string; name: string; isCordoned: boolean }) {
  const t = useTranslations('admin')
  if (isCordoned)
    return (
      <ActionButton size="small" done={t('host.uncordonDone')} action={() => cordonHostAction(id, false)}>
        {t('host.uncordon')}
      </ActionButton>
    )
  return (
    <ConfirmDialog
      title={t('host.cordonTitle', { name })}
      description={t('host.cordonDescription')}
      confirmLabel={t('host.cordon')}
      done={t('host.cordonDone')}
      trigger={<Button size="small">{t('host.cordon')}</Button>}
      action={() => cordonHostAction(id, true)}
    />
  )
}
