'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { changePasswordAction } from '../../_actions/account.ts'
import { Button } from '../../_ui/button.tsx'
import { PasswordField } from '../../_ui/field.client.tsx'
import { Notice } from '../../_ui/notice.tsx'
import { useAction } from '../../_ui/use-action.ts'
import { NewPasswordField } from '../../(auth)/new-password-field.client.tsx'

export function PasswordForm() {
  const t = useTranslations('account')
  const tSignIn = useTranslations('signIn')
  const { run, pending, form, errorOf, summary } = useAction()
  const [current, setCurrent] = useState('')
  const [password, setPassword] = useState('')
  // Begins anew when it was changed: the fields keep their text otherwise.
  const [round, setRound] = useState(0)
  const problem = summary(['current', 'password'])
  return (
    <form
      key={round}
      ref={form}
      noValidate
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        run(() => changePasswordAction({ current, password }), {
          done: t('passwordChanged'),
          onDone: () => {
            setCurrent('')
            setPassword('')
            setRound(round + 1)
          },
        })
      }}
    >
      <PasswordField
        label={t('currentPassword')}
        name="current"
        autoComplete="current-password"
        showLabel={tSignIn('show')}
        hideLabel={tSignIn('hide')}
        error={errorOf('current')}
        onValueChange={setCurrent}
      />
      <NewPasswordField
        label={t('newPassword')}
        password={password}
        onPasswordChange={setPassword}
        error={errorOf('password')}
      />
      {problem !== null && <Notice tone="danger">{problem}</Notice>}
      <div className="flex justify-end">
        <Button tone="primary" type="submit" pending={pending}>
          {t('changePassword')}
        </Button>
      </div>
    </form>
  )
}
