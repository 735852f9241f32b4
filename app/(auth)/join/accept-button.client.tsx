'use client'

import { signOut } from 'next-auth/react'
import { useTranslations } from 'next-intl'
import { useTransition } from 'react'
import { acceptInvitationAction } from '../../_actions/members.ts'
import { Button } from '../../_ui/button.tsx'
import { EntryForm } from '../../_ui/form.client.tsx'
import { Notice } from '../../_ui/notice.tsx'
import { useAction } from '../../_ui/use-action.ts'

interface AcceptButtonProps {
  token: string
  /** The address that is signed in, where it is another than the one that was invited. */
  asWhom: string | null
}

export function AcceptButton({ token, asWhom }: AcceptButtonProps) {
  const t = useTranslations('join')
  const { run, pending, form, summary } = useAction()
  const [leaving, start] = useTransition()
  const problem = summary()
  if (asWhom !== null) {
    return (
      <div className="space-y-4">
        <Notice tone="warning">{t('otherAccount', { email: asWhom })}</Notice>
        <Button
          className="w-full"
          pending={leaving}
          onClick={() =>
            start(async () => {
              await signOut({ redirect: false })
              window.location.reload()
            })
          }
        >
          {t('signOut')}
        </Button>
      </div>
    )
  }
  return (
    <EntryForm
      form={form}
      onSubmit={() => {
        run(() => acceptInvitationAction(token), { onDone: ({ path }) => window.location.assign(path) })
      }}
      problem={problem}
      pending={pending}
      submit={t('accept')}
    />
  )
}
