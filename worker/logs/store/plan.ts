import type { DatabaseSync } from 'node:sqlite'
import { type LogLineLevel, logLineLevels } from '../../../platform/model/log-level.ts'
import { createLineMatcher, type LogTerm } from '../../../platform/model/log-query.ts'
import type { LogFilter } from '../../../platform/model/log-search.ts'
import { type Counts, countAll, countsFrom } from './count-all.ts'
import { isSerious, microseconds, serious, stderrFlag } from './open-part.ts'

export interface FoundLine {
  number: number
  /** Microseconds since 1970. */
  time: number
  source: number
  stream: number
  level: number | null
  text: string
}

/** How a part is searched: which lines SQLite finds, and which of them it really is. */
export interface Plan {
  candidates(): Iterable<FoundLine>
  isMatch(line: FoundLine): boolean
  /** Whether every candidate is a match, so that they can be counted without being read. */
  readonly isExact: boolean
  counts(from: number, width: number): Iterable<Counts>
}

interface Range {
  before?: number
  after?: number
  order: 'newest' | 'oldest'
}

/** Null when the part can hold nothing of it. */
export function createPlan(db: DatabaseSync, filter: LogFilter, range: Range): Plan | null {
  const where: string[] = []
  const values: (string | number)[] = []
  const add = (condition: string, ...used: (string | number)[]) => {
    where.push(condition)
    values.push(...used)
  }
  const terms = filter.terms ?? []
  const trigrams = trigramsOf(terms)
  // Driven by the index of the text where there is one, which also goes in either direction.
  const key = trigrams === null ? 'number' : 'lines_text.rowid'
  if (trigrams !== null) add('lines_text MATCH ?', trigrams)
  if (range.before !== undefined) add(`${key} < ?`, range.before)
  if (range.after !== undefined) add(`${key} > ?`, range.after)
  if (!addTimes(db, filter, key, add)) return null
  const sources = sourcesOf(db, filter)
  if (sources?.length === 0) return null
  if (sources) add(`source IN (${sources.map(() => '?').join()})`, ...sources)
  if (filter.stream !== undefined) add('stream = ?', filter.stream === 'stderr' ? stderrFlag : 0)
  const levels = levelsOf(terms)
  // By the index of serious lines, in which those of one level are in the order of their numbers.
  const isByLevel = trigrams === null && levels !== null && levels.every((level) => level >= serious)
  if (levels !== null) add(isByLevel ? isSerious(levels) : `level IN (${levels.join()})`)
  const direction = range.order === 'newest' ? 'DESC' : 'ASC'
  const table = trigrams === null ? 'lines' : 'lines_text CROSS JOIN lines ON lines.number = lines_text.rowid'
  const condition = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`
  const inOrder = (more = '') =>
    db
      .prepare(
        `SELECT number, time, source, stream, level, lines.text FROM ${table} ${condition} ${more} ORDER BY ${key} ${direction}`,
      )
      .iterate(...values) as Iterable<unknown> as Iterable<FoundLine>
  const isMatch = createLineMatcher(terms)
  const isOfAll =
    terms.length === 0 &&
    sources === null &&
    filter.stream === undefined &&
    range.before === undefined &&
    range.after === undefined
  return {
    candidates: () =>
      isByLevel
        ? merged(
            levels.map((level) => inOrder(`AND level = ${level}`)),
            range.order,
          )
        : inOrder(),
    isMatch: ({ text, level }) => isMatch({ text, level: level === null ? null : (names[level] ?? null) }),
    isExact: terms.every(({ kind, isNegated }) => kind === 'level' && !isNegated) && terms.length <= 1,
    counts: (from, width) => {
      if (isOfAll) return countAll(db, { from, width, ...timesOf(filter) })
      return db
        .prepare(countsFrom(`${table} ${condition}`))
        .iterate(from, width, ...values) as Iterable<unknown> as Iterable<Counts>
    },
  }
}

const names = Object.fromEntries(
  Object.entries(logLineLevels).map(([name, value]) => [value, name as LogLineLevel]),
)

type Add = (condition: string, ...values: (string | number)[]) => void

function timesOf({ since, until }: LogFilter): { min: number; max: number } {
  return {
    min: since === undefined ? Number.MIN_SAFE_INTEGER : microseconds(since),
    max: until === undefined ? Number.MAX_SAFE_INTEGER : microseconds(until),
  }
}

/** False when no block covers these times. */
function addTimes(db: DatabaseSync, { since, until }: LogFilter, key: string, add: Add): boolean {
  if (since === undefined && until === undefined) return true
  const { min, max } = timesOf({ since, until })
  const span = db
    .prepare(
      'SELECT min(first) AS first, max(last) AS last FROM blocks WHERE max_time >= ? AND min_time <= ?',
    )
    .get(min, max)
  if (span?.first == null) return false
  add(`${key} BETWEEN ? AND ?`, Number(span.first), Number(span.last))
  add('time BETWEEN ? AND ?', min, max)
  return true
}

/** Null: of all. */
function sourcesOf(db: DatabaseSync, filter: LogFilter): number[] | null {
  const wanted = (
    [
      ['container', filter.containerId],
      ['deployment', filter.deploymentId],
      ['process', filter.process],
      ['replica', filter.replica],
    ] as const
  ).filter(([, value]) => value !== undefined)
  if (wanted.length === 0) return null
  return db
    .prepare(`SELECT id FROM sources WHERE ${wanted.map(([column]) => `${column} = ?`).join(' AND ')}`)
    .all(...wanted.map(([, value]) => value ?? ''))
    .map(({ id }) => Number(id))
}

/** The levels that lines may have; null: whichever, or none. */
function levelsOf(terms: readonly LogTerm[]): number[] | null {
  for (const term of terms) {
    if (term.kind !== 'level' || term.isNegated) continue
    const least = logLineLevels[term.level]
    return term.orWorse ? Object.values(logLineLevels).filter((level) => level >= least) : [least]
  }
  return null
}

/** Of lines in the same order each: all of them in that order. */
function* merged(of: Iterable<FoundLine>[], order: Range['order']): Generator<FoundLine> {
  const sources = of.map((lines) => lines[Symbol.iterator]())
  const heads = sources.map((source) => source.next())
  try {
    for (;;) {
      let first: FoundLine | null = null
      let place = -1
      for (const [index, { done, value }] of heads.entries())
        if (!done && (first === null || value.number < first.number === (order === 'oldest')))
          [first, place] = [value, index]
      const source = sources[place]
      if (first === null || source === undefined) return
      yield first
      heads[place] = source.next()
    }
  } finally {
    for (const source of sources) source.return?.()
  }
}

const maxTrigrams = 8

/** For MATCH: three characters in a row each, all of which a line that matches must hold. Null: no term says any. */
export function trigramsOf(terms: readonly LogTerm[]): string | null {
  const found = new Set<string>()
  for (const term of terms) {
    if (term.isNegated) continue
    const text = term.kind === 'text' ? term.text : term.kind === 'field' ? plainEnough(term.value) : null
    if (text === null) continue
    const characters = [...text]
    const last = characters.length - 3
    // Of a long text not each: some that are spread over it find nearly the same lines in less time.
    const step = Math.max(1, Math.ceil((last + 1) / maxTrigrams))
    for (let at = 0; at <= last; at += step) found.add(characters.slice(at, at + 3).join(''))
    if (last > 0) found.add(characters.slice(last).join(''))
  }
  if (found.size === 0) return null
  return [...found].map((text) => `"${text.replaceAll('"', '""')}"`).join(' AND ')
}

/** In JSON these are written in another way than they read. */
function plainEnough(value: string): string | null {
  return /["\\\p{C}/]/u.test(value) ? null : value
}
