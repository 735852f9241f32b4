'use client'

import { useTranslations } from 'next-intl'
import { checkDomainAction, removeDomainAction } from '../_actions/domains.ts'
import { ActionButton } from '../_ui/action-button.client.tsx'
import { Button } from '../_ui/button.tsx'
import { ConfirmDialog } from '../_ui/confirm-dialog.client.tsx'

export function CheckDomainButton({ id, name }: { id: string; name: string }) {
  const t = useTranslations('domains')
  return (
    <ActionButton size="small" action={() => checkDomainAction(id)} aria-label={t('checkName', { name })}>
      {t('checkNow')}
    </ActionButton>
  )
}

export function RemoveDomainButton({ id, name, isServed }: { id: string; name: string; isServed: boolean }) {
  const t = useTranslations('domains')
  return (
    <ConfirmDialog
      title={t('removeTitle', { name })}
      description={isServed ? t('removeServed') : t('removeWaiting')}
      confirmLabel={t('remove')}
      done={t('removed')}
      trigger={
        <Button size="small" aria-label={t('removeName', { name })}>
          {t('remove')}
        </Button>
      }
      action={() => removeDomainAction(id)}
    />
  )
}
