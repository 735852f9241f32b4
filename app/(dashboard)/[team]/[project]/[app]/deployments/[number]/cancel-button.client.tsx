'use client'

import { useTranslations } from 'next-intl'
import { cancelAction } from '../../../../../../_actions/deployments.ts'
import { ActionButton } from '../../../../../../_ui/action-button.client.tsx'

export function CancelButton({ deploymentId }: { deploymentId: string }) {
  const t = useTranslations('deployments')
  return (
    <ActionButton size="small" action={() => cancelAction(deploymentId)} done={t('canceling')}>
      {t('cancel')}
    </ActionButton>
  )
}
