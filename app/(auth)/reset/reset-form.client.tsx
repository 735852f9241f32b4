'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { resetPasswordAction } from '../../_actions/reset.ts'
import { ButtonLink } from '../../_ui/button.tsx'
import { EntryForm } from '../../_ui/form.client.tsx'
import { useAction } from '../../_ui/use-action.ts'
import { NewPasswordField } from '../new-password-field.client.tsx'

export function ResetForm({ token, email }: { token: string; email: string }) {
  const t = useTranslations('reset')
  // The page would say of its own link that it was used.
  const { run, pending, form, errorOf, summary } = useAction({ refresh: false })
  const [password, setPassword] = useState('')
  const [isDone, setIsDone] = useState(false)
  const problem = summary(['password'])
  if (isDone) {
    return (
      <div role="status">
        <h1 className="font-semibold text-xl tracking-tight">{t('doneTitle')}</h1>
        <p className="mt-1 text-muted">{t('doneDescription')}</p>
        <ButtonLink href="/sign-in" tone="primary" className="mt-6 w-full">
          {t('signIn')}
        </ButtonLink>
      </div>
    )
  }
  return (
    <>
      <h1 className="font-semibold text-xl tracking-tight">{t('title')}</h1>
      <p className="mt-1 mb-6 break-words text-muted">{t('description', { email })}</p>
      <EntryForm
        form={form}
        onSubmit={() => {
          run(() => resetPasswordAction({ token, password }), { onDone: () => setIsDone(true) })
        }}
        problem={problem}
        pending={pending}
        submit={t('submit')}
      >
        {/* So that password managers know whose password this is. */}
        <input type="email" name="email" value={email} autoComplete="username" readOnly hidden />
        <NewPasswordField password={password} onPasswordChange={setPassword} error={errorOf('password')} />
      </EntryForm>
    </>
  )
}
