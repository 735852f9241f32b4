'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import type { MailState } from '@/platform/model/mail-settings.ts'
import { testMailAction } from '../../../_actions/sign-in.ts'
import { Button } from '../../../_ui/button.tsx'
import { TextField } from '../../../_ui/field.client.tsx'
import { Notice } from '../../../_ui/notice.tsx'
import { RelativeTime } from '../../../_ui/relative-time.client.tsx'
import { useAction } from '../../../_ui/use-action.ts'

/** Sends a letter at once and shows what the server said; and how the letters that wait are. */
export function MailTest({ state, to }: { state: MailState; to: string }) {
  const t = useTranslations('signInAdmin')
  const { run, pending, form, errorOf, summary } = useAction({ refresh: false })
  const [said, setSaid] = useState<{ taken: boolean; answer: string } | null>(null)
  const problem = summary(['to'])
  return (
    <div className="space-y-4 border-t p-5">
      {state.waiting > 0 && (
        <p role="status" className="text-muted">
          {t('waiting', { count: state.waiting })}
        </p>
      )}
      {state.lastFailure !== null && (
        <Notice tone="warning">
          {t('lastFailure')} <RelativeTime at={state.lastFailure.at} />:{' '}
          <span className="break-words">{state.lastFailure.reason}</span>
        </Notice>
      )}
      <form
        ref={form}
        noValidate
        className="flex flex-wrap items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault()
          const address = String(new FormData(event.currentTarget).get('to') ?? '')
          setSaid(null)
          run(() => testMailAction(address), { onDone: setSaid })
        }}
      >
        <TextField
          className="flex-[1_1_14rem]"
          label={t('testTo')}
          name="to"
          type="email"
          defaultValue={to}
          error={errorOf('to')}
        />
        <Button type="submit" pending={pending}>
          {t('sendTest')}
        </Button>
      </form>
      {problem !== null && <Notice tone="danger">{problem}</Notice>}
      {said !== null && (
        <Notice tone={said.taken ? 'success' : 'danger'}>
          {said.taken ? t('taken') : t('notTaken')}
          <code className="mt-1 block break-words font-mono text-[13px]">{said.answer}</code>
        </Notice>
      )}
    </div>
  )
}
