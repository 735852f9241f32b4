'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { type Quota, type QuotaName, quotaNames } from '@/platform/model/quotas.ts'
import { changeQuotaAction } from '../../../../_actions/teams.ts'
import { TextField } from '../../../../_ui/field.client.tsx'
import { Form } from '../../../../_ui/form.client.tsx'
import { useAction } from '../../../../_ui/use-action.ts'

/** How many of the model's units the form's unit is. */
const units: Record<QuotaName, { size: number; suffix?: string }> = {
  apps: { size: 1 },
  memoryBytes: { size: 2 ** 30, suffix: 'GiB' },
  cpuMillis: { size: 1_000 },
  diskBytes: { size: 2 ** 30, suffix: 'GiB' },
  logBytes: { size: 2 ** 30, suffix: 'GiB' },
  builds: { size: 1 },
  ports: { size: 1 },
}

function textOf(name: QuotaName, limits: Quota): string {
  const limit = limits[name]
  return limit === null ? '' : String(Math.round((limit / units[name].size) * 1_000) / 1_000)
}

function limitOf(name: QuotaName, text: string): number | null {
  return text.trim() === '' ? null : Math.round(Number(text) * units[name].size)
}

/** For administrators of the installation. An empty field is no limit. */
export function QuotaForm({ teamId, limits }: { teamId: string; limits: Quota }) {
  const t = useTranslations('teamPages')
  const tCommon = useTranslations('common')
  const { run, pending, form, errorOf, summary } = useAction()
  const [texts, setTexts] = useState(
    () =>
      Object.fromEntries(quotaNames.map((name) => [name, textOf(name, limits)])) as Record<QuotaName, string>,
  )
  const problem = summary([...quotaNames])
  return (
    <Form
      form={form}
      onSubmit={() => {
        const wanted = Object.fromEntries(quotaNames.map((name) => [name, limitOf(name, texts[name])]))
        run(() => changeQuotaAction(teamId, wanted), { done: tCommon('saved') })
      }}
      problem={problem}
      pending={pending}
      submit={tCommon('save')}
    >
      <div className="grid gap-4 sm:grid-cols-2">
        {quotaNames.map((name) => (
          <TextField
            key={name}
            label={t(`quota.${name}`)}
            name={name}
            inputMode="decimal"
            placeholder={t('noLimit')}
            suffix={units[name].suffix}
            value={texts[name]}
            onValueChange={(text) => setTexts({ ...texts, [name]: text })}
            error={errorOf(name)}
          />
        ))}
      </div>
    </Form>
  )
}
