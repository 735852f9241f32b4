import { getTranslations } from 'next-intl/server'
import { listHostAlertRules } from '@/platform/alerts/rules.ts'
import { AlertRuleList } from '../../../_alerts/alert-rule-list.tsx'
import { enter } from '../../../_shell/load.ts'
import { AlertBadge } from '../../../_ui/alert-badge.tsx'

/** What Berth watches of a host: folded away while nothing fires. */
export async function HostAlerts({ id }: { id: string }) {
  const { platform, viewer } = await enter()
  const [t, rules] = await Promise.all([getTranslations('alerts'), listHostAlertRules(platform, viewer, id)])
  const firing = rules.filter(({ state }) => state === 'firing').length
  return (
    <details open={firing > 0} className="border-t">
      <summary className="cursor-pointer px-5 py-3 font-medium -outline-offset-2">
        <span className="mr-2">{t('title')}</span>
        <AlertBadge count={firing} />
      </summary>
      <AlertRuleList of={{ subject: 'host', id }} rules={rules} canEdit label={t('rules')} />
    </details>
  )
}
