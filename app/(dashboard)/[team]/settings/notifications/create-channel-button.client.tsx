'use client'

import { useTranslations } from 'next-intl'
import type { TeamPlaces } from '../../../../_tokens/places.ts'
import { CreateSecretButton } from '../../../../_ui/create-secret-button.client.tsx'
import { ChannelForm } from './channel-form.client.tsx'

interface CreateChannelButtonProps {
  team: TeamPlaces
  people: { id: string; name: string }[]
}

export function CreateChannelButton(props: CreateChannelButtonProps) {
  const t = useTranslations('notifications')
  const words = {
    create: t('create'),
    createTitle: t('createTitle'),
    createDescription: t('createDescription'),
    createdTitle: t('createdTitle'),
    createdDescription: t('createdDescription'),
    secret: t('secret'),
    copy: t('copySecret'),
  }
  return <CreateSecretButton words={words} form={(done) => <ChannelForm {...props} onDone={done} />} />
}
