'use client'

import { Activity } from 'lucide-react'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { type AppEventArea, appEventAreas, type TimelineEntry } from '@/platform/model/app-event-kinds.ts'
import { cn } from '../../../../../_ui/cn.ts'
import { ConnectionNote } from '../../../../../_ui/connection-note.tsx'
import { EmptyState } from '../../../../../_ui/empty-state.tsx'
import { useEventStream } from '../../../../../_ui/use-event-stream.ts'
import { TimelineRow } from './timeline-row.tsx'

interface TimelineViewProps {
  appId: string
  path: string
  /** Null: everything. */
  area: AppEventArea | null
  /** Newest first, as they were when the page was made. */
  entries: TimelineEntry[]
  isLive: boolean
}

const mostShown = 200

/** The list, its filter, and what happens meanwhile. */
export function TimelineView({ appId, path, area, entries: first, isLive }: TimelineViewProps) {
  const t = useTranslations('timeline')
  const [entries, setEntries] = useState(first)
  const url = `/api/v1/apps/${appId}/timeline${area === null ? '' : `?kind=${area}`}`

  /** The same entry may come twice. */
  function add(news: TimelineEntry[]): void {
    setEntries((known) => {
      const ids = new Set(known.map(({ id }) => id))
      const added = news.filter(({ id }) => !ids.has(id))
      if (added.length === 0) return known
      return [...added, ...known].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, mostShown)
    })
  }

  /** What happened before the stream was open, or while it was away for longer than it remembers. */
  async function catchUp(): Promise<void> {
    const answer = await fetch(url, { headers: { accept: 'application/json' } }).catch(() => null)
    if (answer?.ok) add((await answer.json()).data)
  }

  const connection = useEventStream(
    isLive ? url : null,
    (data) => add([JSON.parse(data)]),
    () => void catchUp(),
  )
  return (
    <section aria-label={t('title')}>
      <div className="mb-4 flex flex-wrap items-center gap-3">
        <nav aria-label={t('filter')} className="-mx-4 max-w-[100vw] overflow-x-auto px-4 sm:mx-0 sm:px-0">
          <ul className="flex gap-1.5 py-1">
            {[null, ...appEventAreas].map((each) => (
              <li key={each ?? 'all'}>
                <Link
                  href={each === null ? `${path}/timeline` : `${path}/timeline?kind=${each}`}
                  aria-current={each === area ? 'true' : undefined}
                  className={cn(
                    'inline-flex h-8 items-center whitespace-nowrap rounded-full border px-3 text-[13px] transition-colors',
                    each === area
                      ? 'border-accent bg-accent-soft font-medium text-accent-text'
                      : 'bg-surface text-muted hover:text-foreground',
                  )}
                >
                  {t(`areas.${each ?? 'all'}`)}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        {isLive && (
          <div className="ml-auto">
            <ConnectionNote connection={connection} />
          </div>
        )}
      </div>
      {entries.length === 0 ? (
        <EmptyState
          icon={Activity}
          title={t('emptyTitle')}
          description={area === null ? t('emptyDescription') : t('emptyFiltered')}
        />
      ) : (
        <ol
          aria-label={t('title')}
          aria-live="polite"
          className="divide-y overflow-hidden rounded-xl border bg-surface shadow-card"
        >
          {entries.map((entry) => (
            <TimelineRow key={entry.id} entry={entry} path={path} />
          ))}
        </ol>
      )}
    </section>
  )
}
