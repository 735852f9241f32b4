'use client'

import { useTranslations } from 'next-intl'
import { PasswordField } from '../_ui/field.client.tsx'
import { PasswordStrength } from './setup/password-strength.client.tsx'

interface NewPasswordFieldProps {
  password: string
  onPasswordChange(password: string): void
  error?: string
  label?: string
}

/** A password that is chosen now, with how good it is. */
export function NewPasswordField({ password, onPasswordChange, error, label }: NewPasswordFieldProps) {
  const t = useTranslations('signIn')
  return (
    <div>
      <PasswordField
        label={label ?? t('password')}
        name="password"
        autoComplete="new-password"
        showLabel={t('show')}
        hideLabel={t('hide')}
        error={error}
        onValueChange={onPasswordChange}
      />
      <PasswordStrength password={password} />
    </div>
  )
}
