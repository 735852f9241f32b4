'use client'

import { SearchX, Terminal, Unplug } from 'lucide-react'
import { useLocale, useTranslations } from 'next-intl'
import { Button } from '../../../../../_ui/button.tsx'
import { EmptyState } from '../../../../../_ui/empty-state.tsx'
import { Notice } from '../../../../../_ui/notice.tsx'
import { RowsSkeleton } from '../../../../../_ui/skeleton.tsx'
import type { AskError } from './ask-logs.ts'
import type { LogSession, LogState } from './log-session.ts'
import { momentOf } from './log-time.ts'

interface Shown {
  session: LogSession
  state: LogState
}

/** What there is to say before the first line that is shown. */
export function LogBeginning({ session, state }: Shown) {
  const t = useTranslations('logs')
  const words = useProblemWords()
  const { problem, searchedTo, window } = state
  if (problem === null) return searchedTo === null ? null : <SearchOn session={session} state={state} />
  return (
    <Notice
      tone="warning"
      className="rounded-none"
      actions={
        <Button size="small" onClick={() => void (window.hasOlder ? session.older() : session.open())}>
          {t('again')}
        </Button>
      }
    >
      {words(problem)}
    </Notice>
  )
}

interface LogNothingProps extends Shown {
  isNarrowed: boolean
  isRunning: boolean
  onReset(): void
}

/** In place of the lines, where there are none. */
export function LogNothing({ session, state, isNarrowed, isRunning, onReset }: LogNothingProps) {
  const t = useTranslations('logs')
  const words = useProblemWords()
  const { phase, problem, searchedTo } = state
  if (phase === 'loading')
    return (
      <div className="p-4">
        <RowsSkeleton rows={6} />
      </div>
    )
  if (problem !== null)
    return (
      <EmptyState
        icon={Unplug}
        className="m-4 border-0"
        title={t('failedTitle')}
        description={words(problem)}
        action={<Button onClick={() => void session.open()}>{t('again')}</Button>}
      />
    )
  if (searchedTo !== null) return <SearchOn session={session} state={state} />
  if (isNarrowed)
    return (
      <EmptyState
        icon={SearchX}
        className="m-4 border-0"
        title={t('noneTitle')}
        description={t('noneDescription')}
        action={<Button onClick={onReset}>{t('reset')}</Button>}
      />
    )
  return (
    <EmptyState
      icon={Terminal}
      className="m-4 border-0"
      title={isRunning ? t('emptyTitle') : t('stoppedTitle')}
      description={isRunning ? t('emptyDescription') : t('stoppedDescription')}
    />
  )
}

function SearchOn({ session, state }: Shown) {
  const t = useTranslations('logs')
  const locale = useLocale()
  const { searchedTo, isLoadingOlder } = state
  const moment = momentOf(Date.parse(searchedTo ?? ''), Number.POSITIVE_INFINITY, locale)
  return (
    <div className="flex flex-wrap items-center gap-2 border-b bg-sunken px-3 py-1 text-[13px] text-muted">
      <span role="status">{t('searchedTo', { moment })}</span>
      <Button size="small" tone="ghost" pending={isLoadingOlder} onClick={() => void session.older()}>
        {t('searchOn')}
      </Button>
    </div>
  )
}

function useProblemWords(): (problem: AskError) => string {
  const t = useTranslations('logs.problem')
  const locale = useLocale()
  return ({ code, message }) => {
    if (code === 'unavailable' || code === 'unreachable') return t(code)
    if (code === 'conflict') return t('tooLong')
    return locale === 'en' && message !== '' ? message : t('other')
  }
}
