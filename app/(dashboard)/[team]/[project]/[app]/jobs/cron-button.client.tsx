'use client'

import { Plus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { Button } from '../../../../../_ui/button.tsx'
import { DialogButton } from '../../../../../_ui/dialog.client.tsx'
import { CronForm } from './cron-form.client.tsx'

export function CronButton({ appId }: { appId: string }) {
  const t = useTranslations('jobs')
  return (
    <DialogButton
      title={t('cronNew')}
      description={t('cronNewDescription')}
      trigger={
        <Button size="small">
          <Plus aria-hidden />
          {t('cronNew')}
        </Button>
      }
    >
      {(close) => <CronForm appId={appId} onDone={close} />}
    </DialogButton>
  )
}
