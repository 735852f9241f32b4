'use client'

import { ArrowDown, Pause, Play, Terminal, Trash2, WrapText } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { memo, useEffect, useRef, useState } from 'react'
import { withoutAnsi } from '../../../../../_ui/ansi.ts'
import { AnsiText } from '../../../../../_ui/ansi-text.tsx'
import { Button } from '../../../../../_ui/button.tsx'
import { ConnectionNote } from '../../../../../_ui/connection-note.tsx'
import { CopyButton } from '../../../../../_ui/copy-button.client.tsx'
import { EmptyState } from '../../../../../_ui/empty-state.tsx'
import { type LogChunk, useLogLines } from './use-log-lines.ts'

const nearEndPixels = 40

/** What the app's containers write, as they write it. */
export function LogView({ appId, isRunning }: { appId: string; isRunning: boolean }) {
  const t = useTranslations('logs')
  const [paused, setPaused] = useState(false)
  const [follows, setFollows] = useState(true)
  const [wraps, setWraps] = useState(true)
  const { chunks, held, connection, clear } = useLogLines(appId, paused)
  const box = useRef<HTMLDivElement>(null)

  // Runs after each batch: stays at the end unless the reader scrolled away from it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the chunks are what makes it taller
  useEffect(() => {
    if (follows && box.current !== null) box.current.scrollTop = box.current.scrollHeight
  }, [chunks, follows, wraps])

  const text = () =>
    chunks.flatMap(({ lines }) => lines.map((line) => `${line.time} ${withoutAnsi(line.text)}`)).join('\n')
  return (
    <section aria-label={t('title')} className="overflow-hidden rounded-xl border bg-surface shadow-card">
      <div
        role="toolbar"
        aria-label={t('tools')}
        className="flex flex-wrap items-center gap-1.5 border-b px-3 py-2"
      >
        <Button size="small" tone="ghost" onClick={() => setPaused(!paused)}>
          {paused ? <Play aria-hidden /> : <Pause aria-hidden />}
          <span className="max-sm:sr-only">{paused ? t('resume') : t('pause')}</span>
        </Button>
        <Button size="small" tone="ghost" aria-pressed={wraps} onClick={() => setWraps(!wraps)}>
          <WrapText aria-hidden />
          <span className="max-sm:sr-only">{t('wrap')}</span>
        </Button>
        <Button size="small" tone="ghost" onClick={clear} disabled={chunks.length === 0}>
          <Trash2 aria-hidden />
          <span className="max-sm:sr-only">{t('clear')}</span>
        </Button>
        <span role="status" className="px-1 text-muted text-xs">
          {paused && held > 0 ? t('held', { count: held }) : ''}
        </span>
        <div className="ml-auto flex items-center gap-2">
          <ConnectionNote connection={connection} />
          {!follows && (
            <Button size="small" onClick={() => setFollows(true)}>
              <ArrowDown aria-hidden />
              {t('toEnd')}
            </Button>
          )}
          <CopyButton text={text} label={t('copy')} />
        </div>
      </div>
      <div
        ref={box}
        role="log"
        aria-label={t('title')}
        // Read out loud a busy log would never end; it can be read line by line.
        aria-live="off"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so those with a keyboard must reach it
        tabIndex={0}
        onScroll={(event) => {
          const { scrollHeight, scrollTop, clientHeight } = event.currentTarget
          setFollows(scrollHeight - scrollTop - clientHeight < nearEndPixels)
        }}
        className="-outline-offset-2 h-[max(20rem,calc(100dvh-22rem))] overflow-auto py-2 font-mono text-[12.5px] leading-5"
      >
        {chunks.length === 0 ? (
          <EmptyState
            icon={Terminal}
            className="m-4 border-0 font-sans"
            title={isRunning ? t('emptyTitle') : t('stoppedTitle')}
            description={isRunning ? t('emptyDescription') : t('stoppedDescription')}
          />
        ) : (
          chunks.map((chunk) => <Chunk key={chunk.key} chunk={chunk} wraps={wraps} />)
        )}
      </div>
    </section>
  )
}

const Chunk = memo(function Chunk({ chunk, wraps }: { chunk: LogChunk; wraps: boolean }) {
  return (
    <div
      className={wraps ? 'whitespace-pre-wrap [overflow-wrap:anywhere]' : 'w-max min-w-full whitespace-pre'}
    >
      {chunk.lines.map((line, index) => (
        <div
          // biome-ignore lint/suspicious/noArrayIndexKey: lines never move within their chunk
          key={index}
          data-stream={line.stream}
          className="flex gap-3 border-transparent border-l-2 px-3 hover:bg-sunken data-[stream=stderr]:border-danger"
        >
          <time dateTime={line.time} className="shrink-0 select-none text-muted max-sm:hidden">
            {clockOf(line.time)}
          </time>
          <span className="min-w-0 flex-1">
            <AnsiText>{line.text}</AnsiText>
          </span>
        </div>
      ))}
    </div>
  )
})

/** In the reader's zone. Engines differ in whether they read nanoseconds, so those are cut off. */
function clockOf(time: string): string {
  const date = new Date(time.replace(/(\.\d{3})\d+/, '$1'))
  if (Number.isNaN(date.getTime())) return time
  const two = (value: number) => String(value).padStart(2, '0')
  const ms = String(date.getMilliseconds()).padStart(3, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`
}
