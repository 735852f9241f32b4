'use client'

import { useTranslations } from 'next-intl'
import { endOtherSessionsAction, endSessionAction } from '../../_actions/account.ts'
import { Button } from '../../_ui/button.tsx'
import { ConfirmDialog } from '../../_ui/confirm-dialog.client.tsx'
import { useAction } from '../../_ui/use-action.ts'

export function EndSessionButton({ id }: { id: string }) {
  const t = useTranslations('account')
  const { run, pending } = useAction()
  return (
    <Button
      size="small"
      pending={pending}
      onClick={() => run(() => endSessionAction(id), { done: t('sessionEnded') })}
    >
      {t('endSession')}
    </Button>
  )
}

export function EndOthersButton() {
  const t = useTranslations('account')
  return (
    <ConfirmDialog
      title={t('endOthersTitle')}
      description={t('endOthersDescription')}
      confirmLabel={t('endOthers')}
      done={t('othersEnded')}
      trigger={<Button size="small">{t('endOthers')}</Button>}
      action={() => endOtherSessionsAction()}
    />
  )
}
