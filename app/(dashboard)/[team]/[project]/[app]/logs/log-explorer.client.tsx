'use client'

import { ArrowDown, Download, Pause, Play, WrapText } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react'
import type { LogLine } from '@/platform/model/events.ts'
import { withoutAnsi } from '../../../../../_ui/ansi.ts'
import { Button, buttonStyle } from '../../../../../_ui/button.tsx'
import { ConnectionNote } from '../../../../../_ui/connection-note.tsx'
import { CopyButton } from '../../../../../_ui/copy-button.client.tsx'
import { Notice } from '../../../../../_ui/notice.tsx'
import { logsOf } from './ask-logs.ts'
import { LogDetail } from './log-detail.client.tsx'
import { addressFor, emptyFilter, filterFrom, isEmpty, type LogFilter } from './log-filter.ts'
import { LogFilterBar, type LogPlaces } from './log-filter-bar.client.tsx'
import { LogHistogram } from './log-histogram.client.tsx'
import { LogList } from './log-list.client.tsx'
import { LogBeginning, LogNothing } from './log-states.client.tsx'
import { isMissing } from './log-window.ts'
import { useLogSession } from './use-log-session.ts'

interface LogExplorerProps {
  appId: string
  isRunning: boolean
  places: LogPlaces
  /** The query of the page's address. */
  address: string
}

interface View {
  filter: LogFilter
  /** The line that the view is opened around. */
  line: number | null
}

/** An app's log: what it wrote, and what it writes. */
export function LogExplorer({ appId, isRunning, places, address }: LogExplorerProps) {
  const t = useTranslations('logs')
  const [view, setView] = useState<View>(() => viewFrom(address))
  const [wraps, setWraps] = useState(true)
  const [follows, setFollows] = useState(view.line === null)
  const [selected, setSelected] = useState<number | null>(view.line)
  /** How often the reader was led to the end: the list scrolls there each time. */
  const [jumps, setJumps] = useState(0)
  const searchField = useRef<HTMLInputElement>(null)
  const ask = useMemo(() => logsOf(appId), [appId])
  const { session, state, params, connection } = useLogSession(appId, ask, view.filter, view.line)
  const { items } = state.window
  const line = items.find((item): item is LogLine => !isMissing(item) && item.number === selected) ?? null

  // Back and forward lead through the views that were opened.
  useEffect(() => {
    const onPop = () => show(viewFrom(window.location.search))
    window.addEventListener('popstate', onPop)
    return () => window.removeEventListener('popstate', onPop)
  })

  function show(next: View): void {
    setView(next)
    setSelected(next.line)
    setFollows(next.line === null)
  }
  function open(next: View): void {
    window.history.pushState(null, '', addressFor(next.filter, next.line))
    show(next)
  }
  const narrow = (filter: LogFilter) => open({ filter, line: null })
  const showContext = (number: number) => open({ filter: emptyFilter, line: number })

  function follow(next: boolean): void {
    setFollows(next)
    if (next) void session.toEnd().then(() => setJumps((count) => count + 1))
    else session.follow(false)
  }

  function onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === '/') searchField.current?.focus()
    else if (event.key === 'Escape') setSelected(null)
    else if (event.key === 'c' && line !== null) showContext(line.number)
    else return
    event.preventDefault()
  }

  const text = () =>
    items
      .filter((item): item is LogLine => !isMissing(item))
      .map(({ time, text }) => `${time} ${withoutAnsi(text)}`)
      .join('\n')
  const isBehind = !follows || state.window.hasNewer
  return (
    <section aria-label={t('title')} className="overflow-hidden rounded-xl border bg-surface shadow-card">
      <LogFilterBar filter={view.filter} places={places} searchField={searchField} onChange={narrow} />
      <LogHistogram
        ask={ask}
        params={params}
        onZoom={(since, until) => narrow({ ...view.filter, span: '', since, until })}
      />
      <div
        role="toolbar"
        aria-label={t('tools')}
        className="flex flex-wrap items-center gap-1.5 border-b px-3 py-1.5"
      >
        <Button size="small" tone="ghost" onClick={() => follow(!follows)}>
          {follows ? <Pause aria-hidden /> : <Play aria-hidden />}
          <span className="max-sm:sr-only">{follows ? t('pause') : t('resume')}</span>
        </Button>
        <Button size="small" tone="ghost" aria-pressed={wraps} onClick={() => setWraps(!wraps)}>
          <WrapText aria-hidden />
          <span className="max-sm:sr-only">{t('wrap')}</span>
        </Button>
        <a
          href={`/api/v1/apps/${appId}/logs/download?${new URLSearchParams(params)}`}
          download
          className={buttonStyle({ size: 'small', tone: 'ghost' })}
        >
          <Download aria-hidden />
          <span className="max-sm:sr-only">{t('download')}</span>
        </a>
        <CopyButton text={text} label={t('copy')} />
        <div className="ml-auto flex items-center gap-2">
          <ConnectionNote connection={connection} />
          {isBehind && items.length > 0 && (
            <Button size="small" onClick={() => follow(true)}>
              <ArrowDown aria-hidden />
              {state.held > 0 ? t('held', { count: state.held }) : t('toEnd')}
            </Button>
          )}
        </div>
      </div>
      {state.isDiskFull && (
        <Notice tone="danger" className="rounded-none">
          {t('diskFull')}
        </Notice>
      )}
      {state.isLineGone && (
        <Notice tone="warning" className="rounded-none">
          {t('lineGone')}
        </Notice>
      )}
      <div className="flex h-[max(22rem,calc(100dvh-27rem))] flex-col">
        {items.length > 0 && <LogBeginning session={session} state={state} />}
        <div className="min-h-0 flex-1">
          {items.length > 0 ? (
            <LogList
              key={`${JSON.stringify(params)}${view.line}`}
              session={session}
              state={state}
              query={params.query ?? ''}
              wraps={wraps}
              follows={follows}
              jumps={jumps}
              selected={selected}
              onFollow={follow}
              onSelect={(chosen) => setSelected(chosen?.number ?? null)}
              onKey={onKey}
            />
          ) : (
            <LogNothing
              session={session}
              state={state}
              isNarrowed={!isEmpty(view.filter)}
              isRunning={isRunning}
              onReset={() => narrow(emptyFilter)}
            />
          )}
        </div>
        {line !== null && (
          <LogDetail
            line={line}
            deployment={places.deployments.find(({ id }) => id === line.deploymentId)?.number ?? null}
            link={addressFor(emptyFilter, line.number)}
            onContext={isEmpty(view.filter) ? null : () => showContext(line.number)}
            onTerm={(term) => narrow({ ...view.filter, query: `${view.filter.query} ${term}`.trim() })}
            onClose={() => setSelected(null)}
          />
        )}
      </div>
    </section>
  )
}

function viewFrom(address: string): View {
  const given = new URLSearchParams(address)
  const line = given.get('line') ?? ''
  return { filter: filterFrom(given), line: /^\d{1,15}$/.test(line) ? Number(line) : null }
}
