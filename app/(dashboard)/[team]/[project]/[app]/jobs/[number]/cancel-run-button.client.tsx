'use client'

import { useTranslations } from 'next-intl'
import { cancelRunAction } from '../../../../../../_actions/jobs.ts'
import { ActionButton } from '../../../../../../_ui/action-button.client.tsx'

export function CancelRunButton({ id }: { id: string }) {
  const t = useTranslations('jobs')
  return (
    <ActionButton size="small" action={() => cancelRunAction(id)} done={t('canceling')}>
      {t('cancel')}
    </ActionButton>
  )
}
