'use client'

import { useTranslations } from 'next-intl'
import { beginLinkAction, unlinkIdentityAction } from '../../_actions/sign-in.ts'
import { Button } from '../../_ui/button.tsx'
import { ConfirmDialog } from '../../_ui/confirm-dialog.client.tsx'
import { DialogButton } from '../../_ui/dialog.client.tsx'
import { leaveFor } from '../../(auth)/open-session.ts'
import { ProofForm } from './two-factor-forms.client.tsx'

interface LinkButtonProps {
  id: string
  name: string
  hasPassword: boolean
}

export function LinkButton({ id, name, hasPassword }: LinkButtonProps) {
  const t = useTranslations('identities')
  return (
    <DialogButton
      title={t('linkTitle', { name })}
      description={t('linkDescription')}
      trigger={<Button size="small">{t('link', { name })}</Button>}
    >
      {() => (
        <ProofForm
          asks={hasPassword ? ['password'] : []}
          submit={t('continue')}
          action={(input) => beginLinkAction(id, input)}
          onDone={() => leaveFor(id, '/account')}
        />
      )}
    </DialogButton>
  )
}

export function UnlinkButton({ id, name }: { id: string; name: string }) {
  const t = useTranslations('identities')
  return (
    <ConfirmDialog
      title={t('unlinkTitle', { name })}
      description={t('unlinkDescription')}
      confirmLabel={t('unlink')}
      done={t('unlinked')}
      trigger={<Button size="small">{t('unlink')}</Button>}
      action={() => unlinkIdentityAction(id)}
    />
  )
}
