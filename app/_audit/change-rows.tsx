import { ArrowRight } from 'lucide-react'
import { useTranslations } from 'next-intl'
import type { AuditEvent } from '@/platform/model/resources.ts'

/** What differs, field by field, and what else was written down. */
export function ChangeRows({ changes, detail }: Pick<AuditEvent, 'changes' | 'detail'>) {
  const t = useTranslations('audit')
  const facts = Object.entries(detail)
  if (changes.length + facts.length === 0) return null
  return (
    <dl className="mt-2 space-y-1 text-[13px]">
      {changes.map(({ field, before, after }) => (
        <div key={field} className="flex flex-wrap items-baseline gap-x-2 gap-y-0.5">
          <dt className="break-all font-mono text-muted text-xs">{field}</dt>
          <dd className="flex min-w-0 flex-wrap items-baseline gap-x-1.5">
            {before !== null && (
              <>
                <span className="sr-only">{t('before')}</span>
                <Value value={before} className="bg-danger-soft text-danger" />
                <ArrowRight aria-hidden className="size-3.5 self-center text-muted" />
              </>
            )}
            <span className="sr-only">{t('after')}</span>
            <Value value={after} className="bg-success-soft text-success" />
          </dd>
        </div>
      ))}
      {facts.map(([name, value]) => (
        <div key={name} className="flex flex-wrap items-baseline gap-x-2">
          <dt className="break-all font-mono text-muted text-xs">{name}</dt>
          <dd className="min-w-0">
            <Value value={value} className="bg-sunken" />
          </dd>
        </div>
      ))}
    </dl>
  )
}

function Value({ value, className }: { value: unknown; className: string }) {
  const t = useTranslations('audit')
  if (value === null || value === undefined) return <span className="text-muted">{t('none')}</span>
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return (
    <code className={`break-all rounded px-1 py-0.5 font-mono text-xs ${className}`}>{text || '""'}</code>
  )
}
