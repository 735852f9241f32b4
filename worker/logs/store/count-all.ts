import type { DatabaseSync } from 'node:sqlite'
import { logLineLevels } from '../../../platform/model/log-level.ts'
import { hasCounts, isSerious, serious } from './open-part.ts'

export interface Counts {
  bucket: number
  total: number
  warnings: number
  errors: number
}

/** The question for them that reads every line. Its first two values are where the first bucket begins, and its width. */
export function countsFrom(lines: string): string {
  return `SELECT CAST((time - ?) / ? AS INTEGER) AS bucket, count(*) AS total, count(*) FILTER (WHERE level = ${serious}) AS warnings,
    count(*) FILTER (WHERE level > ${serious}) AS errors FROM ${lines} GROUP BY bucket`
}

interface Span {
  from: number
  width: number
  /** Microseconds since 1970, both included. */
  min: number
  max: number
}

interface Block {
  first: number
  last: number
  min_time: number
  max_time: number
  /** Null where an earlier version wrote it. */
  warnings: number | null
  errors: number | null
}

/**
 * Counts all lines of these times and reads few of them. Numbers have no gap, so a block whose lines are all of one
 * bucket holds `last - first + 1` of it; how many of those are warnings and errors it says itself, or the index of
 * serious lines does, which has their numbers. Only the blocks that lie across a border are read.
 */
export function countAll(db: DatabaseSync, span: Span): Counts[] {
  // Both questions of one moment: lines are written meanwhile.
  db.exec('BEGIN')
  try {
    return [...counted(db, span)]
  } finally {
    db.exec('COMMIT')
  }
}

function* counted(db: DatabaseSync, { from, width, min, max }: Span): Iterable<Counts> {
  const known = hasCounts(db) ? 'warnings, errors' : 'NULL AS warnings, NULL AS errors'
  const blocks = db
    .prepare(
      `SELECT first, last, min_time, max_time, ${known} FROM blocks WHERE max_time >= ? AND min_time <= ? ORDER BY first`,
    )
    .all(min, max) as unknown as Block[]
  const count = (levels: readonly number[]) => {
    const all = db.prepare(
      `SELECT count(*) AS count FROM lines WHERE ${isSerious(levels)} AND number BETWEEN ? AND ?`,
    )
    return ({ first, last }: Run) => Number(all.get(first, last)?.count ?? 0)
  }
  const [warnings, errors] = [count([serious]), count([logLineLevels.error, logLineLevels.fatal])]
  const read = db.prepare(countsFrom('lines WHERE number BETWEEN ? AND ? AND time BETWEEN ? AND ?'))
  for (const run of runsOf(blocks, { from, width, min, max })) {
    if (run.bucket === null) {
      yield* read.iterate(from, width, run.first, run.last, min, max) as Iterable<unknown> as Iterable<Counts>
      continue
    }
    yield {
      bucket: run.bucket,
      total: run.last - run.first + 1,
      warnings: run.warnings ?? warnings(run),
      errors: run.errors ?? errors(run),
    }
  }
}

interface Run {
  first: number
  last: number
  /** Null: of several, or not all of these times. */
  bucket: number | null
  warnings: number | null
  errors: number | null
}

/** Blocks side by side of the same bucket, together. */
function runsOf(blocks: Block[], { from, width, min, max }: Span): Run[] {
  const runs: Run[] = []
  const bucketOf = (time: number) => Math.trunc((time - from) / width)
  for (const { first, last, min_time, max_time, warnings, errors } of blocks) {
    const isOne = min_time >= min && max_time <= max && bucketOf(min_time) === bucketOf(max_time)
    const bucket = isOne ? bucketOf(min_time) : null
    const before = runs.at(-1)
    if (before && before.bucket === bucket && before.last + 1 === first) {
      before.last = last
      before.warnings = sum(before.warnings, warnings)
      before.errors = sum(before.errors, errors)
    } else runs.push({ first, last, bucket, warnings, errors })
  }
  return runs
}

function sum(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : one + other
}
