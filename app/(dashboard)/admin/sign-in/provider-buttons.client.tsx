'use client'

import { Plus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import type { SignInProvider } from '@/platform/model/sign-in-settings.ts'
import { deleteProviderAction } from '../../../_actions/sign-in.ts'
import { Button } from '../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../_ui/confirm-dialog.client.tsx'
import { DialogButton } from '../../../_ui/dialog.client.tsx'
import { ProviderForm } from './provider-form.client.tsx'

export function AddProviderButton({ callbackBase }: { callbackBase: string }) {
  const t = useTranslations('signInAdmin')
  return (
    <DialogButton
      title={t('addTitle')}
      description={t('addDescription')}
      trigger={
        <Button size="small">
          <Plus aria-hidden />
          {t('add')}
        </Button>
      }
    >
      {(close) => <ProviderForm provider={null} callbackBase={callbackBase} onDone={close} />}
    </DialogButton>
  )
}

interface ChangeProviderButtonProps {
  provider: SignInProvider
  callbackBase: string
}

export function ChangeProviderButton({ provider, callbackBase }: ChangeProviderButtonProps) {
  const t = useTranslations('signInAdmin')
  return (
    <DialogButton
      title={t('changeTitle', { name: provider.name })}
      trigger={
        <Button size="small" aria-label={t('changeName', { name: provider.name })}>
          {t('change')}
        </Button>
      }
    >
      {(close) => <ProviderForm provider={provider} callbackBase={callbackBase} onDone={close} />}
    </DialogButton>
  )
}

export function RemoveProviderButton({ id, name }: { id: string; name: string }) {
  const t = useTranslations('signInAdmin')
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
      action={() => deleteProviderAction(id)}
    />
  )
}
