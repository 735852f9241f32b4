'use client'

import { useTranslations } from 'next-intl'
import { alertRuleKind } from '@/platform/model/alerts.ts'
import { resetAppAlertRuleAction, resetHostAlertRuleAction } from '../_actions/alerts.ts'
import { Button } from '../_ui/button.tsx'
import { TextField } from '../_ui/field.client.tsx'
import { DialogForm } from '../_ui/form.client.tsx'
import { useAction } from '../_ui/use-action.ts'
import { type ShownRule, setRule } from './set-rule.ts'

/** Threshold and duration of one rule. */
export function AlertRuleForm({ of, rule, onDone }: ShownRule & { onDone(): void }) {
  const t = useTranslations('alerts')
  const tCommon = useTranslations('common')
  const { run, pending, errorOf, summary, form } = useAction()
  const kind = alertRuleKind(of.subject, rule.rule)
  const problem = summary(['threshold', 'forSeconds'])

  function submit(data: FormData) {
    const threshold = numberOf(data, 'threshold')
    const forSeconds = rule.forSeconds === null ? undefined : Math.round(numberOf(data, 'minutes') * 60)
    run(() => setRule({ of, rule }, { isEnabled: rule.isEnabled, threshold, forSeconds }), {
      onDone,
      done: tCommon('saved'),
    })
  }

  function reset() {
    const action = of.subject === 'app' ? resetAppAlertRuleAction : resetHostAlertRuleAction
    run(() => action(of.id, rule.rule), { onDone, done: t('resetDone') })
  }

  return (
    <DialogForm
      form={form}
      onSubmit={submit}
      problem={problem}
      pending={pending}
      submit={tCommon('save')}
      actions={
        !rule.isDefault && (
          <Button className="mr-auto" pending={pending} onClick={reset}>
            {t('reset')}
          </Button>
        )
      }
    >
      <TextField
        label={t(`threshold.${rule.rule}`)}
        name="threshold"
        inputMode="numeric"
        autoFocus
        suffix={kind && t(`suffix.${kind.unit}`)}
        defaultValue={String(rule.threshold)}
        error={errorOf('threshold')}
      />
      {rule.forSeconds !== null && (
        <TextField
          label={t(kind?.isWindow ? 'window' : 'duration')}
          name="minutes"
          inputMode="decimal"
          suffix={t('suffix.minutes')}
          defaultValue={String(rule.forSeconds / 60)}
          error={errorOf('forSeconds')}
        />
      )}
    </DialogForm>
  )
}

/** What is no number is not a number: the platform says so at the field. */
function numberOf(data: FormData, name: string): number {
  const text = String(data.get(name) ?? '').trim()
  return text === '' ? Number.NaN : Number(text.replace(',', '.'))
}
