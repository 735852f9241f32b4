import { expect, test } from 'vitest'
import type { AskLogs, LogPage } from '../../../app/(dashboard)/[team]/[project]/[app]/logs/ask-logs.ts'
import { LogSession } from '../../../app/(dashboard)/[team]/[project]/[app]/logs/log-session.ts'
import {
  countMissing,
  isMissing,
  type LogItem,
} from '../../../app/(dashboard)/[team]/[project]/[app]/logs/log-window.ts'
import type { SearchAside } from '../../../app/(dashboard)/[team]/[project]/[app]/logs/search-aside.ts'
import type { LogLine } from '../../../platform/model/events.ts'
import { createLineMatcher, parseLogQuery } from '../../../platform/model/log-query.ts'
import { logLine } from '../../support/log-lines.ts'

/** A log of lines 1 to `last`, of which those before `first` are not kept any more, as the API answers of it. */
function logOf(last: number, { first = 1, text = (n: number) => `line ${n}` } = {}) {
  const log = { last, asked: [] as Record<string, string>[] }
  const line = (number: number): LogLine => logLine(text(number), number)
  const ask: AskLogs = {
    async page(params): Promise<LogPage> {
      log.asked.push(params)
      const { limit = '50', cursor, before, after } = params
      const numbers = Array.from({ length: Math.max(0, log.last - first + 1) }, (_, index) => first + index)
      const from = Number(cursor ?? before ?? after)
      const matching =
        after === undefined
          ? numbers.toReversed().filter((number) => Number.isNaN(from) || number < from)
          : numbers.filter((number) => number > from)
      const page = matching.slice(0, Number(limit))
      const next = matching.length > page.length ? String(page.at(-1)) : null
      const kept = { first, last: log.last }
      return { data: page.map(line), nextCursor: next, searchedTo: null, ...kept, isDiskFull: false }
    },
    histogram: () => Promise.reject(new Error('not asked for here')),
  }
  return { ...log, ask, log, line }
}

const noAside = (): SearchAside => {
  throw new Error('this search is no business of another thread')
}

/** Answers when it is told to, as another thread does; `end` is what happens to a search that does not end. */
function controlledAside() {
  const asked: { lines: LogLine[]; resolve(matches: boolean[]): void; reject(error: Error): void }[] = []
  const control = { asked, query: '', isClosed: false }
  const searchAside = (query: string): SearchAside => {
    control.query = query
    return {
      match: (lines) => new Promise((resolve, reject) => asked.push({ lines, resolve, reject })),
      close: () => {
        control.isClosed = true
      },
    }
  }
  const answer = () => {
    const isMatch = createLineMatcher(parseLogQuery(control.query))
    for (const { lines, resolve } of asked.splice(0)) resolve(lines.map(isMatch))
    return settled()
  }
  const end = () => {
    for (const { reject } of asked.splice(0)) reject(new Error('it does not end'))
    return settled()
  }
  return { control, searchAside, answer, end }
}
const settled = () => new Promise((resolve) => setImmediate(resolve))

async function opened(
  log: ReturnType<typeof logOf>,
  {
    line = null,
    params = {},
    searchAside = noAside,
  }: {
    line?: number | null
    params?: Record<string, string>
    searchAside?: (query: string) => SearchAside
  } = {},
) {
  const session = new LogSession({ ask: log.ask, params, line, searchAside })
  await session.open()
  return session
}

const show = (items: readonly LogItem[]) =>
  items.map((item) =>
    isMissing(item) ? `${countMissing(item)} ${item.isGone ? 'gone' : 'skipped'}` : item.number,
  )
const numbers = (session: LogSession) => show(session.state().window.items)
const live = (session: LogSession, line: LogLine) => session.receive(JSON.stringify(line), `${line.number}-0`)

test('what was written and what is written are one list, each line once', async () => {
  const log = logOf(700)
  const session = await opened(log)
  expect(session.state()).toMatchObject({ phase: 'ready', liveAfter: 700 })
  expect([numbers(session).length, numbers(session)[0]]).toEqual([500, 201])
  for (const number of [700, 701, 702]) live(session, log.line(number))
  session.flush()
  await session.older()
  expect(numbers(session)).toEqual(Array.from({ length: 702 }, (_, index) => index + 1))
  expect(session.state().window).toMatchObject({ hasOlder: false, hasNewer: false })
})

test('lines that the stream skipped are shown as such, loaded when asked for, and said to be gone when they are', async () => {
  const log = logOf(3)
  const session = await opened(log)
  log.log.last = 2_600
  session.receive(JSON.stringify({ skipped: 2_496 }), '2499-0')
  live(session, log.line(2_500))
  session.flush()
  expect(numbers(session)).toEqual([1, 2, 3, '2496 skipped', 2_500])
  const missing = () => session.state().window.items.find(isMissing)
  for (const left of [1_496, 496, undefined]) {
    const gap = missing()
    if (gap) await session.find(gap)
    const now = missing()
    expect(now && countMissing(now)).toBe(left)
  }
  expect(numbers(session)).toEqual(Array.from({ length: 2_500 }, (_, index) => index + 1))

  const pruned = logOf(100, { first: 90 })
  const later = await opened(pruned, { line: 95 })
  later.receive(JSON.stringify({ skipped: 10 }), '110-0')
  live(later, pruned.line(111))
  later.flush()
  const gap = later.state().window.items.find(isMissing)
  if (!gap) throw new Error('no gap')
  pruned.log.last = 100
  await later.find(gap)
  expect(numbers(later).slice(-3)).toEqual([100, '10 gone', 111])
})

test('the browser keeps ten thousand lines, whatever comes', async () => {
  const log = logOf(500)
  const session = await opened(log)
  for (let number = 501; number <= 60_000; number++) {
    live(session, log.line(number))
    if (number % 997 === 0) session.flush()
  }
  session.flush()
  expect(numbers(session)).toEqual(Array.from({ length: 10_000 }, (_, index) => 50_001 + index))
  expect(session.state().window.hasOlder).toBe(true)
  log.log.last = 60_000
  await session.older()
  // What was read back stays; the end has gone for it, and with it the live stream.
  expect([numbers(session)[0], numbers(session).at(-1)]).toEqual([49_501, 59_500])
  expect(session.state()).toMatchObject({ liveAfter: null, window: { hasNewer: true } })
  await session.newer()
  expect(numbers(session).at(-1)).toBe(60_000)
  expect(session.state().liveAfter).toBe(60_000)
})

test('who reads further up loses nothing of it to what is written, and is led back to the end', async () => {
  const log = logOf(500)
  const session = await opened(log)
  session.follow(false)
  for (let number = 501; number <= 20_000; number++) {
    live(session, log.line(number))
    if (number % 500 === 0) session.flush()
  }
  expect(numbers(session)[0]).toBe(1)
  expect(session.state()).toMatchObject({ liveAfter: null, window: { hasNewer: true } })
  log.log.last = 20_000
  await session.toEnd()
  expect(numbers(session).at(-1)).toBe(20_000)
  expect(session.state()).toMatchObject({ liveAfter: 20_000, held: 0 })
})

test('a link to a line opens around it, and says when it is not kept any more', async () => {
  const session = await opened(logOf(2_000), { line: 1_000 })
  expect([numbers(session)[0], numbers(session).at(-1)]).toEqual([801, 1_200])
  expect(session.state()).toMatchObject({ liveAfter: null, isLineGone: false })
  const gone = await opened(logOf(2_000, { first: 1_500 }), { line: 1_000 })
  expect(gone.state()).toMatchObject({ isLineGone: true })
  expect(numbers(gone)[0]).toBe(1_500)
})

test('live lines go through the filter', async () => {
  const log = logOf(0)
  const session = await opened(log, { params: { query: 'level:error', process: 'web' } })
  live(session, logLine('all is well', 1))
  live(session, logLine('ERROR it is not', 2))
  live(session, logLine('ERROR elsewhere', 3, { process: 'mailer' }))
  session.flush()
  expect(numbers(session)).toEqual([2])
})

test('live lines are searched for a regular expression aside, in their order, and what is skipped is said', async () => {
  const { control, searchAside, answer } = controlledAside()
  const session = await opened(logOf(0), { params: { query: '/^ok \\d$/', process: 'web' }, searchAside })
  expect(session.state().liveAfter).toBe(0)
  for (const [number, text] of ['ok 1', 'no', 'ok 3'].entries()) live(session, logLine(text, number + 1))
  session.flush()
  live(session, logLine('ok elsewhere', 4, { process: 'mailer' }))
  session.receive(JSON.stringify({ skipped: 5 }), '9-0')
  live(session, logLine('ok 9', 10))
  session.flush()
  expect(numbers(session)).toEqual([])
  expect(control.asked.map(({ lines }) => lines.length)).toEqual([3, 1])
  await answer()
  expect(numbers(session)).toEqual([1, 3, '5 skipped', 10])
  expect(session.polls).toBe(false)
  session.close()
  expect(control.isClosed).toBe(true)
})

test('a regular expression that does not end stops nothing: the host is asked from there on', async () => {
  const log = logOf(0, { text: (number) => `line ${number}` })
  const { searchAside, answer, end } = controlledAside()
  const session = await opened(log, { params: { query: '/^(l+)+ine/' }, searchAside })
  for (const number of [1, 2]) live(session, log.line(number))
  session.flush()
  await answer()
  for (const number of [3, 4]) live(session, log.line(number))
  session.flush()
  live(session, log.line(5))
  session.flush()
  await end()
  expect(session.polls).toBe(true)
  expect(session.state().liveAfter).toBe(null)
  log.log.last = 5
  await session.newer()
  expect(log.asked.at(-1)).toMatchObject({ after: '2' })
  expect(numbers(session)).toEqual([1, 2, 3, 4, 5])
  expect(session.state().liveAfter).toBe(null)
})

test('a log that is narrowed to a time that is over is not followed', async () => {
  const session = await opened(logOf(5), { params: { until: '2026-01-01T00:00:00Z' } })
  expect(session.state()).toMatchObject({ phase: 'ready', liveAfter: null })
  expect(session.polls).toBe(false)
})

test('a view that was closed shows everything again when it is opened again', async () => {
  const log = logOf(5)
  const session = await opened(log)
  session.close()
  live(session, log.line(6))
  session.flush()
  log.log.last = 7
  await session.open()
  expect(numbers(session)).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(session.state()).toMatchObject({ phase: 'ready', liveAfter: 7 })
})
