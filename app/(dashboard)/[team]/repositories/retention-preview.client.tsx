'use client'

import { useLocale, useTranslations } from 'next-intl'
import type { RetentionPlan, RetentionReason } from '@/platform/model/repositories.ts'
import { Badge } from '../../../_ui/badge.tsx'
import { formatBytes } from '../../../_ui/format.ts'

/** What would go, and why each other thing stays. */
export function RetentionPreview({ plan }: { plan: RetentionPlan }) {
  const t = useTranslations('repositories.retention')
  const locale = useLocale()
  const rows = [
    ...plan.tags.map(({ name, keptBy }) => ({ key: name, name, note: '', keptBy })),
    ...plan.untagged.map(({ digest, sizeBytes, keptBy }) => ({
      ...{ key: digest, name: digest.slice(0, 19), note: formatBytes(sizeBytes, locale), keptBy },
    })),
  ]
  const going = rows.filter(({ keptBy }) => keptBy.length === 0).length
  return (
    <section aria-label={t('preview')} className="space-y-2">
      <p role="status" className="font-medium">
        {t('going', { count: going, all: rows.length })}
      </p>
      <ul className="max-h-96 divide-y overflow-y-auto rounded-lg border">
        {rows.map(({ key, name, note, keptBy }) => (
          <li key={key} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2">
            <span className="min-w-0 flex-[1_1_10rem] break-all font-mono text-[13px]">{name}</span>
            {note !== '' && <span className="text-muted text-xs">{note}</span>}
            {keptBy.length === 0 ? (
              <Badge tone="danger">{t('goes')}</Badge>
            ) : (
              <span className="text-muted text-xs">{[...new Set(keptBy.map(words))].join(' · ')}</span>
            )}
          </li>
        ))}
      </ul>
    </section>
  )

  function words(reason: RetentionReason): string {
    switch (reason.kind) {
      case 'all-tags':
        return t('reason.all-tags')
      case 'newest':
        return t('reason.newest', { place: reason.place })
      case 'rule':
        return t('reason.rule', { rule: reason.rule })
      case 'use': {
        const { app, deployment } = reason.use
        return app === null
          ? t('reason.otherTeam')
          : t('reason.use', { app: app.name, deployment: deployment ?? 0 })
      }
      case 'untagged':
        return reason.until === null
          ? t('reason.forever')
          : t('reason.until', { date: new Date(reason.until).toLocaleDateString(locale) })
    }
  }
}
