'use client'

import { Plus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { Button } from '../../../../../_ui/button.tsx'
import { DialogButton } from '../../../../../_ui/dialog.client.tsx'
import { VolumeForm } from './volume-form.client.tsx'

export function NewVolumeButton({ appId }: { appId: string }) {
  const t = useTranslations('volumes')
  return (
    <DialogButton
      title={t('new')}
      description={t('newDescription')}
      trigger={
        <Button>
          <Plus aria-hidden />
          {t('new')}
        </Button>
      }
    >
      {(close) => <VolumeForm appId={appId} onDone={close} />}
    </DialogButton>
  )
}
