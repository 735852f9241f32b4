'use client'

import { Switch } from '@base-ui/react/switch'
import { Pencil } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useAlertWords } from '../_ui/alert-words.ts'
import { Button } from '../_ui/button.tsx'
import { DialogButton } from '../_ui/dialog.client.tsx'
import { switchStyle, thumbStyle } from '../_ui/switch.client.tsx'
import { useAction } from '../_ui/use-action.ts'
import { AlertRuleForm } from './alert-rule-form.client.tsx'
import { type ShownRule, setRule } from './set-rule.ts'

/** On or off, and the way to its numbers. */
export function AlertRuleControls({ of, rule }: ShownRule) {
  const t = useTranslations('alerts')
  const words = useAlertWords()
  const { run, pending } = useAction()
  const sentence = words.sentence(of.subject, rule)
  return (
    <div className="flex items-center gap-3">
      <Switch.Root
        aria-label={t('watch', { sentence })}
        checked={rule.isEnabled}
        disabled={pending}
        onCheckedChange={(isEnabled) => {
          const { threshold, forSeconds } = rule
          run(() => setRule({ of, rule }, { isEnabled, threshold, forSeconds }))
        }}
        className={switchStyle}
      >
        <Switch.Thumb className={thumbStyle} />
      </Switch.Root>
      <DialogButton
        title={t(`rule.${rule.rule}`)}
        description={t('usual', {
          sentence: words.sentence(of.subject, { ...rule.default, rule: rule.rule }),
        })}
        trigger={
          <Button size="small" aria-label={t('changeOf', { sentence })}>
            <Pencil aria-hidden />
            {t('change')}
          </Button>
        }
      >
        {(close) => <AlertRuleForm of={of} rule={rule} onDone={close} />}
      </DialogButton>
    </div>
  )
}
