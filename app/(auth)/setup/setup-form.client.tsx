'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { claimAction } from '../../_actions/account.ts'
import { TextField } from '../../_ui/field.client.tsx'
import { EntryForm } from '../../_ui/form.client.tsx'
import { useAction } from '../../_ui/use-action.ts'
import { NewPasswordField } from '../new-password-field.client.tsx'
import { openSession } from '../open-session.ts'

export function SetupForm({ token, teamName }: { token: string; teamName: string }) {
  const t = useTranslations('setup')
  const tSignIn = useTranslations('signIn')
  const { run, pending, form, errorOf, summary } = useAction()
  const [password, setPassword] = useState('')
  const [entering, setEntering] = useState(false)
  const problem = summary(['name', 'team', 'email', 'password'])

  function submit(data: FormData) {
    const email = String(data.get('email') ?? '')
    const name = String(data.get('name') ?? '')
    const team = String(data.get('team') ?? '')
    run(() => claimAction({ token, name, team, email, password }), {
      onDone: async () => {
        setEntering(true)
        const failed = await openSession(email, password)
        window.location.assign(failed === null ? '/' : '/sign-in')
      },
    })
  }

  return (
    <EntryForm
      form={form}
      onSubmit={submit}
      problem={problem}
      pending={pending || entering}
      submit={t('submit')}
    >
      <TextField label={t('name')} name="name" autoComplete="name" error={errorOf('name')} autoFocus />
      <TextField
        label={tSignIn('email')}
        name="email"
        type="email"
        autoComplete="username"
        error={errorOf('email')}
      />
      <NewPasswordField password={password} onPasswordChange={setPassword} error={errorOf('password')} />
      <TextField
        label={t('team')}
        name="team"
        autoComplete="organization"
        defaultValue={teamName}
        description={t('teamDescription')}
        error={errorOf('team')}
      />
    </EntryForm>
  )
}
