'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import type { ActionResult } from '../_actions/result.ts'
import { TextField } from '../_ui/field.client.tsx'
import { EntryForm } from '../_ui/form.client.tsx'
import { useAction } from '../_ui/use-action.ts'

interface AskLinkFormProps {
  title: string
  description: string
  /** Whose words are said of what was sent. */
  words: 'reset' | 'register'
  ask: (email: string) => Promise<ActionResult>
}

/** Asks for an address that a link is sent to. */
export function AskLinkForm({ title, description, words, ask }: AskLinkFormProps) {
  const t = useTranslations(words)
  const tSignIn = useTranslations('signIn')
  const { run, pending, form, errorOf, summary } = useAction({ refresh: false })
  const [sentTo, setSentTo] = useState<string | null>(null)
  const problem = summary(['email'])
  if (sentTo !== null) {
    return (
      <div role="status">
        <h1 className="font-semibold text-xl tracking-tight">{t('sentTitle')}</h1>
        <p className="mt-1 break-words text-muted">{t('sentDescription', { email: sentTo })}</p>
      </div>
    )
  }
  return (
    <>
      <h1 className="font-semibold text-xl tracking-tight">{title}</h1>
      <p className="mt-1 mb-6 text-muted">{description}</p>
      <EntryForm
        form={form}
        onSubmit={(data) => {
          const email = String(data.get('email') ?? '')
          run(() => ask(email), { onDone: () => setSentTo(email) })
        }}
        problem={problem}
        pending={pending}
        submit={t('send')}
      >
        <TextField
          label={tSignIn('email')}
          name="email"
          type="email"
          autoComplete="username"
          error={errorOf('email')}
          autoFocus
        />
      </EntryForm>
    </>
  )
}
