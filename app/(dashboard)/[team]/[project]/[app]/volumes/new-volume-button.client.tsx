'use client'

import { Plus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../../../../_ui/button.tsx'
import { Modal } from '../../../../../_ui/dialog.client.tsx'
import { VolumeForm } from './volume-form.client.tsx'

export function NewVolumeButton({ appId }: { appId: string }) {
  const t = useTranslations('volumes')
  const [open, setOpen] = useState(false)
  return (
    <Modal
      open={open}
      onOpenChange={setOpen}
      title={t('new')}
      description={t('newDescription')}
      trigger={
        <Button>
          <Plus aria-hidden />
          {t('new')}
        </Button>
      }
    >
      <VolumeForm appId={appId} onDone={() => setOpen(false)} />
    </Modal>
  )
}
