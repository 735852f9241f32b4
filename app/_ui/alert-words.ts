import { useLocale, useTranslations } from 'next-intl'
import type { AlertAbout, AlertRuleName } from '@/platform/model/alerts.ts'
import { web } from '@/platform/model/processes.ts'

/** What alerts say, in the reader's language. */
export function useAlertWords() {
  const t = useTranslations('alerts')
  const locale = useLocale()
  const numbers = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 })

  /** Such as `2 h 5 min`; less than a minute is one. */
  function time(seconds: number): string {
    const all = Math.max(1, Math.round(seconds / 60))
    const [days, hours, minutes] = [Math.floor(all / 1_440), Math.floor((all % 1_440) / 60), all % 60]
    return [
      ...(days === 0 ? [] : [t('units.days', { count: days })]),
      ...(hours === 0 ? [] : [t('units.hours', { count: hours })]),
      ...(minutes === 0 ? [] : [t('units.minutes', { count: minutes })]),
    ].join(' ')
  }

  /** The rule itself, such as "Memory above 90 % of its limit for 5 min". */
  function sentence(
    subject: 'app' | 'host',
    { rule, threshold, forSeconds }: { rule: AlertRuleName; threshold: number; forSeconds: number | null },
  ): string {
    const values = { threshold, time: time(forSeconds ?? 0) }
    if (subject === 'host' && (rule === 'cpu' || rule === 'memory' || rule === 'disk'))
      return t(`sentence.host.${rule}`, values)
    return t(`sentence.app.${rule}`, values)
  }

  function value(rule: AlertRuleName, number: number): string {
    return t(`value.${rule}`, { value: numbers.format(number), count: number })
  }

  function about(of: AlertAbout): string {
    if ('volume' in of) return t('volume', { name: of.volume })
    if ('hostname' in of) return of.hostname
    const replica = of.replica + 1
    return of.process === web ? t('replica', { replica }) : t('replicaOf', { replica, process: of.process })
  }

  return { time, sentence, value, about }
}
