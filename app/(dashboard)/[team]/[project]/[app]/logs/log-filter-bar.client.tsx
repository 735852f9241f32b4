'use client'

import { Search, SlidersHorizontal, X } from 'lucide-react'
import { useLocale, useTranslations } from 'next-intl'
import { type FormEvent, type RefObject, useEffect, useId, useState } from 'react'
import type { LogQueryProblem } from '@/platform/model/log-query.ts'
import { Button } from '../../../../../_ui/button.tsx'
import { cn } from '../../../../../_ui/cn.ts'
import { controlStyle, TextField } from '../../../../../_ui/field.client.tsx'
import { SelectField } from '../../../../../_ui/select.client.tsx'
import { emptyFilter, isEmpty, type LogFilter, problemOf, spans } from './log-filter.ts'
import { isoOf, localInput, momentOf } from './log-time.ts'

export interface LogPlaces {
  processes: string[]
  replicas: number
  deployments: { id: string; number: number }[]
}

interface LogFilterBarProps {
  filter: LogFilter
  places: LogPlaces
  searchField: RefObject<HTMLInputElement | null>
  onChange(filter: LogFilter): void
}

/** The search, and what narrows it. A search takes effect with Enter, a choice at once. */
export function LogFilterBar({ filter, places, searchField, onChange }: LogFilterBarProps) {
  const t = useTranslations('logs')
  const locale = useLocale()
  const [query, setQuery] = useState(filter.query)
  const [problem, setProblem] = useState<LogQueryProblem | null>(problemOf(filter.query))
  const [isOpen, setIsOpen] = useState(false)
  const errorId = useId()
  useEffect(() => {
    setQuery(filter.query)
    setProblem(problemOf(filter.query))
  }, [filter.query])

  function search(event: FormEvent): void {
    event.preventDefault()
    const found = problemOf(query)
    setProblem(found)
    if (found === null) onChange({ ...filter, query: query.trim() })
  }
  const choose = (name: keyof LogFilter) => (value: string) => onChange({ ...filter, [name]: value })
  const hasTimes = filter.since !== '' || filter.until !== ''
  const sinceMs = Date.parse(filter.since)
  const untilMs = Date.parse(filter.until)
  return (
    <div className="border-b px-3 py-2">
      <search>
        <form onSubmit={search} className="flex items-center gap-2 max-sm:gap-1">
          <div className="relative min-w-0 flex-1">
            <Search aria-hidden className="pointer-events-none absolute top-2.5 left-3 size-4 text-muted" />
            <input
              ref={searchField}
              type="search"
              aria-label={t('search')}
              aria-invalid={problem !== null}
              aria-describedby={problem === null ? undefined : errorId}
              placeholder={t('searchPlaceholder')}
              autoComplete="off"
              spellCheck={false}
              maxLength={500}
              value={query}
              onChange={(event) => {
                setQuery(event.target.value)
                setProblem(null)
                // The cross at its end clears it at once.
                if (event.target.value === '' && filter.query !== '') onChange({ ...filter, query: '' })
              }}
              className={cn(
                controlStyle,
                'h-9 pl-9 font-mono text-[13px]',
                problem !== null && 'border-danger',
              )}
            />
          </div>
          <Button type="submit">{t('find')}</Button>
          <Button
            tone="ghost"
            className="max-sm:px-2"
            aria-expanded={isOpen}
            onClick={() => setIsOpen(!isOpen)}
          >
            <SlidersHorizontal aria-hidden />
            <span className="max-sm:sr-only">{t('filters')}</span>
          </Button>
          {!isEmpty(filter) && (
            <Button tone="ghost" className="max-sm:px-2" onClick={() => onChange(emptyFilter)}>
              <X aria-hidden />
              <span className="max-sm:sr-only">{t('reset')}</span>
            </Button>
          )}
        </form>
      </search>
      {problem !== null && (
        <p id={errorId} role="alert" className="mt-1.5 text-[13px] text-danger">
          {t(`queryProblem.${problem.kind}`, { detail: problem.detail })}
        </p>
      )}
      {hasTimes && !isOpen && (
        <p className="mt-1.5 text-[13px] text-muted">
          {t('between', {
            from: Number.isNaN(sinceMs) ? '…' : momentOf(sinceMs, stretchOf(sinceMs, untilMs), locale),
            to: Number.isNaN(untilMs) ? '…' : momentOf(untilMs, stretchOf(sinceMs, untilMs), locale),
          })}
        </p>
      )}
      {isOpen && (
        <div className="mt-2.5 grid gap-3 sm:grid-cols-3 lg:grid-cols-4">
          <SelectField
            label={t('span')}
            value={filter.span}
            onValueChange={(span) => onChange({ ...filter, span, since: '', until: '' })}
            items={[
              { value: '', label: t('spans.all') },
              ...Object.keys(spans).map((span) => ({ value: span, label: t(`spans.${span as '1h'}`) })),
            ]}
          />
          <TextField
            label={t('since')}
            type="datetime-local"
            step={1}
            value={localInput(filter.since)}
            onValueChange={(value) => choose('since')(isoOf(value))}
          />
          <TextField
            label={t('until')}
            type="datetime-local"
            step={1}
            value={localInput(filter.until)}
            onValueChange={(value) => choose('until')(isoOf(value))}
          />
          <SelectField
            label={t('process')}
            value={filter.process}
            onValueChange={choose('process')}
            items={[
              { value: '', label: t('any') },
              ...places.processes.map((name) => ({ value: name, label: name })),
            ]}
          />
          <SelectField
            label={t('replica')}
            value={filter.replica}
            onValueChange={choose('replica')}
            items={[
              { value: '', label: t('any') },
              ...Array.from({ length: places.replicas }, (_, index) => ({
                value: String(index),
                label: String(index + 1),
              })),
            ]}
          />
          <SelectField
            label={t('deployment')}
            value={filter.deployment}
            onValueChange={choose('deployment')}
            items={[
              { value: '', label: t('any') },
              ...places.deployments.map(({ id, number }) => ({ value: id, label: `#${number}` })),
            ]}
          />
          <SelectField
            label={t('stream')}
            value={filter.stream}
            onValueChange={choose('stream')}
            items={[
              { value: '', label: t('any') },
              { value: 'stdout', label: 'stdout' },
              { value: 'stderr', label: 'stderr' },
            ]}
          />
          <p className="self-end text-[13px] text-muted sm:col-span-2 lg:col-span-1">
            {t.rich('searchHelp', {
              code: (chunks) => <code className="font-mono text-[12px]">{chunks}</code>,
            })}
          </p>
        </div>
      )}
    </div>
  )
}

function stretchOf(sinceMs: number, untilMs: number): number {
  const stretch = untilMs - sinceMs
  return Number.isNaN(stretch) ? Number.POSITIVE_INFINITY : stretch
}
