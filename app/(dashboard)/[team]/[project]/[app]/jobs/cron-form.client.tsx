'use client'

import { useTranslations } from 'next-intl'
import { useId, useState } from 'react'
import { type CronJob, concurrencies } from '@/platform/model/runs.ts'
import { createCronJobAction, updateCronJobAction } from '../../../../../_actions/jobs.ts'
import { commandFromText, textFromCommand } from '../../../../../_deploy/settings-form.ts'
import { TextAreaField, TextField } from '../../../../../_ui/field.client.tsx'
import { DialogForm } from '../../../../../_ui/form.client.tsx'
import { SelectField } from '../../../../../_ui/select.client.tsx'
import { useAction } from '../../../../../_ui/use-action.ts'
import { msFromMinutes } from './minutes.ts'

type CronFormProps = { onDone(): void } & ({ appId: string } | { job: CronJob })

const shown = ['name', 'schedule', 'timeZone', 'command', 'timeoutMs', 'concurrency']

/** Of a new cron job, or of one that is there. */
export function CronForm(props: CronFormProps) {
  const t = useTranslations('jobs')
  const tCommon = useTranslations('common')
  const job = 'job' in props ? props.job : null
  const { run, pending, errorOf, summary, form } = useAction()
  const [concurrency, setConcurrency] = useState<CronJob['concurrency']>(job?.concurrency ?? 'forbid')
  const zones = useId()
  const problem = summary(shown)

  function submit(data: FormData) {
    const text = (name: string) => String(data.get(name) ?? '').trim()
    const input = {
      name: text('name'),
      schedule: text('schedule'),
      timeZone: text('timeZone'),
      command: commandFromText(text('command')) ?? [],
      timeoutMs: msFromMinutes(text('timeout')),
      concurrency,
    }
    const action = () =>
      'job' in props ? updateCronJobAction(props.job.id, input) : createCronJobAction(props.appId, input)
    run(action, { onDone: props.onDone, done: tCommon('saved') })
  }

  return (
    <DialogForm form={form} onSubmit={submit} problem={problem} pending={pending} submit={tCommon('save')}>
      <TextField label={t('name')} name="name" autoFocus defaultValue={job?.name} error={errorOf('name')} />
      <TextAreaField
        label={t('command')}
        name="command"
        rows={2}
        mono
        defaultValue={textFromCommand(job?.command ?? null)}
        placeholder="bin/report --yesterday"
        description={t('commandDescription')}
        error={errorOf('command')}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField
          label={t('schedule')}
          name="schedule"
          mono
          defaultValue={job?.schedule}
          placeholder="30 2 * * 1-5"
          description={t('scheduleDescription')}
          spellCheck={false}
          error={errorOf('schedule')}
        />
        <TextField
          label={t('timeZone')}
          name="timeZone"
          list={zones}
          defaultValue={job?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone}
          spellCheck={false}
          error={errorOf('timeZone')}
        />
        <datalist id={zones}>
          {['UTC', ...Intl.supportedValuesOf('timeZone')].map((zone) => (
            <option key={zone} value={zone} />
          ))}
        </datalist>
        <SelectField
          label={t('concurrency')}
          items={concurrencies.map((value) => ({ value, label: t(`concurrencies.${value}`) }))}
          value={concurrency}
          onValueChange={(value) => setConcurrency(concurrencies.find((each) => each === value) ?? 'forbid')}
        />
        <TextField
          label={t('timeout')}
          name="timeout"
          inputMode="decimal"
          suffix={t('minutes')}
          defaultValue={String((job?.timeoutMs ?? 3_600_000) / 60_000)}
          error={errorOf('timeoutMs')}
        />
      </div>
    </DialogForm>
  )
}
