import type { LogLine } from '@/platform/model/events.ts'

/**
 * The stretch of an app's log that the browser holds. It grows at either end and loses as much at the other, so that a
 * log of any length takes the same memory.
 */
export interface LogWindow {
  readonly items: readonly LogItem[]
  /** Whether there may be more before the first item, or after the last one that is not being followed. */
  readonly hasOlder: boolean
  readonly hasNewer: boolean
}

export type LogItem = LogLine | MissingLines

/** A stretch that was left out: numbers after one and before another. */
export interface MissingLines {
  missing: true
  after: number
  before: number
  /** It was asked for, and is not kept any more. */
  isGone: boolean
}

export const emptyWindow: LogWindow = { items: [], hasOlder: false, hasNewer: false }

const maxItems = 10_000
const maxChars = 16_000_000

export function isMissing(item: LogItem): item is MissingLines {
  return 'missing' in item
}

/** Never two at once: what is missing is named by the line after it. */
export function keyOf(item: LogItem): string {
  return isMissing(item) ? `m${item.before}` : `${item.number}`
}

export function firstNumber({ items }: LogWindow): number | null {
  const [first] = items
  if (first === undefined) return null
  return isMissing(first) ? first.after + 1 : first.number
}

export function lastNumber({ items }: LogWindow): number | null {
  const last = items.at(-1)
  if (last === undefined) return null
  return isMissing(last) ? last.before - 1 : last.number
}

export function countMissing({ after, before }: MissingLines): number {
  return before - after - 1
}

/** Oldest first. Those that are there already are left out. */
export function withNewer(window: LogWindow, news: readonly LogItem[], hasNewer: boolean): LogWindow {
  const last = lastNumber(window) ?? Number.NEGATIVE_INFINITY
  const added = news.filter((item) => (isMissing(item) ? item.before - 1 : item.number) > last)
  const items = [...window.items, ...added]
  const kept = items.slice(items.length - room(items.toReversed()))
  return { items: kept, hasOlder: window.hasOlder || kept.length < items.length, hasNewer }
}

/** Oldest first. */
export function withOlder(window: LogWindow, older: readonly LogItem[], hasOlder: boolean): LogWindow {
  const first = firstNumber(window) ?? Number.POSITIVE_INFINITY
  const added = older.filter((item) => (isMissing(item) ? item.after + 1 : item.number) < first)
  const items = [...added, ...window.items]
  const kept = items.slice(0, room(items))
  return { items: kept, hasOlder, hasNewer: window.hasNewer || kept.length < items.length }
}

/** Whether one more batch would push out what is at the beginning. */
export function isFull({ items }: LogWindow): boolean {
  return items.length >= maxItems - 1_000
}

/** Puts lines where some were left out. `rest`: whether there are more, none, or none that are kept. */
export function withFound(
  window: LogWindow,
  missing: MissingLines,
  lines: readonly LogLine[],
  rest: 'more' | 'gone' | 'none',
): LogWindow {
  const at = window.items.findIndex((item) => isMissing(item) && item.before === missing.before)
  if (at < 0) return window
  const found = lines.filter(({ number }) => number > missing.after && number < missing.before)
  const after = found.at(-1)?.number ?? missing.after
  const left: LogItem[] = rest === 'none' ? [] : [{ ...missing, after, isGone: rest === 'gone' }]
  return {
    ...window,
    items: [...window.items.slice(0, at), ...found, ...left, ...window.items.slice(at + 1)],
  }
}

/** How many of these, from the first one on, may stay. */
function room(items: readonly LogItem[]): number {
  let chars = 0
  let count = 0
  for (const item of items) {
    chars += isMissing(item) ? 0 : item.text.length
    if (count >= maxItems || (chars > maxChars && count > 0)) break
    count += 1
  }
  return count
}
