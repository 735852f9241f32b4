'use client'

import { useVirtualizer } from '@tanstack/react-virtual'
import { useTranslations } from 'next-intl'
import { type KeyboardEvent, useEffect, useMemo, useRef } from 'react'
import type { LogLine } from '@/platform/model/events.ts'
import { parseLogQuery } from '@/platform/model/log-query.ts'
import { problemOf } from './log-filter.ts'
import { LogRow, MissingRow } from './log-row.tsx'
import type { LogSession, LogState } from './log-session.ts'
import { isMissing, keyOf } from './log-window.ts'

const rowPixels = 20
const nearEndPixels = 40
const nearStartPixels = 600
/** Sizes of rows that have gone are forgotten after so many. */
const forgetEvery = 50_000

interface LogListProps {
  session: LogSession
  state: LogState
  query: string
  wraps: boolean
  follows: boolean
  jumps: number
  selected: number | null
  onFollow(follows: boolean): void
  onSelect(line: LogLine | null): void
  onKey(event: KeyboardEvent): void
}

/** Draws the lines that are in sight, of as many as there are. */
export function LogList(props: LogListProps) {
  const { session, state, query, wraps, follows, jumps, selected, onFollow, onSelect, onKey } = props
  const t = useTranslations('logs')
  const box = useRef<HTMLDivElement>(null)
  const { items } = state.window
  const marks = useMemo(() => marksOf(query), [query])
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowPixels,
    getItemKey: (index) => {
      const item = items[index]
      return item === undefined ? index : keyOf(item)
    },
    overscan: 24,
    // What is read stays where it is while lines are added before it, or taken away.
    anchorTo: 'end',
    followOnAppend: follows,
    scrollEndThreshold: nearEndPixels,
  })

  // At the end from the first lines on, and again whenever the reader asks for it.
  const hasItems = items.length > 0
  // biome-ignore lint/correctness/useExhaustiveDependencies: each jump leads there
  useEffect(() => {
    if (hasItems && follows) virtual.scrollToIndex(virtual.options.count - 1, { align: 'end' })
  }, [hasItems, follows, jumps, virtual])

  const asked = useRef<number | null>(null)
  useEffect(() => {
    if (selected === null || asked.current === selected || !hasItems) return
    asked.current = selected
    const index = items.findIndex((item) => !isMissing(item) && item.number === selected)
    const isInSight = virtual.getVirtualItems().some((row) => row.index === index)
    if (index >= 0 && !isInSight) virtual.scrollToIndex(index, { align: 'center' })
  }, [selected, items, hasItems, virtual])

  // biome-ignore lint/correctness/useExhaustiveDependencies: other widths, other heights
  useEffect(() => virtual.measure(), [wraps, virtual])
  const newest = items.at(-1)
  const era = newest === undefined || isMissing(newest) ? 0 : Math.floor(newest.number / forgetEvery)
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was measured of lines long gone would be kept for ever
  useEffect(() => virtual.measure(), [era, virtual])

  function onScroll(): void {
    const element = box.current
    if (element === null) return
    const { scrollHeight, scrollTop, clientHeight } = element
    const isAtEnd = scrollHeight - scrollTop - clientHeight < nearEndPixels
    if (isAtEnd && state.window.hasNewer) void session.newer()
    const isLeaving = virtual.scrollDirection === 'backward'
    if (isAtEnd ? !state.window.hasNewer && !follows : follows && isLeaving) onFollow(isAtEnd)
    // A search that found nothing for its whole time is not asked on and on by itself.
    if (scrollTop < nearStartPixels && state.searchedTo === null && state.problem === null)
      void session.older()
  }

  function move(by: number): void {
    const at = items.findIndex((item) => !isMissing(item) && item.number === selected)
    let index = at < 0 ? (by > 0 ? -1 : items.length) : at
    do index += by
    while (items[index] !== undefined && isMissing(items[index] as never))
    const item = items[index]
    if (item === undefined || isMissing(item)) return
    asked.current = item.number
    onFollow(false)
    onSelect(item)
    virtual.scrollToIndex(index, { align: 'auto' })
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'ArrowDown' || event.key === 'j') move(1)
    else if (event.key === 'ArrowUp' || event.key === 'k') move(-1)
    else if (event.key === 'End') onFollow(true)
    else if (event.key === 'Home') virtual.scrollToOffset(0)
    else {
      onKey(event)
      return
    }
    event.preventDefault()
  }

  const rows = virtual.getVirtualItems()
  return (
    <div
      ref={box}
      role="log"
      aria-label={t('title')}
      aria-busy={state.isLoadingOlder || state.isLoadingNewer}
      // Read out loud a busy log would never end; it can be read line by line.
      aria-live="off"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so those with a keyboard must reach it
      tabIndex={0}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
      className="-outline-offset-2 h-full overflow-auto font-mono text-[12.5px] leading-5 [overflow-anchor:none]"
    >
      <div style={{ height: virtual.getTotalSize() }} className={wraps ? '' : 'w-max min-w-full'}>
        <div
          style={{ transform: `translateY(${rows[0]?.start ?? 0}px)` }}
          className={wraps ? 'whitespace-pre-wrap [overflow-wrap:anywhere]' : 'whitespace-pre'}
        >
          {rows.map((row) => {
            const item = items[row.index]
            if (item === undefined) return null
            return (
              // biome-ignore lint/a11y/noStaticElementInteractions: the arrow keys of the list do the same
              // biome-ignore lint/a11y/useKeyWithClickEvents: the arrow keys of the list do the same
              <div
                key={row.key}
                data-index={row.index}
                data-number={isMissing(item) ? undefined : item.number}
                ref={virtual.measureElement}
                onClick={() => {
                  // Who marks text to copy it wants no more than that.
                  if (isMissing(item) || !getSelection()?.isCollapsed) return
                  asked.current = item.number
                  onSelect(item.number === selected ? null : item)
                }}
              >
                {isMissing(item) ? (
                  <MissingRow missing={item} onFind={() => void session.find(item)} />
                ) : (
                  <LogRow line={item} marks={marks} isSelected={item.number === selected} />
                )}
              </div>
            )
          })}
        </div>
      </div>
    </div>
  )
}

/** The texts that are searched for. A regular expression is not tried here: some never end. */
function marksOf(query: string): RegExp | null {
  if (problemOf(query) !== null) return null
  const texts = parseLogQuery(query).flatMap((term) =>
    term.kind === 'text' && !term.isNegated ? [term.text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')] : [],
  )
  return texts.length === 0 ? null : new RegExp(`(${texts.join('|')})`, 'i')
}
