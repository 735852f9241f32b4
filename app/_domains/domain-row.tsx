import { CircleAlert, CircleCheck, CircleX, Clock } from 'lucide-react'
import { useTranslations } from 'next-intl'
import type { Domain, DomainCheck } from '@/platform/model/domains.ts'
import { Badge } from '../_ui/badge.tsx'
import { RelativeTime } from '../_ui/relative-time.client.tsx'
import { CertificateButton, RemoveCertificateButton } from './certificate-button.client.tsx'
import { CertificateLine } from './certificate-line.tsx'
import { CheckDomainButton, RemoveDomainButton } from './domain-buttons.client.tsx'
import { HttpsButton } from './https-button.client.tsx'
import { Issuance } from './issuance.tsx'
import { RecordTable } from './record-table.tsx'
import { RecordsButton } from './records-button.client.tsx'

export function DomainRow({ domain, canChange }: { domain: Domain; canChange: boolean }) {
  const t = useTranslations('domains')
  const { name, displayName, pathPrefix, url, redirectTo, verifiedAt, certificate } = domain
  const shown = `${displayName}${pathPrefix === '/' ? '' : pathPrefix}`
  const isServed = verifiedAt !== null
  return (
    <li className="space-y-3 px-5 py-4">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <span className="min-w-0 break-all font-medium">
          {url !== null && isServed ? (
            <a href={url} target="_blank" rel="noreferrer" className="hover:underline">
              {shown}
            </a>
          ) : (
            shown
          )}
        </span>
        <State domain={domain} />
        {canChange && (
          <span className="ml-auto flex gap-2">
            {!isServed && <CheckDomainButton id={domain.id} name={shown} />}
            <HttpsButton
              {...{ id: domain.id, displayName }}
              {...{ httpsRedirect: domain.httpsRedirect, hstsSeconds: domain.hstsSeconds }}
            />
            {!domain.isGenerated && <RemoveDomainButton id={domain.id} name={shown} isServed={isServed} />}
          </span>
        )}
      </div>
      <p className="text-muted empty:hidden">
        {domain.isGenerated && t('generated')}
        {redirectTo !== null && t('sendsTo', { target: redirectTo })}
        {domain.stripPrefix && t('strips', { prefix: pathPrefix })}
      </p>
      {isServed && (
        <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
          <CertificateLine domain={domain} />
          {canChange && (
            <span className="ml-auto flex flex-wrap gap-2">
              {domain.issuance !== null && <RecordsButton id={domain.id} name={displayName} />}
              <CertificateButton id={domain.id} name={displayName} />
              {certificate?.source === 'custom' && certificate.name === name && (
                <RemoveCertificateButton id={domain.id} name={displayName} />
              )}
            </span>
          )}
        </div>
      )}
      {isServed && <Issuance domain={domain} canChange={canChange} />}
      {!isServed && <Waiting domain={domain} />}
    </li>
  )
}

function State({ domain: { verifiedAt, nextCheckAt, verifiedBy } }: { domain: Domain }) {
  const t = useTranslations('domains')
  if (verifiedAt !== null)
    return (
      <Badge tone="success" title={verifiedBy === null ? undefined : t(`by.${verifiedBy}`)}>
        <CircleCheck aria-hidden />
        {t('active')}
      </Badge>
    )
  return (
    <Badge tone="warning">
      {nextCheckAt === null ? <CircleAlert aria-hidden /> : <Clock aria-hidden />}
      {nextCheckAt === null ? t('givenUp') : t('waiting')}
    </Badge>
  )
}

/** What to do, and what the last look found. */
function Waiting({ domain }: { domain: Domain }) {
  const t = useTranslations('domains')
  const { record, checks, checkedAt, nextCheckAt, name } = domain
  return (
    <div className="space-y-3 rounded-lg bg-sunken px-4 py-3">
      <p>{name.startsWith('*.') ? t('howWildcard') : t('how')}</p>
      {record !== null && <RecordTable name={record.name} value={record.value} />}
      {checks.length > 0 && (
        <ul className="space-y-1.5" aria-label={t('found')}>
          {checks.map((check) => (
            <Check key={check.step} check={check} />
          ))}
        </ul>
      )}
      <p className="text-muted text-xs">
        {checkedAt === null
          ? t('notYet')
          : t.rich('looked', { when: () => <RelativeTime key="when" at={checkedAt} /> })}{' '}
        {nextCheckAt === null ? t('noMore') : t('again')}
      </p>
    </div>
  )
}

function Check({ check: { step, status, found } }: { check: DomainCheck }) {
  const t = useTranslations('domains.check')
  const Icon = status === 'ok' ? CircleCheck : status === 'missing' ? Clock : CircleX
  const tone = status === 'ok' ? 'text-success' : status === 'missing' ? 'text-muted' : 'text-danger'
  return (
    <li className="flex items-start gap-2">
      <Icon aria-hidden className={`mt-[3px] size-4 shrink-0 ${tone}`} />
      <span className="min-w-0 break-words">{t(`${step}.${status}`, { found })}</span>
    </li>
  )
}
