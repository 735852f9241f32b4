import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseLogQuery } from '../../../platform/model/log-query.ts'
import type { LogSearch } from '../../../platform/model/log-search.ts'
import { LogSearchError, type LogStore } from '../../../worker/logs/store/log-store.ts'
import { openLogStore } from '../../../worker/logs/store/open-log-store.ts'
import { LogWriter } from '../../../worker/logs/store/writer.ts'

const app = 'app_one'
let folder: string
let store: LogStore

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-logs-'))
  store = openLogStore(folder)
})
afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

const source = { name: 'c1@1', containerId: 'c1', deploymentId: 'dep_1', process: 'web', replica: 0 }
const other = { name: 'c2@1', containerId: 'c2', deploymentId: 'dep_2', process: 'mailer', replica: 1 }
const start = Date.parse('2026-03-01T12:00:00Z')
const line = (text: string, second = 0, stream: 'stdout' | 'stderr' = 'stdout') => ({
  time: new Date(start + second * 1_000).toISOString(),
  stream,
  text,
})
const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => line(`line ${from + i}`, from + i))

async function find(query: string, more: Partial<LogSearch> = {}) {
  const terms = parseLogQuery(query)
  return store.search(app, { terms, order: 'newest', limit: 100, ...more })
}
const texts = async (query: string, more: Partial<LogSearch> = {}) =>
  (await find(query, more)).lines.map(({ text }) => text)

test('lines have numbers without a gap, in every part and whoever wrote them, and pages of both directions join', async () => {
  expect(await store.append(app, source, numbered(0, 30), 'a')).toBe(1)
  expect(await store.append(app, other, numbered(30, 50), 'b')).toBe(31)
  const newest = await find('', { limit: 20 })
  expect(newest.lines.map(({ number }) => number)).toEqual(Array.from({ length: 20 }, (_, i) => 50 - i))
  expect(newest).toMatchObject({ next: 31, first: 1, last: 50, stoppedAt: null })
  const older = await find('', { limit: 30, before: newest.next ?? 0 })
  expect(older.lines.map(({ number }) => number)).toEqual(Array.from({ length: 30 }, (_, i) => 30 - i))
  expect(older.next).toBeNull()
  const onward = await find('', { order: 'oldest', after: 28, limit: 3 })
  expect(onward.lines).toMatchObject([
    { number: 29, text: 'line 28', containerId: 'c1', deploymentId: 'dep_1', replica: 0 },
    { number: 30, text: 'line 29', containerId: 'c1' },
    { number: 31, text: 'line 30', containerId: 'c2', deploymentId: 'dep_2', replica: 1 },
  ])
})

test('pages of any size join where parts do, in both directions', async () => {
  let day = 100
  const writer = new LogWriter(folder, () => day)
  let count = 0
  for (const lines of [3, 1, 1, 2, 4]) {
    writer.append(app, source, numbered(count, count + lines), `day ${day++}`)
    count += lines
  }
  writer.close()
  expect((await readdir(join(folder, app))).filter((name) => name.endsWith('.db'))).toHaveLength(5)
  const all = Array.from({ length: count }, (_, i) => i + 1)
  for (let limit = 1; limit <= count + 1; limit++) {
    for (const order of ['newest', 'oldest'] as const) {
      const pages: number[][] = []
      for (let next: number | null | undefined; next !== null; ) {
        const from = next === undefined ? {} : { [order === 'newest' ? 'before' : 'after']: next }
        const page = await find('', { order, limit, ...from })
        pages.push(page.lines.map(({ number }) => number))
        next = page.next
      }
      expect(pages.flat(), `${order}, ${limit} a page`).toEqual(order === 'newest' ? all.toReversed() : all)
      expect(pages).toHaveLength(Math.ceil(count / limit))
    }
  }
})

test('a line comes back as it was written, with its time to the microsecond', async () => {
  const text = '\u001b[31mrot\u001b[0m\t"quoted" – 日本語 🚢 \\ end  '
  await store.append(app, source, [{ time: '2026-03-01T12:00:00.123456789Z', stream: 'stderr', text }], 'a')
  expect((await find('')).lines[0]).toMatchObject({
    text,
    stream: 'stderr',
    time: '2026-03-01T12:00:00.123456Z',
  })
  expect(await texts('日本語')).toEqual([text])
})

test('each kind of term finds its lines and no other', async () => {
  const json = '{"level":"error","user":{"id":42},"path":"/api/items/7","msg":"it said \\"no\\""}'
  const pair = 'level=warn user=43 msg="slow query" took=12ms'
  const plain = '2026-03-01 12:00:00 INFO started GET /api/items'
  const stack = 'TypeError: x is not a function'
  const dotted = '{"http.status":502,"http":{"status":1},"list":["a","b"]}'
  await store.append(
    app,
    source,
    [json, pair, plain, stack, dotted].map((text) => line(text)),
    'a',
  )
  const found = async (query: string) => (await texts(query)).toReversed()
  expect(await found('ITEMS')).toEqual([json, plain])
  expect(await found('"GET /api"')).toEqual([plain])
  expect(await found('"get /api"')).toEqual([])
  expect(await found('/user(=|":\\{"id":)4\\d/')).toEqual([json, pair])
  expect(await found('level:error')).toEqual([json])
  expect(await found('level:>=warn')).toEqual([json, pair])
  expect(await found('level:info')).toEqual([plain])
  expect(await found('user.id:42')).toEqual([json])
  expect(await found('user.id:4')).toEqual([])
  expect(await found('http.status:502')).toEqual([dotted])
  expect(await found('list:["a","b"]')).toEqual([dotted])
  expect(await found('list.1:b')).toEqual([dotted])
  expect(await found('path:/api/*')).toEqual([json])
  expect(await found('msg:"it said \\"no\\""')).toEqual([json])
  expect(await found('msg:"slow query"')).toEqual([pair])
  expect(await found('-items')).toEqual([pair, stack, dotted])
  expect(await found('-level:error items')).toEqual([plain])
  expect(await found('no')).toEqual([json, stack])
  expect(await found('zz')).toEqual([])
})

test('lines of some levels come in order, page by page, whichever of these they have, and are counted', async () => {
  const words = ['ok', 'ERROR bad', 'WARN low', 'INFO so', 'FATAL end', 'ERROR again', 'WARN lower']
  const written = Array.from({ length: 50 }, (_, i) => `${words[(i * i + i) % words.length]} ${i}`)
  await store.append(
    app,
    source,
    written.map((text, i) => line(text, i)),
    'a',
  )
  for (const [query, levels] of [
    ['level:warn', /^WARN/],
    ['level:error', /^ERROR/],
    ['level:>=warn', /^(WARN|ERROR|FATAL)/],
    ['level:>=error', /^(ERROR|FATAL)/],
    ['level:>=info', /^(INFO|WARN|ERROR|FATAL)/],
    ['level:>=warn -level:error', /^(WARN|FATAL)/],
    ['level:>=warn /1$/', /^(WARN|ERROR|FATAL).*1$/],
  ] as const) {
    const wanted = written.filter((text) => levels.test(text))
    for (const order of ['newest', 'oldest'] as const) {
      const found: string[] = []
      for (let next: number | null | undefined; next !== null; ) {
        const from = next === undefined ? {} : { [order === 'newest' ? 'before' : 'after']: next }
        const page = await find(query, { order, limit: 4, ...from })
        found.push(...page.lines.map(({ text }) => text))
        next = page.next
      }
      expect(found, `${query}, ${order}`).toEqual(order === 'newest' ? wanted.toReversed() : wanted)
    }
    const counted = await store.histogram(app, { terms: parseLogQuery(query), buckets: 5 })
    expect(counted.buckets.reduce((sum, { total }) => sum + total, 0)).toBe(wanted.length)
  }
})

test('container, deployment, replica, stream and time narrow a search', async () => {
  await store.append(app, source, [line('one', 1), line('two', 2, 'stderr')], 'a')
  await store.append(app, other, [line('three', 3), line('late one', 1)], 'b')
  expect(await texts('', { containerId: 'c2' })).toEqual(['late one', 'three'])
  expect(await texts('', { deploymentId: 'dep_1' })).toEqual(['two', 'one'])
  expect(await texts('', { replica: 1 })).toEqual(['late one', 'three'])
  expect(await texts('', { process: 'mailer' })).toEqual(['late one', 'three'])
  expect(await texts('', { stream: 'stderr' })).toEqual(['two'])
  expect(await texts('', { until: line('', 1).time })).toEqual(['late one', 'one'])
  expect(await texts('', { since: line('', 2).time })).toEqual(['three', 'two'])
  expect(await texts('one', { since: line('', 1).time, deploymentId: 'dep_2' })).toEqual(['late one'])
  expect(await texts('', { deploymentId: 'dep_none' })).toEqual([])
})

test('lines and the position after them are kept together, and a store that is opened again goes on', async () => {
  expect(await store.position(app, source.name)).toBeNull()
  await store.append(app, source, numbered(0, 5), 'after-5')
  // A line that SQLite refuses in the middle of others.
  const bad = [line('fine'), { ...line('bad'), text: Symbol.iterator.toString() as never }]
  bad[1] = { ...line('bad'), text: null as never }
  await expect(store.append(app, source, bad, 'after-7')).rejects.toThrow()
  expect(await store.position(app, source.name)).toBe('after-5')
  expect(await texts('fine')).toEqual([])
  await store.close()
  store = openLogStore(folder)
  expect(await store.position(app, source.name)).toBe('after-5')
  expect(await store.append(app, source, numbered(5, 6), 'after-6')).toBe(6)
  expect(await texts('"line 5"')).toEqual(['line 5'])
})

test('what is too old or too much goes part by part; numbers and positions go on', async () => {
  let day = 100
  const writer = new LogWriter(folder, () => day)
  const none = { maxBytes: Number.MAX_SAFE_INTEGER, maxAgeMs: Number.MAX_SAFE_INTEGER, minFreeBytes: 0 }
  for (; day < 104; day++) writer.append(app, source, numbered(day * 10, day * 10 + 10), `day ${day}`)
  writer.append(app, other, numbered(0, 1), 'other')
  const used = writer.usage()[app] ?? 0
  expect(writer.prune(none)).toBe(0)
  expect(await find('')).toMatchObject({ first: 1, last: 41 })
  const freed = writer.prune({ ...none, maxBytes: used - 1 })
  expect(freed).toBeGreaterThan(0)
  expect(writer.usage()[app]).toBeLessThan(used)
  const { first } = await find('')
  expect(first).toBe(11)
  writer.prune({ ...none, maxAgeMs: -1 })
  expect(await find('')).toMatchObject({ lines: [], first: null })
  expect(writer.position(app, source.name)).toBe('day 103')
  expect(writer.append(app, source, numbered(0, 1), 'anew')).toBe(42)
  // A disk that never has enough free takes all.
  writer.prune({ ...none, minFreeBytes: Number.MAX_SAFE_INTEGER })
  expect(await find('')).toMatchObject({ lines: [], first: null })
  writer.removeApp(app)
  expect(await readdir(folder)).toEqual([])
  writer.close()
})

test('apps that may take only so much together lose the oldest of all their lines, and others none', async () => {
  let day = 100
  const writer = new LogWriter(folder, () => day)
  const apps = ['app_one', 'app_two', 'app_other']
  for (; day < 103; day++) for (const each of apps) writer.append(each, source, numbered(0, 10), `day ${day}`)
  for (const each of apps) {
    const parts = (await readdir(join(folder, each))).filter((name) => name.endsWith('.db')).sort()
    for (const [index, name] of parts.entries()) {
      // As old as their days say, the first app's a little older.
      const at = Date.now() / 1_000 - (10 - index) * 86_400 - (each === 'app_one' ? 60 : 0)
      for (const end of ['', '-wal'])
        await utimes(join(folder, each, `${name}${end}`), at, at).catch(() => {})
    }
  }
  const of = (each: string) => store.search(each, { order: 'newest', limit: 0 })
  const { app_one: one = 0, app_two: two = 0 } = writer.usage()
  const groups = [{ appIds: ['app_one', 'app_two', 'app_of_another_host'], maxBytes: one + two - 1 }]
  const none = { maxBytes: Number.MAX_SAFE_INTEGER, maxAgeMs: Number.MAX_SAFE_INTEGER, minFreeBytes: 0 }
  expect(writer.prune({ ...none, groups })).toBeGreaterThan(0)
  expect([(await of('app_one')).first, (await of('app_two')).first, (await of('app_other')).first]).toEqual([
    11, 1, 1,
  ])
  writer.close()
})

test('a part that was cut off before it knew its sources is told them again', async () => {
  const writer = new LogWriter(folder, () => 1)
  writer.append(app, source, numbered(0, 3), 'three')
  writer.close()
  // As a worker leaves it that is killed between making the file and filling it.
  const { DatabaseSync } = await import('node:sqlite')
  new DatabaseSync(join(folder, app, '0000000000000004.db')).close()
  expect(await find('')).toMatchObject({ first: 1, last: 3 })
  expect(await store.position(app, source.name)).toBe('three')
  expect(await store.append(app, source, numbered(3, 4), 'four')).toBe(4)
})

test('a container that is gone leaves its lines and no position behind', async () => {
  await store.append(app, source, numbered(0, 2), 'two')
  await store.end(app, source.name)
  expect(await store.position(app, source.name)).toBeNull()
  expect(await texts('')).toEqual(['line 1', 'line 0'])
})

test('a search that takes too long is ended with a sentence, and neither writing nor the next search minds', async () => {
  await store.append(app, source, [line(`${'a'.repeat(60)}!`)], 'a')
  const endless = find('/(a+)+$/')
  const next = texts('"!"')
  const before = Date.now()
  await store.append(app, source, numbered(0, 1), 'b')
  expect(Date.now() - before).toBeLessThan(4_000)
  await expect(endless).rejects.toBeInstanceOf(LogSearchError)
  expect(await next).toEqual([`${'a'.repeat(60)}!`])
}, 20_000)

test('a budget ends a search where it says, and the next page goes on there', async () => {
  for (let at = 0; at < 40_000; at += 1_000)
    await store.append(app, source, numbered(at, at + 1_000), `${at}`)
  const found: string[] = []
  let before: number | undefined
  let pages = 0
  do {
    const page = await find('/line (7|39990)$/', { before, budgetMs: 1 })
    found.push(...page.lines.map(({ text }) => text))
    if (page.stoppedAt !== null) pages += 1
    before = page.next ?? undefined
  } while (before !== undefined)
  expect(found).toEqual(['line 39990', 'line 7'])
  expect(pages).toBeGreaterThan(0)
})

test('a histogram counts all lines, serious ones apart, with and without a search', async () => {
  const lines = [
    line('ok', 0),
    line('WARN low', 1),
    line('ERROR bad', 11),
    line('ok', 12),
    line('FATAL end', 19),
  ]
  await store.append(app, source, lines, 'a')
  const span = { since: line('', 0).time, until: line('', 19).time, buckets: 2 }
  expect((await store.histogram(app, span)).buckets).toEqual([
    { total: 2, warnings: 1, errors: 0 },
    { total: 3, warnings: 0, errors: 2 },
  ])
  const ok = await store.histogram(app, { ...span, terms: parseLogQuery('ok') })
  expect(ok).toMatchObject({ isComplete: true, buckets: [{ total: 1 }, { total: 1 }] })
})

test('threads end when nobody asks, and begin again', async () => {
  await store.close()
  store = openLogStore(folder, { idleMs: 20 })
  await store.append(app, source, numbered(0, 1), 'a')
  // The end of the thread closes its files.
  const files = async () => (await readdir(join(folder, app))).filter((name) => !name.endsWith('.db'))
  for (const until = Date.now() + 5_000; (await files()).length > 0; await sleep(10))
    if (Date.now() > until) throw new Error('the thread did not end')
  expect(await store.append(app, source, numbered(1, 2), 'b')).toBe(2)
  expect(await texts('')).toEqual(['line 1', 'line 0'])
})

test('a disk that is full is told of, loses nothing that was kept, and is over once there is room', async () => {
  await store.close()
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'berth-test', folder])
  try {
    store = openLogStore(folder)
    let kept = 0
    const fill = async () => {
      for (;;) {
        await store.append(app, source, numbered(kept, kept + 200), String(kept))
        kept += 200
      }
    }
    await expect(fill()).rejects.toThrow(/full|ENOSPC/)
    expect(kept).toBeGreaterThan(200)
    expect(await find('', { limit: 1 })).toMatchObject({ last: kept, isDiskFull: true })
    execFileSync('mount', ['-o', 'remount,size=8m', folder])
    expect(await store.append(app, source, numbered(kept, kept + 1), 'after')).toBe(kept + 1)
    expect(await find('', { limit: 1 })).toMatchObject({ last: kept + 1, isDiskFull: false })
  } finally {
    await store.close()
    execFileSync('umount', ['--lazy', folder])
    store = openLogStore(folder)
  }
})
