'use client'

import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { useState, useTransition } from 'react'
import { PasswordField, TextField } from '../../_ui/field.client.tsx'
import { EntryForm } from '../../_ui/form.client.tsx'
import { useRetryText } from '../../_ui/use-retry-text.ts'
import { openSession, openSessionWithCode, type SignInProblem } from '../open-session.ts'

interface SignInFormProps {
  next: string
  /** The first step was made at a provider. */
  beginsWithCode: boolean
  /** What went wrong there. */
  said: string | null
}

export function SignInForm({ next, beginsWithCode, said }: SignInFormProps) {
  const t = useTranslations('signIn')
  const retryText = useRetryText()
  const [pending, start] = useTransition()
  const [problem, setProblem] = useState<string | null>(said)
  const [needsCode, setNeedsCode] = useState(beginsWithCode)

  function submit(data: FormData) {
    start(async () => {
      const failed = needsCode
        ? await openSessionWithCode(String(data.get('code') ?? ''))
        : await openSession(String(data.get('email') ?? ''), String(data.get('password') ?? ''))
      setProblem(failed === null ? null : textOf(failed))
      setNeedsCode(failed?.kind === 'secondStep' || (needsCode && failed?.kind !== 'stepGone'))
      // A whole new page: nothing of what strangers see may stay in the browser's cache of pages.
      if (failed === null) window.location.assign(next)
    })
  }

  /** Said once, when it happened: the time in it is one on the clock. */
  function textOf(failed: SignInProblem): string | null {
    switch (failed.kind) {
      case 'rateLimited':
        return retryText(failed.retryAfterSeconds)
      case 'secondStep':
        return null
      case 'wrong':
        return needsCode ? t('wrongCode') : t('wrong')
      case 'stepGone':
      case 'unavailable':
        return t(failed.kind)
    }
  }

  return (
    <EntryForm
      onSubmit={submit}
      problem={problem}
      pending={pending}
      submit={t('submit')}
      actions={
        !needsCode && (
          <p className="text-center text-sm">
            <Link href="/forgot" className="text-muted underline underline-offset-4 hover:text-foreground">
              {t('forgot')}
            </Link>
          </p>
        )
      }
    >
      {needsCode ? (
        <TextField
          key="code"
          label={t('code')}
          name="code"
          description={t('codeDescription')}
          autoComplete="one-time-code"
          autoFocus
          required
        />
      ) : (
        <>
          <TextField
            label={t('email')}
            name="email"
            type="email"
            autoComplete="username"
            autoFocus
            required
          />
          <PasswordField
            label={t('password')}
            name="password"
            autoComplete="current-password"
            showLabel={t('show')}
            hideLabel={t('hide')}
          />
        </>
      )}
    </EntryForm>
  )
}
