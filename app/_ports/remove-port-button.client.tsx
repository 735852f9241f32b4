'use client'

import { useTranslations } from 'next-intl'
import { type Port, portInWords } from '@/platform/model/ports.ts'
import { removePortAction } from '../_actions/ports.ts'
import { Button } from '../_ui/button.tsx'
import { ConfirmDialog } from '../_ui/confirm-dialog.client.tsx'

export function RemovePortButton({ appId, port }: { appId: string; port: Port }) {
  const t = useTranslations('ports')
  const name = portInWords(port)
  return (
    <ConfirmDialog
      title={t('removeTitle', { name })}
      description={t('removeDescription')}
      confirmLabel={t('remove')}
      done={t('removed')}
      trigger={
        <Button size="small" aria-label={t('removeName', { name })}>
          {t('remove')}
        </Button>
      }
      action={() => removePortAction(appId, port.name)}
    />
  )
}
