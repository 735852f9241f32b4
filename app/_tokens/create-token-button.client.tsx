'use client'

import { useTranslations } from 'next-intl'
import { CreateSecretButton } from '../_ui/create-secret-button.client.tsx'
import { TokenForm, type TokenFormProps } from './token-form.client.tsx'

export function CreateTokenButton(props: Omit<TokenFormProps, 'onDone'>) {
  const t = useTranslations('account')
  const words = {
    create: t('create'),
    createTitle: t('createTitle'),
    createDescription: t('createDescription'),
    createdTitle: t('createdTitle'),
    createdDescription: t('createdDescription'),
    secret: t('secret'),
    copy: t('copyToken'),
  }
  return <CreateSecretButton words={words} form={(done) => <TokenForm {...props} onDone={done} />} />
}
