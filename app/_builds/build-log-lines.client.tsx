'use client'

import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { BuildStep } from '@/platform/model/build-steps.ts'
import type { BuildLine } from '@/platform/model/builds.ts'
import { AnsiText } from '../_ui/ansi-text.tsx'
import { Button } from '../_ui/button.tsx'
import { cn } from '../_ui/cn.ts'

interface BuildLogLinesProps {
  lines: readonly BuildLine[]
  steps: readonly BuildStep[]
  /** Numbers of lines that were searched for, in order. */
  found: readonly number[]
  current: number | null
  /** Where to go; the same line again is another wish. */
  target: { line: number } | null
  isRunning: boolean
  isLoading: boolean
}

const lineHeight = 20
const nearEndPixels = 40

/** Every line; only those in sight, and a few around them, are in the page. */
export function BuildLogLines(props: BuildLogLinesProps) {
  const { lines, steps, found, current, target, isRunning, isLoading } = props
  const t = useTranslations('build')
  const box = useRef<HTMLDivElement>(null)
  const [follows, setFollows] = useState(isRunning)
  const begins = useMemo(
    () => new Set(steps.flatMap(({ from, instruction }) => (instruction === null ? [] : [from]))),
    [steps],
  )
  const marked = useMemo(() => new Set(found), [found])
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => lineHeight,
    overscan: 30,
  })

  useEffect(() => {
    if (follows && lines.length > 0) virtualizer.scrollToIndex(lines.length - 1, { align: 'end' })
  }, [follows, lines.length, virtualizer])
  useEffect(() => {
    if (target === null) return
    setFollows(false)
    virtualizer.scrollToIndex(target.line, { align: 'center' })
  }, [target, virtualizer])

  return (
    <div className="relative border-t">
      <div
        ref={box}
        role="log"
        aria-label={t('log')}
        // Read out loud a busy log would never end; it can be read line by line.
        aria-live="off"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so those with a keyboard must reach it
        tabIndex={0}
        onScroll={(event) => {
          const { scrollHeight, scrollTop, clientHeight } = event.currentTarget
          setFollows(isRunning && scrollHeight - scrollTop - clientHeight < nearEndPixels)
        }}
        className="-outline-offset-2 max-h-[min(32rem,70dvh)] min-h-40 overflow-auto py-2 font-mono text-[12.5px] leading-5"
      >
        {lines.length === 0 && !isLoading && <p className="px-5 py-3 font-sans text-muted">{t('empty')}</p>}
        <div className="relative w-full" style={{ height: virtualizer.getTotalSize() }}>
          {virtualizer.getVirtualItems().map(({ index, start, key }) => {
            const line = lines[index]
            if (line === undefined) return null
            return (
              <div
                key={key}
                ref={virtualizer.measureElement}
                data-index={index}
                data-stream={line.stream}
                data-current={index === current || undefined}
                style={{ transform: `translateY(${start}px)` }}
                className={cn(
                  'absolute top-0 left-0 flex w-full gap-3 border-transparent border-l-2 px-3 data-current:border-accent',
                  marked.has(index) && 'bg-accent-soft',
                  (begins.has(index) || line.stream === 'info') && 'font-semibold',
                )}
              >
                <span
                  aria-hidden
                  className="w-10 shrink-0 select-none text-right text-muted tabular-nums max-sm:hidden"
                >
                  {index + 1}
                </span>
                <span className="min-w-0 flex-1 whitespace-pre-wrap [overflow-wrap:anywhere]">
                  <AnsiText>{line.text}</AnsiText>
                </span>
              </div>
            )
          })}
        </div>
      </div>
      {isRunning && !follows && lines.length > 0 && (
        <Button size="small" className="absolute right-4 bottom-3" onClick={() => setFollows(true)}>
          <ArrowDown aria-hidden />
          {t('toEnd')}
        </Button>
      )}
    </div>
  )
}
