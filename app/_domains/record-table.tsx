import { useTranslations } from 'next-intl'
import { CopyButton } from '../_ui/copy-button.client.tsx'

/** A record to be set where the domain is managed, each part to be copied. */
export function RecordTable({ name, value }: { name: string; value: string }) {
  const t = useTranslations('domains.record')
  const parts = [
    { key: 'type', text: 'TXT' },
    { key: 'name', text: name },
    { key: 'value', text: value },
  ] as const
  return (
    <dl className="divide-y rounded-lg border bg-surface">
      {parts.map(({ key, text }) => (
        <div key={key} className="flex items-center gap-3 px-3 py-1.5">
          <dt className="w-14 shrink-0 text-muted">{t(key)}</dt>
          <dd className="flex min-w-0 flex-1 items-center justify-between gap-2">
            <code className="min-w-0 break-all text-[13px]">{text}</code>
            {key !== 'type' && <CopyButton text={text} label={t(`copy.${key}`)} />}
          </dd>
        </div>
      ))}
    </dl>
  )
}
