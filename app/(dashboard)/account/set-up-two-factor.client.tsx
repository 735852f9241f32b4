'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { beginTwoFactorAction, confirmTwoFactorAction } from '../../_actions/two-factor.ts'
import { Button } from '../../_ui/button.tsx'
import { CopyButton } from '../../_ui/copy-button.client.tsx'
import { Modal } from '../../_ui/dialog.client.tsx'
import { TextField } from '../../_ui/field.client.tsx'
import { Form } from '../../_ui/form.client.tsx'
import { QrCode } from '../../_ui/qr-code.client.tsx'
import { useAction } from '../../_ui/use-action.ts'
import { ProofForm, RecoveryCodes } from './two-factor-forms.client.tsx'

type Step =
  | { at: 'password' }
  | { at: 'app'; secret: string; uri: string }
  | { at: 'codes'; recoveryCodes: string[] }

interface SetUpTwoFactorProps {
  hasPassword: boolean
  /** Nothing is left to set up; the dialog may still show the recovery codes. */
  isOn: boolean
}

/**
 * Password, app, recovery codes: three steps in one dialog. The page may read itself anew in between, since other sessions
 * end: the dialog has to stay, or nobody would ever see the codes.
 */
export function SetUpTwoFactor({ hasPassword, isOn }: SetUpTwoFactorProps) {
  const t = useTranslations('twoFactor')
  const [open, setOpen] = useState(false)
  const [step, setStep] = useState<Step>({ at: 'password' })
  return (
    <Modal
      open={open}
      onOpenChange={(next) => {
        setOpen(next)
        if (next) setStep({ at: 'password' })
        else if (step.at === 'codes') window.location.reload()
      }}
      title={step.at === 'codes' ? t('codesTitle') : t('title')}
      description={
        step.at === 'codes' ? t('codesDescription') : step.at === 'app' ? t('scan') : t('description')
      }
      trigger={isOn ? undefined : <Button size="small">{t('setUp')}</Button>}
    >
      {step.at === 'password' && (
        <ProofForm
          asks={hasPassword ? ['password'] : []}
          submit={t('continue')}
          action={beginTwoFactorAction}
          onDone={(data) => setStep({ at: 'app', ...data })}
        />
      )}
      {step.at === 'app' && (
        <ConfirmForm {...step} onDone={(recoveryCodes) => setStep({ at: 'codes', recoveryCodes })} />
      )}
      {step.at === 'codes' && <RecoveryCodes codes={step.recoveryCodes} />}
    </Modal>
  )
}

interface ConfirmFormProps {
  secret: string
  uri: string
  onDone(recoveryCodes: string[]): void
}

function ConfirmForm({ secret, uri, onDone }: ConfirmFormProps) {
  const t = useTranslations('twoFactor')
  const { run, pending, form, errorOf, summary } = useAction({ refresh: false })
  const problem = summary(['code'])
  return (
    <Form
      form={form}
      onSubmit={(data) => {
        const code = String(data.get('code') ?? '')
        run(() => confirmTwoFactorAction({ code }), { onDone: ({ recoveryCodes }) => onDone(recoveryCodes) })
      }}
      problem={problem}
      pending={pending}
      submit={t('turnOn')}
    >
      <div className="flex justify-center">
        <QrCode text={uri} label={t('qr')} />
      </div>
      <div className="flex items-end gap-2">
        <TextField className="flex-1" label={t('key')} value={secret} readOnly mono />
        <CopyButton text={secret} label={t('copyKey')} />
      </div>
      <TextField
        label={t('code')}
        name="code"
        inputMode="numeric"
        autoComplete="one-time-code"
        error={errorOf('code')}
        autoFocus
      />
    </Form>
  )
}
