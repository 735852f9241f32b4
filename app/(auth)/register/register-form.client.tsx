'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { registerAction } from '../../_actions/sign-in.ts'
import { TextField } from '../../_ui/field.client.tsx'
import { EntryForm } from '../../_ui/form.client.tsx'
import { useAction } from '../../_ui/use-action.ts'
import { NewPasswordField } from '../new-password-field.client.tsx'
import { openSession } from '../open-session.ts'

/** An account for the address that the link was sent to. */
export function RegisterForm({ token, email }: { token: string; email: string }) {
  const t = useTranslations('register')
  const tSetup = useTranslations('setup')
  // The page would say of its own link that it was used.
  const { run, pending, form, errorOf, summary } = useAction({ refresh: false })
  const [password, setPassword] = useState('')
  const [entering, setEntering] = useState(false)
  const problem = summary(['name', 'password'])
  return (
    <>
      <h1 className="font-semibold text-xl tracking-tight">{t('makeTitle')}</h1>
      <p className="mt-1 mb-6 break-words text-muted">{t('makeDescription', { email })}</p>
      <EntryForm
        form={form}
        onSubmit={(data) => {
          const name = String(data.get('name') ?? '')
          run(() => registerAction({ token, name, password }), {
            onDone: async () => {
              setEntering(true)
              const failed = await openSession(email, password)
              window.location.assign(failed === null ? '/' : '/sign-in')
            },
          })
        }}
        problem={problem}
        pending={pending || entering}
        submit={t('submit')}
      >
        {/* So that password managers know whose password this is. */}
        <input type="email" name="email" value={email} autoComplete="username" readOnly hidden />
        <TextField label={tSetup('name')} name="name" autoComplete="name" error={errorOf('name')} autoFocus />
        <NewPasswordField password={password} onPasswordChange={setPassword} error={errorOf('password')} />
      </EntryForm>
    </>
  )
}
