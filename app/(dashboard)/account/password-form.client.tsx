'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { changePasswordAction } from '../../_actions/account.ts'
import { PasswordField } from '../../_ui/field.client.tsx'
import { Form } from '../../_ui/form.client.tsx'
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
    <Form
      key={round}
      form={form}
      onSubmit={() => {
        run(() => changePasswordAction({ current, password }), {
          done: t('passwordChanged'),
          onDone: () => {
            setCurrent('')
            setPassword('')
            setRound(round + 1)
          },
        })
      }}
      problem={problem}
      pending={pending}
      submit={t('changePassword')}
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
    </Form>
  )
}
