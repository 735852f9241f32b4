import { Lock, LockOpen } from 'lucide-react'
import { useFormatter, useTranslations } from 'next-intl'
import type { Domain } from '@/platform/model/domains.ts'

/** What a name is served with, and until when that is good. */
export function CertificateLine({ domain: { certificate, secureUrl, sendsToHttps } }: { domain: Domain }) {
  const t = useTranslations('domains.certificate')
  const format = useFormatter()
  if (certificate === null)
    return (
      <p className="flex items-center gap-2 text-muted">
        <LockOpen aria-hidden className="size-4 shrink-0" />
        {t('none')}
      </p>
    )
  const at = new Date(certificate.expiresAt)
  const until = format.dateTime(at, { dateStyle: 'medium' })
  return (
    <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-muted">
      <Lock aria-hidden className="size-4 shrink-0" />
      <span>{at < new Date() ? t('ended', { until }) : t(certificate.source, { until })}</span>
      {sendsToHttps && <span>{t('alone')}</span>}
      {secureUrl !== null && (
        <a href={secureUrl} target="_blank" rel="noreferrer" className="break-all hover:underline">
          {secureUrl}
        </a>
      )}
    </p>
  )
}
