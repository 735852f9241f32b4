import type { AlertRule, SetAlertRuleInput } from '@/platform/model/alerts.ts'
import { setAppAlertRuleAction, setHostAlertRuleAction } from '../_actions/alerts.ts'

export interface ShownRule {
  of: { subject: 'app' | 'host'; id: string }
  rule: AlertRule
}

export function setRule({ of, rule }: ShownRule, input: SetAlertRuleInput) {
  return of.subject === 'app'
    ? setAppAlertRuleAction(of.id, rule.rule, input)
    : setHostAlertRuleAction(of.id, rule.rule, input)
}
