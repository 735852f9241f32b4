'use client'

import { Plus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../../../../_ui/button.tsx'
import { Modal } from '../../../../../_ui/dialog.client.tsx'
import { CronForm } from './cron-form.client.tsx'

export function CronButton({ appId }: { appId: string }) {
  const t = useTranslations('jobs')
  const [open, setOpen] = useState(false)
  return (
    <Modal
      open={open}
      onOpenChange={setOpen}
      title={t('cronNew')}
      description={t('cronNewDescription')}
      trigger={
        <Button size="small">
          <Plus aria-hidden />
          {t('cronNew')}
        </Button>
      }
    >
      <CronForm appId={appId} onDone={() => setOpen(false)} />
    </Modal>
  )
}
