'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { disableTwoFactorAction, renewRecoveryCodesAction } from '../../_actions/two-factor.ts'
import { Button } from '../../_ui/button.tsx'
import { Modal } from '../../_ui/dialog.client.tsx'
import { ProofForm, RecoveryCodes } from './two-factor-forms.client.tsx'

const asksOf = (hasPassword: boolean): ('password' | 'code')[] =>
  hasPassword ? ['password', 'code'] : ['code']

export function RenewCodes({ hasPassword }: { hasPassword: boolean }) {
  const t = useTranslations('twoFactor')
  const [open, setOpen] = useState(false)
  const [codes, setCodes] = useState<string[] | null>(null)
  return (
    <Modal
      open={open}
      onOpenChange={(next) => {
        setOpen(next)
        if (next) setCodes(null)
        else if (codes !== null) window.location.reload()
      }}
      title={codes === null ? t('renew') : t('codesTitle')}
      description={codes === null ? t('renewDescription') : t('codesDescription')}
      trigger={<Button size="small">{t('renew')}</Button>}
    >
      {codes === null ? (
        <ProofForm
          asks={asksOf(hasPassword)}
          submit={t('renew')}
          action={renewRecoveryCodesAction}
          onDone={({ recoveryCodes }) => setCodes(recoveryCodes)}
        />
      ) : (
        <RecoveryCodes codes={codes} />
      )}
    </Modal>
  )
}

export function TurnOffTwoFactor({ hasPassword }: { hasPassword: boolean }) {
  const t = useTranslations('twoFactor')
  const [open, setOpen] = useState(false)
  return (
    <Modal
      open={open}
      onOpenChange={setOpen}
      title={t('turnOff')}
      description={t('turnOffDescription')}
      trigger={<Button size="small">{t('turnOff')}</Button>}
    >
      <ProofForm
        isDanger
        asks={asksOf(hasPassword)}
        submit={t('turnOff')}
        action={disableTwoFactorAction}
        onDone={() => window.location.reload()}
      />
    </Modal>
  )
}
