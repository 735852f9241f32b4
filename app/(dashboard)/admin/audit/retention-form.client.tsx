'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { setAuditRetentionAction } from '../../../_actions/admin.ts'
import { TextField } from '../../../_ui/field.client.tsx'
import { Form } from '../../../_ui/form.client.tsx'
import { useAction } from '../../../_ui/use-action.ts'

/** For how many days entries are kept. An empty field: for ever. */
export function RetentionForm({ days }: { days: number | null }) {
  const t = useTranslations('audit')
  const tCommon = useTranslations('common')
  const { run, pending, form, errorOf, summary } = useAction()
  const [text, setText] = useState(days === null ? '' : String(days))
  const problem = summary(['days'])
  return (
    <Form
      form={form}
      onSubmit={() => {
        const wanted = text.trim() === '' ? null : Number(text)
        run(() => setAuditRetentionAction({ days: wanted }), { done: tCommon('saved') })
      }}
      problem={problem}
      pending={pending}
      submit={tCommon('save')}
    >
      <TextField
        label={t('retentionDays')}
        name="days"
        inputMode="numeric"
        placeholder={t('forEver')}
        value={text}
        onValueChange={setText}
        error={errorOf('days')}
      />
    </Form>
  )
}
