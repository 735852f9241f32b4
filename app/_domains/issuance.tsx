import { CircleCheck, CircleX, Clock } from 'lucide-react'
import { useFormatter, useTranslations } from 'next-intl'
import type { CertificateStep } from '@/platform/model/certificates.ts'
import type { Domain } from '@/platform/model/domains.ts'
import { TryNowButton } from './certificate-button.client.tsx'
import { RecordTable } from './record-table.tsx'
import { ByHandButton } from './records-button.client.tsx'

/** What the last attempt at a certificate went through, and when the next one is. */
export function Issuance({ domain, canChange }: { domain: Domain; canChange: boolean }) {
  const t = useTranslations('domains.issuance')
  const format = useFormatter()
  const { issuance } = domain
  if (issuance === null) return null
  const { status, steps, nextAt, recordsBy } = issuance
  // What sets it needs nobody's help.
  const record = recordsBy === null ? issuance.record : null
  const isOver = status === 'active' && steps.every((step) => step.status === 'ok')
  const setBy = recordsBy !== null && (
    <div className="flex flex-wrap items-center gap-3 text-muted">
      <span>{t('recordsBy', { where: recordsBy.where })}</span>
      {canChange && <ByHandButton id={domain.id} name={domain.displayName} />}
    </div>
  )
  const list = (
    <ul className="space-y-1.5" aria-label={t('steps')}>
      {steps.map((step) => (
        <Step key={step.step} step={step} />
      ))}
    </ul>
  )
  if (isOver)
    return (
      <details>
        <summary className="w-fit cursor-pointer text-muted">{t('how')}</summary>
        <div className="mt-3 space-y-3 rounded-lg bg-sunken px-4 py-3">
          {list}
          {setBy}
        </div>
      </details>
    )
  return (
    <div className="space-y-3 rounded-lg bg-sunken px-4 py-3" role="status">
      <p>{record === null ? t(status) : t('record')}</p>
      {record !== null && <RecordTable name={record.name} value={record.value} />}
      {list}
      {setBy}
      <div className="flex flex-wrap items-center gap-3 text-muted text-xs">
        {nextAt !== null && status !== 'working' && (
          <span>
            {t('next', {
              at: format.dateTime(new Date(nextAt), { dateStyle: 'medium', timeStyle: 'short' }),
            })}
          </span>
        )}
        {canChange && status !== 'working' && <TryNowButton id={domain.id} name={domain.displayName} />}
      </div>
    </div>
  )
}

function Step({ step: { step, status, found } }: { step: CertificateStep }) {
  const t = useTranslations('domains.issuance.step')
  const Icon = status === 'ok' ? CircleCheck : status === 'working' ? Clock : CircleX
  const tone = status === 'ok' ? 'text-success' : status === 'working' ? 'text-muted' : 'text-danger'
  return (
    <li className="flex items-start gap-2">
      <Icon aria-hidden className={`mt-[3px] size-4 shrink-0 ${tone}`} />
      <span className="min-w-0 break-words">
        {t(`${step}.${status === 'wrong' ? 'failed' : status}`, { found })}
      </span>
    </li>
  )
}
