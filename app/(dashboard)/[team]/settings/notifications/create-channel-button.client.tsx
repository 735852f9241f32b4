'use client'

import { Plus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import type { TeamPlaces } from '../../../../_tokens/places.ts'
import { Button } from '../../../../_ui/button.tsx'
import { Modal } from '../../../../_ui/dialog.client.tsx'
import { ShownOnce } from '../../../../_ui/shown-once.client.tsx'
import { ChannelForm } from './channel-form.client.tsx'

interface CreateChannelButtonProps {
  team: TeamPlaces
  people: { id: string; name: string }[]
}

export function CreateChannelButton(props: CreateChannelButtonProps) {
  const t = useTranslations('notifications')
  const [open, setOpen] = useState(false)
  const [secret, setSecret] = useState<string | null>(null)
  return (
    <Modal
      open={open}
      onOpenChange={(next) => {
        setOpen(next)
        // Not on closing: it would still be seen to change.
        if (next) setSecret(null)
      }}
      title={secret === null ? t('createTitle') : t('createdTitle')}
      description={secret === null ? t('createDescription') : t('createdDescription')}
      trigger={
        <Button size="small">
          <Plus aria-hidden />
          {t('create')}
        </Button>
      }
    >
      {secret === null ? (
        <ChannelForm {...props} onDone={(made) => (made === null ? setOpen(false) : setSecret(made))} />
      ) : (
        <ShownOnce label={t('secret')} copyLabel={t('copySecret')} text={secret} />
      )}
    </Modal>
  )
}
