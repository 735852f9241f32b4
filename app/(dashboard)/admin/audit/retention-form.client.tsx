'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { setAuditRetentionAction } from '../../../_actions/admin.ts'
import { Button } from '../../../_ui/button.tsx'
import { TextField } from '../../../_ui/field.client.tsx'
import { Notice } from '../../../_ui/notice.tsx'
import { useAction } from '../../../_ui/use-action.ts'

/** For how many days entries are kept. An empty field: for ever. */
export function RetentionForm({ days }: { days: number | null }) {
  const t = useTranslations('audit')
  const tCommon = useTranslations('common')
  const { run, pending, form, errorOf, summary } = useAction()
  const [text, setText] = useState(days === null ? '' : String(days))
  const problem = summary(['days'])
  return (
    <form
      ref={form}
      noValidate
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        const wanted = text.trim() === '' ? null : Number(text)
        run(() => setAuditRetentionAction({ days: wanted }), { done: tCommon('saved') })
      }}
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
      {problem !== null && <Notice tone="danger">{problem}</Notice>}
      <div className="flex justify-end">
        <Button tone="primary" type="submit" pending={pending}>
          {tCommon('save')}
        </Button>
      </div>
    </form>
  )
}
