import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LogReader } from '../../../worker/logs/store/reader.ts'
import { LogWriter } from '../../../worker/logs/store/writer.ts'

const app = 'app_one'
const start = Date.parse('2026-03-01T12:00:00Z')
const words = ['ok', 'INFO ok', 'WARN low', 'ERROR bad', 'FATAL end'] as const
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-logs-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Always the same for a seed (https://en.wikipedia.org/wiki/Linear_congruential_generator). */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

interface Written {
  number: number
  time: number
  text: string
}

/** Microseconds from here on; every line is looked at. */
function countedOneByOne(
  lines: Written[],
  from: number,
  width: number,
  count: number,
  since = 0,
  until = Infinity,
) {
  const buckets = Array.from({ length: count }, () => ({ total: 0, warnings: 0, errors: 0 }))
  for (const { time, text } of lines) {
    const into = buckets[Math.trunc((time - from) / width)]
    if (!into || time < since || time > until) continue
    into.total += 1
    if (text.startsWith('WARN')) into.warnings += 1
    if (/^(ERROR|FATAL)/.test(text)) into.errors += 1
  }
  return buckets
}

/** Blocks as they were before they said how many of their lines are serious. */
async function forgetCounts(): Promise<void> {
  const parts = (await readdir(join(folder, app))).filter((name) => name.endsWith('.db'))
  for (const part of parts) {
    const db = new DatabaseSync(join(folder, app, part))
    db.exec('ALTER TABLE blocks DROP COLUMN warnings; ALTER TABLE blocks DROP COLUMN errors')
    db.close()
  }
}

test.each([1, 2, 3, 4, 5])(
  'a histogram of all lines counts as one by one: across parts, late lines, what went, files of an earlier version, and the part that is written (%i)',
  async (seed) => {
    const random = randomOf(seed)
    let isNextDay = false
    const today = () => Math.floor(Date.now() / 86_400_000) + (isNextDay ? 1 : 0)
    let writer = new LogWriter(folder, today)
    const reader = new LogReader(folder)
    let lines: Written[] = []
    const iso = (ms: number) => new Date(ms).toISOString()
    let now = start
    for (let batch = 0; batch < 40; batch++) {
      isNextDay = random(6) === 0
      const made = Array.from({ length: 1 + random(random(4) === 0 ? 1_500 : 60) }, () => {
        now += random(200)
        // Lines of several containers are not in the order of their times.
        const time = now - (random(10) === 0 ? random(60_000) : 0)
        return { time: iso(time), stream: 'stdout' as const, text: words[random(words.length)] ?? 'ok' }
      })
      const name = `c${random(2)}@1`
      const source = { name, containerId: name, deploymentId: 'dep_1', process: 'web', replica: 0 }
      const first = writer.append(app, source, made, String(batch))
      for (const [index, { time, text }] of made.entries())
        lines.push({ number: first + index, time: Date.parse(time) * 1_000, text })
      if (batch === 12 && seed % 2 === 0) {
        writer.close()
        await forgetCounts()
        writer = new LogWriter(folder, today)
      }
      if (batch !== 25) continue
      const bytes = writer.usage()[app] ?? 0
      writer.prune({ maxBytes: bytes - 1, maxAgeMs: Number.MAX_SAFE_INTEGER, minFreeBytes: 0 })
      const { first: kept } = reader.search(app, { order: 'oldest', limit: 0 })
      expect(kept).toBeGreaterThan(1)
      lines = lines.filter(({ number }) => number >= (kept ?? 0))
    }
    for (let turn = 0; turn < 40; turn++) {
      const buckets = 1 + random(90)
      const [a, b] = [start + random(now - start), start + random(now - start)].sort((x, y) => x - y)
      const span = {
        ...(random(3) > 0 && { since: iso(a ?? 0) }),
        ...(random(3) > 0 && { until: iso(b ?? 0) }),
      }
      const { bucketMs, from, ...found } = reader.histogram(app, { buckets, ...span })
      const begin = Date.parse(from) * 1_000 + Number(from.slice(23, 26))
      const [since, until] = [span.since, span.until].map((at) =>
        at === undefined ? undefined : Date.parse(at) * 1_000,
      )
      expect(found, JSON.stringify({ turn, buckets, ...span })).toEqual({
        isComplete: true,
        buckets: countedOneByOne(lines, begin, bucketMs * 1_000, buckets, since, until),
      })
    }
    writer.close()
  },
)

test('a histogram whose time is over says so, and has counted the newest lines', () => {
  let day = 100
  const writer = new LogWriter(folder, () => day)
  const source = { name: 'c@1', containerId: 'c', deploymentId: 'dep_1', process: 'web', replica: 0 }
  for (const count of [1, 10, 100]) {
    const time = new Date(start + day++ * 1_000).toISOString()
    const lines = Array.from({ length: count }, () => ({ time, stream: 'stdout' as const, text: 'ok' }))
    writer.append(app, source, lines, String(count))
  }
  writer.close()
  const counted = (more: { budgetMs?: number; since?: string } = {}) => {
    const asked = { buckets: 10, stream: 'stdout' as const, ...more }
    const { buckets, isComplete } = new LogReader(folder).histogram(app, asked)
    return [buckets.reduce((sum, { total }) => sum + total, 0), isComplete]
  }
  expect(counted()).toEqual([111, true])
  expect(counted({ budgetMs: 0 })).toEqual([100, false])
  // Of what is older nothing was asked.
  expect(counted({ budgetMs: 0, since: new Date(start + 102_000).toISOString() })).toEqual([100, true])
})
