/** What an app's or a host's rules say: what is stored of them, over what they are by default. */
import type { Transaction } from '../database.ts'
import {
  type AlertRuleKind,
  type AlertRuleName,
  type AlertSetting,
  type AlertSubject,
  alertRuleKinds,
  usualSetting,
} from '../model/alerts.ts'

export interface EffectiveRule {
  rule: AlertRuleName
  kind: AlertRuleKind
  setting: AlertSetting
}

export interface Subject {
  subject: AlertSubject
  id: string
}

/** The columns that say whose a row is. */
export const ownerOf = ({ subject, id }: Subject) => (subject === 'app' ? { appId: id } : { hostId: id })

/** All rules of these, by id, in the order in which they are shown. */
export async function settingsOf(
  db: Transaction,
  subjects: readonly Subject[],
): Promise<Map<string, EffectiveRule[]>> {
  const ids = subjects.map(({ id }) => id)
  const rows = await db.alertRule.findMany({ where: { subject: { in: ids } } })
  const stored = new Map(rows.map((row) => [`${row.subject} ${row.rule}`, row]))
  return new Map(
    subjects.map(({ subject, id }) => {
      const rules = Object.entries<AlertRuleKind>(alertRuleKinds[subject]).map(([rule, kind]) => ({
        rule: rule as AlertRuleName,
        kind,
        setting: over(usualSetting(kind), stored.get(`${id} ${rule}`)),
      }))
      return [id, rules]
    }),
  )
}

interface Stored {
  isEnabled: boolean | null
  threshold: number | null
  forSeconds: number | null
}

function over(usual: AlertSetting, stored: Stored | undefined): AlertSetting {
  if (stored === undefined) return usual
  return {
    isEnabled: stored.isEnabled ?? usual.isEnabled,
    threshold: stored.threshold ?? usual.threshold,
    forSeconds: stored.forSeconds ?? usual.forSeconds,
  }
}
