import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type {
  LogCount,
  LogHistogram,
  LogPage,
  LogSearch,
  StoredLine,
} from '../../../platform/model/log-search.ts'
import { microseconds, serious, timeOf } from './open-part.ts'
import { type PartFile, partsOf } from './parts.ts'
import { createPlan, type FoundLine, type Plan } from './plan.ts'

const usualBudgetMs = 900
/** So much text and no more is one answer. */
const maxPageChars = 4_000_000
const lookEvery = 512

/** The half of the store that reads. Everything is done at once, by the one thread that it lives in. */
export class LogReader {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  search(appId: string, search: LogSearch): LogPage {
    const { before, after, order, limit, budgetMs = usualBudgetMs } = search
    const until = performance.now() + budgetMs
    const parts = partsOf(join(this.#folder, appId))
    const lines: StoredLine[] = []
    let stopped: { number: number; time: number } | null = null
    const [first, last] = [endOf(parts, 'first'), endOf(parts, 'last')]
    const inOrder = order === 'newest' ? parts.toReversed() : parts
    for (const [index, part] of inOrder.entries()) {
      if (!overlaps(parts, part, search)) continue
      // One too many, which says that there is a next page.
      const wanted = limit + 1 - lines.length
      const found = withPart(part, (db) => {
        const plan = createPlan(db, search, { before, after, order })
        return plan && take(db, plan, wanted, until)
      })
      if (!found) continue
      lines.push(...found.lines)
      stopped = found.stopped
      if (lines.length > limit || stopped !== null) break
      if (performance.now() > until && index < inOrder.length - 1 && found.last !== null) {
        stopped = found.last
        break
      }
    }
    const page = lines.slice(0, limit)
    const next = lines.length > limit ? page.at(-1)?.number : stopped?.number
    return {
      lines: page,
      next: next ?? null,
      stoppedAt: stopped === null || lines.length > limit ? null : timeOf(stopped.time),
      ...{ first, last, isDiskFull: false },
    }
  }

  histogram(appId: string, { buckets: count, budgetMs = usualBudgetMs, ...filter }: LogCount): LogHistogram {
    const endAt = performance.now() + budgetMs
    const parts = partsOf(join(this.#folder, appId))
    const from = filter.since !== undefined ? microseconds(filter.since) : earliest(parts)
    const to = Math.max(
      filter.until !== undefined ? microseconds(filter.until) : Date.now() * 1_000,
      from + 1,
    )
    const width = Math.ceil((to - from + 1) / count)
    const buckets = Array.from({ length: count }, () => ({ total: 0, warnings: 0, errors: 0 }))
    let isComplete = true
    for (const part of parts.toReversed()) {
      const whole = withPart(part, (db) => {
        const plan = createPlan(db, filter, { order: 'newest' })
        if (plan === null) return true
        const isLate = performance.now() > endAt && part !== parts.at(-1)
        return !isLate && countInto(buckets, plan, { from, width, endAt })
      })
      isComplete = whole ?? true
      if (!isComplete) break
    }
    return { from: timeOf(from), bucketMs: width / 1_000, buckets, isComplete }
  }
}

interface Taken {
  lines: StoredLine[]
  stopped: { number: number; time: number } | null
  /** The last that was looked at. */
  last: { number: number; time: number } | null
}

function take(db: DatabaseSync, plan: Plan, wanted: number, until: number): Taken {
  const lines: StoredLine[] = []
  const sourceOf = createSources(db)
  let last: Taken['last'] = null
  let [looked, chars] = [0, 0]
  for (const line of plan.candidates()) {
    last = { number: line.number, time: line.time }
    if (plan.isMatch(line)) {
      lines.push({ ...stored(line), ...sourceOf(line.source) })
      chars += line.text.length
    }
    if (chars > maxPageChars) return { lines, stopped: last, last }
    if (lines.length === wanted) return { lines, stopped: null, last }
    looked += 1
    if (looked % lookEvery === 0 && performance.now() > until) return { lines, stopped: last, last }
  }
  return { lines, stopped: null, last }
}

function countInto(
  buckets: LogHistogram['buckets'],
  plan: Plan,
  { from, width, endAt }: { from: number; width: number; endAt: number },
): boolean {
  if (plan.isExact) {
    for (const { bucket, total, warnings, errors } of plan.counts(from, width)) {
      const into = buckets[bucket]
      if (!into) continue
      into.total += total
      into.warnings += warnings
      into.errors += errors
    }
    return true
  }
  let looked = 0
  for (const line of plan.candidates()) {
    looked += 1
    if (looked % lookEvery === 0 && performance.now() > endAt) return false
    const into = buckets[Math.floor((line.time - from) / width)]
    if (!into || !plan.isMatch(line)) continue
    into.total += 1
    if (line.level === serious) into.warnings += 1
    if (line.level !== null && line.level > serious) into.errors += 1
  }
  return true
}

type Source = Pick<StoredLine, 'containerId' | 'deploymentId' | 'process' | 'replica'>

function stored({ number, time, stream, text }: FoundLine): Omit<StoredLine, keyof Source> {
  return { number, time: timeOf(time), stream: stream === 1 ? 'stderr' : 'stdout', text }
}

/** Who wrote lines: a page has many, of few. */
function createSources(db: DatabaseSync): (id: number) => Source {
  const known = new Map<number, Source>()
  const select = db.prepare('SELECT container, deployment, process, replica FROM sources WHERE id = ?')
  return (id) => {
    const found = known.get(id)
    if (found) return found
    const row = select.get(id)
    const source = {
      containerId: String(row?.container ?? ''),
      deploymentId: String(row?.deployment ?? ''),
      process: String(row?.process ?? ''),
      replica: Number(row?.replica ?? 0),
    }
    known.set(id, source)
    return source
  }
}

/** Undefined for a part that was removed meanwhile, or is not made yet. */
function withPart<Result>(part: PartFile, read: (db: DatabaseSync) => Result): Result | undefined {
  let db: DatabaseSync
  try {
    db = new DatabaseSync(part.path, { readOnly: true, timeout: 2_000 })
  } catch {
    return undefined
  }
  try {
    if (!db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'lines_text'").get()) return undefined
    return read(db)
  } finally {
    db.close()
  }
}

/** By its name and the next one's alone. */
function overlaps(parts: PartFile[], part: PartFile, { before, after }: LogSearch): boolean {
  const next = parts[parts.indexOf(part) + 1]
  if (before !== undefined && part.firstNumber >= before) return false
  return !(after !== undefined && next !== undefined && next.firstNumber <= after + 1)
}

function endOf(parts: PartFile[], end: 'first' | 'last'): number | null {
  const inOrder = end === 'first' ? parts : parts.toReversed()
  for (const part of inOrder) {
    const found = withPart(part, (db) =>
      db.prepare(`SELECT ${end === 'first' ? 'min' : 'max'}(number) AS number FROM lines`).get(),
    )
    if (found?.number != null) return Number(found.number)
  }
  return null
}

function earliest(parts: PartFile[]): number {
  for (const part of parts) {
    const found = withPart(part, (db) => db.prepare('SELECT min(min_time) AS time FROM blocks').get())
    if (found?.time != null) return Number(found.time)
  }
  return Date.now() * 1_000 - 3_600_000_000
}
