import { useLocale, useTranslations } from 'next-intl'

/** When to try again, as how long that is and as what the reader's own clock shows then. */
export function useRetryText(): (seconds: number) => string {
  const locale = useLocale()
  const t = useTranslations('common')
  return (seconds) => {
    const at = new Date(Date.now() + seconds * 1_000)
    // A clock without seconds must not show a time that is too early.
    at.setSeconds(at.getSeconds() + 59)
    const time = at.toLocaleTimeString(locale, { hour: 'numeric', minute: '2-digit' })
    return t('retryAt', { time, minutes: Math.ceil(seconds / 60) })
  }
}
