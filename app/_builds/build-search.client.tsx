'use client'

import { ChevronDown, ChevronUp, Search } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { Button } from '../_ui/button.tsx'
import { cn } from '../_ui/cn.ts'
import { controlStyle } from '../_ui/field.client.tsx'

interface BuildSearchProps {
  query: string
  onQuery(query: string): void
  /** Which of those found one is at; null before the first. */
  current: number | null
  count: number
  onGo(index: number): void
}

/** Finds text in the log: Enter goes to the next place, Shift and Enter to the one before. */
export function BuildSearch({ query, onQuery, current, count, onGo }: BuildSearchProps) {
  const t = useTranslations('build')
  const step = (by: 1 | -1) => {
    if (count === 0) return
    onGo(current === null ? (by === 1 ? 0 : count - 1) : (current + by + count) % count)
  }
  return (
    <search className="flex items-center gap-1.5 border-t px-3 py-2">
      <div className="relative min-w-0 flex-1 sm:max-w-xs">
        <Search aria-hidden className="-translate-y-1/2 absolute top-1/2 left-2.5 size-4 text-muted" />
        <input
          type="search"
          aria-label={t('search')}
          placeholder={t('search')}
          value={query}
          onChange={(event) => onQuery(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') step(event.shiftKey ? -1 : 1)
          }}
          className={cn(controlStyle, 'h-8 pl-8 text-sm')}
        />
      </div>
      <span role="status" className="shrink-0 px-1 text-muted text-xs tabular-nums">
        {query.trim() !== '' && t('found', { current: current === null ? 0 : current + 1, count })}
      </span>
      <Button
        size="icon"
        tone="ghost"
        aria-label={t('previous')}
        disabled={count === 0}
        onClick={() => step(-1)}
      >
        <ChevronUp aria-hidden />
      </Button>
      <Button size="icon" tone="ghost" aria-label={t('next')} disabled={count === 0} onClick={() => step(1)}>
        <ChevronDown aria-hidden />
      </Button>
    </search>
  )
}
