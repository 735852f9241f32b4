import { Forward } from 'lucide-react'
import { useLocale, useTranslations } from 'next-intl'
import type { LogDrain } from '@/platform/model/log-drains.ts'
import { Badge } from '../../../../_ui/badge.tsx'
import { RelativeTime } from '../../../../_ui/relative-time.client.tsx'
import { DrainMenu } from './drain-menu.client.tsx'
import type { DrainScope } from './drain-scope.ts'

/** A drain and how far it has come. */
export function DrainRow({ drain, scopes }: { drain: LogDrain; scopes: DrainScope[] }) {
  const t = useTranslations('logDrains')
  const locale = useLocale()
  const { name, kind, targetHint, isEnabled, problem, sentAt, failingSince } = drain
  const state = !isEnabled ? 'disabled' : problem === null ? 'works' : 'fails'
  const tones = { disabled: 'neutral', works: 'success', fails: 'danger' } as const
  const ids = [...drain.environmentIds, ...drain.appIds]
  const places = ids.map((id) => scopes.find((scope) => scope.id === id)?.name ?? id)
  const count = (value: number) => new Intl.NumberFormat(locale).format(value)
  return (
    <li className="flex items-start gap-3 px-5 py-3.5">
      <Forward aria-hidden className="mt-1 size-4 shrink-0 text-muted" />
      <div className="min-w-0 flex-1">
        <div className="flex flex-wrap items-center gap-2">
          <span className="break-words font-medium">{name}</span>
          <Badge tone={tones[state]}>{t(state)}</Badge>
        </div>
        <p className="break-all text-[13px] text-muted">
          {t(`kinds.${kind}`)} · <span className="font-mono">{targetHint}</span>
        </p>
        <p className="break-words text-[13px] text-muted">
          {places.length === 0 ? t('allApps') : places.join(', ')}
        </p>
        {problem !== null && isEnabled && (
          <p className="mt-1 break-words text-[13px] text-danger">
            {problem}
            {failingSince !== null && (
              <>
                {' '}
                ({t('since')} <RelativeTime at={failingSince} />)
              </>
            )}
          </p>
        )}
        <p className="mt-0.5 text-muted text-xs">
          {t('counts', { sent: count(drain.sentLines), waiting: count(drain.waitingLines) })}
          {drain.lostLines > 0 && ` · ${t('lost', { lost: count(drain.lostLines) })}`}
          {sentAt !== null && (
            <>
              {' · '}
              {t('lastSent')} <RelativeTime at={sentAt} />
            </>
          )}
        </p>
      </div>
      <DrainMenu drain={drain} scopes={scopes} />
    </li>
  )
}
