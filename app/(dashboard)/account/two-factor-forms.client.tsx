'use client'

import { useTranslations } from 'next-intl'
import type { ProofInput } from '@/platform/model/inputs.ts'
import type { ActionResult } from '../../_actions/result.ts'
import { Button } from '../../_ui/button.tsx'
import { CopyButton } from '../../_ui/copy-button.client.tsx'
import { ModalClose } from '../../_ui/dialog.client.tsx'
import { PasswordField, TextField } from '../../_ui/field.client.tsx'
import { DialogForm } from '../../_ui/form.client.tsx'
import { useAction } from '../../_ui/use-action.ts'

interface ProofFormProps<Data> {
  asks: ('password' | 'code')[]
  submit: string
  isDanger?: boolean
  action(input: ProofInput): Promise<ActionResult<Data>>
  onDone(data: Data): void
}

/** That whoever sits at the open session is its owner. */
export function ProofForm<Data>({ asks, submit, isDanger, action, onDone }: ProofFormProps<Data>) {
  const t = useTranslations('twoFactor')
  const tSignIn = useTranslations('signIn')
  const { run, pending, form, errorOf, summary } = useAction({ refresh: false })
  const problem = summary(asks)
  return (
    <DialogForm
      form={form}
      onSubmit={(data) => {
        const input = { password: String(data.get('password') ?? ''), code: String(data.get('code') ?? '') }
        run(() => action(input), { onDone })
      }}
      problem={problem}
      pending={pending}
      submit={submit}
      tone={isDanger ? 'danger' : 'primary'}
    >
      {asks.includes('password') && (
        <PasswordField
          label={t('password')}
          name="password"
          autoComplete="current-password"
          showLabel={tSignIn('show')}
          hideLabel={tSignIn('hide')}
          error={errorOf('password')}
        />
      )}
      {asks.includes('code') && (
        <TextField label={t('anyCode')} name="code" autoComplete="one-time-code" error={errorOf('code')} />
      )}
    </DialogForm>
  )
}

/** Shown this once. */
export function RecoveryCodes({ codes }: { codes: string[] }) {
  const t = useTranslations('twoFactor')
  const tCommon = useTranslations('common')
  return (
    <div className="space-y-4">
      <ul
        aria-label={t('codesTitle')}
        className="grid gap-x-6 gap-y-1 rounded-lg bg-sunken p-4 font-mono text-[13px] sm:grid-cols-2"
      >
        {codes.map((code) => (
          <li key={code} className="break-all">
            {code}
          </li>
        ))}
      </ul>
      <div className="flex justify-end gap-2">
        <CopyButton text={codes.join('\n')} label={t('copyCodes')} />
        <ModalClose render={<Button tone="primary">{tCommon('done')}</Button>} />
      </div>
    </div>
  )
}
