'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { joinAction } from '../../_actions/members.ts'
import { Button } from '../../_ui/button.tsx'
import { TextField } from '../../_ui/field.client.tsx'
import { Notice } from '../../_ui/notice.tsx'
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
    <form
      ref={form}
      noValidate
      method="post"
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        const name = String(new FormData(event.currentTarget).get('name') ?? '')
        run(() => joinAction({ token, name, password }), {
          onDone: async ({ path }) => {
            setEntering(true)
            const failed = await openSession(email, password)
            window.location.assign(failed === null ? path : '/sign-in')
          },
        })
      }}
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
      {problem !== null && <Notice tone="danger">{problem}</Notice>}
      <Button tone="primary" type="submit" pending={pending || entering} className="w-full">
        {t('join')}
      </Button>
    </form>
  )
}
