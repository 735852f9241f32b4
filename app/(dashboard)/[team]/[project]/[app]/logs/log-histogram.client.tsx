'use client'

import { useLocale, useTranslations } from 'next-intl'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import type { LogHistogram as Counts } from '@/platform/model/log-search.ts'
import { cn } from '../../../../../_ui/cn.ts'
import type { AskLogs } from './ask-logs.ts'
import { momentOf } from './log-time.ts'

const bars = 60
const refreshMs = 15_000

interface LogHistogramProps {
  ask: AskLogs
  params: Record<string, string>
  onZoom(since: string, until: string): void
}

/** How many lines there are over time; a bar leads to those of its own time. */
export function LogHistogram({ ask, params, onZoom }: LogHistogramProps) {
  const t = useTranslations('logs')
  const locale = useLocale()
  const [counts, setCounts] = useState<Counts | null>(null)
  const [at, setAt] = useState(bars - 1)
  const group = useRef<HTMLDivElement>(null)

  useEffect(() => {
    const closing = new AbortController()
    const load = async () => {
      if (document.visibilityState === 'hidden') return
      const asked = ask.histogram({ ...params, buckets: String(bars) }, closing.signal)
      // The list says what is wrong; without counts there is no picture.
      const found = await asked.catch(() => null)
      if (!closing.signal.aborted) setCounts(found)
    }
    void load()
    const timer = params.until === undefined ? setInterval(load, refreshMs) : undefined
    return () => {
      closing.abort()
      clearInterval(timer)
    }
  }, [ask, params])

  if (counts === null) return <div aria-hidden className="h-20 border-b" />
  const { bucketMs, buckets } = counts
  const fromMs = Date.parse(counts.from)
  const most = Math.max(1, ...buckets.map(({ total }) => total))
  const stretchMs = bucketMs * buckets.length
  const moment = (index: number) => momentOf(fromMs + index * bucketMs, stretchMs, locale)
  const zoom = (index: number) =>
    onZoom(
      new Date(Math.floor(fromMs + index * bucketMs)).toISOString(),
      new Date(Math.ceil(fromMs + (index + 1) * bucketMs)).toISOString(),
    )

  function onKeyDown(event: KeyboardEvent): void {
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: buckets.length - 1 }[event.key]
    if (to === undefined || to < 0 || to >= buckets.length) return
    event.preventDefault()
    setAt(to)
    group.current?.querySelectorAll('button')[to]?.focus()
  }

  return (
    <div className="border-b px-3 pt-2 pb-1">
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset can't be laid out as a row of bars */}
      <div
        ref={group}
        role="group"
        aria-label={t('histogram')}
        onKeyDown={onKeyDown}
        className="flex h-12 items-stretch"
      >
        {buckets.map(({ total, warnings, errors }, index) => {
          const words = t('bar', { from: moment(index), to: moment(index + 1), total, warnings, errors })
          const height = (value: number) => ({ height: `${(value / most) * 100}%` })
          return (
            <button
              // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place
              key={index}
              type="button"
              tabIndex={index === at ? 0 : -1}
              aria-label={words}
              title={words}
              onFocus={() => setAt(index)}
              onClick={() => zoom(index)}
              className="group flex min-w-0 flex-1 flex-col justify-end rounded-sm px-px hover:bg-sunken"
            >
              <span
                className={cn(
                  'flex min-h-0 flex-col overflow-hidden rounded-t-[2px]',
                  total > 0 && 'min-h-[3px]',
                )}
                style={height(total)}
              >
                <span className="bg-danger" style={share(errors, total)} />
                <span className="bg-warning" style={share(warnings, total)} />
                <span className="flex-1 bg-accent/55 group-hover:bg-accent" />
              </span>
            </button>
          )
        })}
      </div>
      <div className="flex justify-between gap-3 pt-0.5 text-[11px] text-muted">
        <span>{moment(0)}</span>
        {!counts.isComplete && <span>{t('countedPartly')}</span>}
        <span>{moment(buckets.length)}</span>
      </div>
    </div>
  )
}

/** What is serious is seen, however little of it there is. */
function share(part: number, total: number) {
  return part === 0 ? { height: 0 } : { height: `${(part / total) * 100}%`, minHeight: 3 }
}
