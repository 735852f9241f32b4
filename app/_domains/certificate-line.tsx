import { Lock, LockOpen } from 'lucide-react'
import { useFormatter, useTranslations } from 'next-intl'
import { isLocalName } from '@/platform/certificates/local-names.ts'
import { baseOf, type Domain } from '@/platform/model/domains.ts'

/** What a name is served with, and until when that is good. */
export function CertificateLine({ domain }: { domain: Domain }) {
  const t = useTranslations('domains.certificate')
  const format = useFormatter()
  const { name, certificate, issuance, secureUrl, sendsToHttps } = domain
  if (certificate === null)
    return (
      <p className="flex items-start gap-2 text-muted">
        <LockOpen aria-hidden className="mt-[3px] size-4 shrink-0" />
        {t(issuance === null && !isLocalName(baseOf(name)) ? 'nobodyAsked' : 'none')}
      </p>
    )
  const at = new Date(certificate.expiresAt)
  const until = format.dateTime(at, { dateStyle: 'medium' })
  return (
    <p className="flex items-start gap-2 text-muted">
      <Lock aria-hidden className="mt-[3px] size-4 shrink-0" />
      <span className="flex min-w-0 flex-wrap gap-x-2 gap-y-1">
        <span>{at < new Date() ? t('ended', { until }) : t(certificate.source, { until })}</span>
        {sendsToHttps && <span>{t('alone')}</span>}
        {secureUrl !== null && (
          <a href={secureUrl} target="_blank" rel="noreferrer" className="break-all hover:underline">
            {secureUrl}
          </a>
        )}
      </span>
    </p>
  )
}
