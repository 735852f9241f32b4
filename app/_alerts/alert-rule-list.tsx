import { BellOff, BellRing, CircleCheck, Hourglass } from 'lucide-react'
import { useTranslations } from 'next-intl'
import type { AlertRule } from '@/platform/model/alerts.ts'
import { useAlertWords } from '../_ui/alert-words.ts'
import { Badge, type Tone } from '../_ui/badge.tsx'
import { RelativeTime } from '../_ui/relative-time.client.tsx'
import { AlertRuleControls } from './alert-rule-controls.client.tsx'

interface AlertRuleListProps {
  of: { subject: 'app' | 'host'; id: string }
  rules: AlertRule[]
  canEdit: boolean
  label: string
}

/** Each rule in a sentence, with how it stands and what can be done with it. */
export function AlertRuleList({ of, rules, canEdit, label }: AlertRuleListProps) {
  return (
    <ul aria-label={label} className="divide-y border-t">
      {rules.map((rule) => (
        <AlertRuleRow key={rule.rule} of={of} rule={rule} canEdit={canEdit} />
      ))}
    </ul>
  )
}

const looks: Record<AlertRule['state'], { tone: Tone; icon: typeof BellRing }> = {
  firing: { tone: 'danger', icon: BellRing },
  pending: { tone: 'warning', icon: Hourglass },
  ok: { tone: 'success', icon: CircleCheck },
  off: { tone: 'neutral', icon: BellOff },
}

interface AlertRuleRowProps extends Pick<AlertRuleListProps, 'of' | 'canEdit'> {
  rule: AlertRule
}

function AlertRuleRow({ of, rule, canEdit }: AlertRuleRowProps) {
  const t = useTranslations('alerts')
  const words = useAlertWords()
  const { tone, icon: Icon } = looks[rule.state]
  const facts = [
    ...(rule.value === null ? [] : [t('now', { value: words.value(rule.rule, rule.value) })]),
    ...(rule.about === null ? [] : [words.about(rule.about)]),
  ]
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-3 px-5 py-3.5">
      <div className="min-w-0 flex-[1_1_18rem]">
        <p className="break-words font-medium">{words.sentence(of.subject, rule)}</p>
        <p className="break-words text-muted text-xs">
          {facts.length > 0 && <>{facts.join(' · ')} · </>}
          {rule.lastFiredAt === null ? (
            t('neverFired')
          ) : (
            <>
              {t('lastFired')} <RelativeTime at={rule.lastFiredAt} />
            </>
          )}
        </p>
      </div>
      <p className="flex items-center gap-2 text-muted text-xs">
        <Badge tone={tone}>
          <Icon aria-hidden />
          {t(`state.${rule.state}`)}
        </Badge>
        {rule.since !== null && (
          <span>
            {t('since')} <RelativeTime at={rule.since} />
          </span>
        )}
      </p>
      {canEdit && <AlertRuleControls of={of} rule={rule} />}
    </li>
  )
}
