'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { joinAction } from '../../_actions/members.ts'
import { TextField } from '../../_ui/field.client.tsx'
import { EntryForm } from '../../_ui/form.client.tsx'
import { useAction } from '../../_ui/use-action.ts'
import { NewPasswordField } from '../new-password-field.client.tsx'
import { openSession } from '../open-session.ts'

/** An account for the invited address. */
export function JoinForm({ token, email }: { token: string; email: string }) {
  const t = useTranslations('join')
  const tSetup = useTranslations('setup')
  const tSignIn = useTranslations('signIn')
  const { run, pending, form, errorOf, summary } = useAction()
  const [password, setPassword] = useState('')
  const [entering, setEntering] = useState(false)
  const problem = summary(['name', 'password'])
  return (
    <EntryForm
      form={form}
      onSubmit={(data) => {
        const name = String(data.get('name') ?? '')
        run(() => joinAction({ token, name, password }), {
          onDone: async ({ path }) => {
            setEntering(true)
            const failed = await openSession(email, password)
            window.location.assign(failed === null ? path : '/sign-in')
          },
        })
      }}
      problem={problem}
      pending={pending || entering}
      submit={t('join')}
    >
      <TextField
        label={tSignIn('email')}
        name="email"
        type="email"
        value={email}
        readOnly
        autoComplete="username"
      />
      <TextField label={tSetup('name')} name="name" autoComplete="name" error={errorOf('name')} autoFocus />
      <NewPasswordField password={password} onPasswordChange={setPassword} error={errorOf('password')} />
    </EntryForm>
  )
}
