'use client'

import { useTranslations } from 'next-intl'
import { useState, useTransition } from 'react'
import { Button } from '../../_ui/button.tsx'
import { PasswordField, TextField } from '../../_ui/field.client.tsx'
import { Notice } from '../../_ui/notice.tsx'
import { useRetryText } from '../../_ui/use-retry-text.ts'
import { openSession } from '../open-session.ts'

export function SignInForm({ next }: { next: string }) {
  const t = useTranslations('signIn')
  const retryText = useRetryText()
  const [pending, start] = useTransition()
  const [problem, setProblem] = useState<string | null>(null)

  function submit(data: FormData) {
    const email = String(data.get('email') ?? '')
    const password = String(data.get('password') ?? '')
    start(async () => {
      const failed = await openSession(email, password)
      // Said once, when it happened: the time in it is one on the clock.
      setProblem(
        failed === null
          ? null
          : failed.kind === 'rateLimited'
            ? retryText(failed.retryAfterSeconds)
            : t(failed.kind),
      )
      // A whole new page: nothing of what strangers see may stay in the browser's cache of pages.
      if (failed === null) window.location.assign(next)
    })
  }

  return (
    <form
      noValidate
      method="post"
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        submit(new FormData(event.currentTarget))
      }}
    >
      <TextField label={t('email')} name="email" type="email" autoComplete="username" autoFocus required />
      <PasswordField
        label={t('password')}
        name="password"
        autoComplete="current-password"
        showLabel={t('show')}
        hideLabel={t('hide')}
      />
      {problem !== null && <Notice tone="danger">{problem}</Notice>}
      <Button tone="primary" type="submit" pending={pending} className="w-full">
        {t('submit')}
      </Button>
    </form>
  )
}
