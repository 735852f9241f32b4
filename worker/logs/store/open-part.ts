import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { levelOf, logLineLevels } from '../../../platform/model/log-level.ts'
import type { LogSource, NewLine } from './log-store.ts'
import type { PartFile } from './parts.ts'

/** The least level of a line that is serious. */
export const serious = logLineLevels.warn

/**
 * `lines_text` finds lines by any three characters in a row (https://sqlite.org/fts5.html#the_trigram_tokenizer). It
 * holds no text, and not where in a line: that makes it a third as large, and the line itself says whether it is one.
 * `blocks` say which times a run of lines covers, so that a search by time reads only those; lines of several
 * containers are nearly in the order of their times, not quite. They also say how many of these lines are serious, unless
 * an earlier version wrote any of them.
 */
const schema = `
  CREATE TABLE IF NOT EXISTS sources (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, container TEXT NOT NULL,
    deployment TEXT NOT NULL, process TEXT NOT NULL, replica INTEGER NOT NULL, position TEXT);
  CREATE TABLE IF NOT EXISTS lines (number INTEGER PRIMARY KEY, time INTEGER NOT NULL, source INTEGER NOT NULL,
    stream INTEGER NOT NULL, level INTEGER, text TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS serious_lines ON lines (level, number) WHERE level >= ${serious};
  CREATE TABLE IF NOT EXISTS blocks (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, min_time INTEGER NOT NULL,
    max_time INTEGER NOT NULL, warnings INTEGER, errors INTEGER);
  CREATE VIRTUAL TABLE IF NOT EXISTS lines_text USING fts5 (text, content = '', detail = none, columnsize = 0,
    tokenize = 'trigram');
`

const blockLines = 512
export const stderrFlag = 1

/**
 * For WHERE: lines of serious levels. SQLite takes their index only where its own condition is said again
 * (https://sqlite.org/partialindex.html#queries_using_partial_indexes), and where no value is left open.
 */
export function isSerious(levels: readonly number[]): string {
  return `level IN (${levels.join()}) AND level >= ${serious}`
}

/** A part that is written. Everything is done at once, and by one thread only. */
export interface OpenPart {
  readonly file: PartFile
  /** Number that the next line gets. */
  readonly next: number
  position(source: string): string | null
  /** All of them and the position after them, or nothing. */
  append(source: LogSource, lines: NewLine[], position: string): number
  end(source: string): void
  /** Sources that may still write: what a part that follows begins with. */
  sources(): OpenSource[]
  adopt(sources: OpenSource[]): void
  close(): void
}

/** Lines one after the other. */
interface Block {
  first: number
  last: number
  /** Of their times, in microseconds since 1970. */
  min: number
  max: number
  warnings: number
  errors: number
}

export interface OpenSource extends LogSource {
  position: string | null
}

export function openPart(file: PartFile): OpenPart {
  const db = new DatabaseSync(file.path, { timeout: 5_000 })
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -1024')
    db.exec(schema)
    if (!hasCounts(db))
      db.exec('ALTER TABLE blocks ADD COLUMN warnings INTEGER; ALTER TABLE blocks ADD COLUMN errors INTEGER')
    return opened(file, db)
  } catch (error) {
    db.close()
    throw error
  }
}

/** Whether blocks say how many of their lines are serious. */
export function hasCounts(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM pragma_table_info('blocks') WHERE name = 'errors'").get() !== undefined
}

function opened(file: PartFile, db: DatabaseSync): OpenPart {
  const statements = new Map<string, StatementSync>()
  const prepared = (sql: string): StatementSync => {
    const known = statements.get(sql) ?? db.prepare(sql)
    statements.set(sql, known)
    return known
  }
  const newest = db.prepare('SELECT max(number) AS number FROM lines').get()
  let next = newest?.number == null ? file.firstNumber : Number(newest.number) + 1

  function all(work: () => void): void {
    db.exec('BEGIN IMMEDIATE')
    try {
      work()
      db.exec('COMMIT')
    } catch (error) {
      // A disk that is full ends the transaction by itself.
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }

  function sourceId({ name, containerId, deploymentId, process, replica }: LogSource): number {
    const found = prepared('SELECT id FROM sources WHERE name = ?').get(name)
    if (found) return Number(found.id)
    const added = prepared(
      'INSERT INTO sources (name, container, deployment, process, replica) VALUES (?, ?, ?, ?, ?)',
    ).run(name, containerId, deploymentId, process, replica)
    return Number(added.lastInsertRowid)
  }

  function addBlock({ first, last, min, max, warnings, errors }: Block): void {
    const block = prepared('SELECT first, last FROM blocks ORDER BY first DESC LIMIT 1').get()
    if (block && last - Number(block.first) < blockLines)
      prepared(
        `UPDATE blocks SET last = ?, min_time = min(min_time, ?), max_time = max(max_time, ?), warnings = warnings + ?,
          errors = errors + ? WHERE first = ?`,
      ).run(last, min, max, warnings, errors, Number(block.first))
    else
      prepared(
        'INSERT INTO blocks (first, last, min_time, max_time, warnings, errors) VALUES (?, ?, ?, ?, ?, ?)',
      ).run(first, last, min, max, warnings, errors)
  }

  return {
    file,
    get next() {
      return next
    },
    position: (source) => {
      const found = prepared('SELECT position FROM sources WHERE name = ?').get(source)
      return typeof found?.position === 'string' ? found.position : null
    },
    append(source, lines, position) {
      const first = next
      const block = { first, last: first + lines.length - 1, min: Infinity, max: 0, warnings: 0, errors: 0 }
      all(() => {
        const id = sourceId(source)
        const addLine = prepared('INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?)')
        const addText = prepared('INSERT INTO lines_text (rowid, text) VALUES (?, ?)')
        for (const [index, line] of lines.entries()) {
          const time = microseconds(line.time)
          const name = levelOf(line.text)
          const level = name && logLineLevels[name]
          const flags = line.stream === 'stderr' ? stderrFlag : 0
          addLine.run(first + index, time, id, flags, level, line.text)
          addText.run(first + index, line.text)
          if (time < block.min) block.min = time
          if (time > block.max) block.max = time
          if (level === serious) block.warnings += 1
          if (level !== null && level > serious) block.errors += 1
        }
        if (lines.length > 0) addBlock(block)
        prepared('UPDATE sources SET position = ? WHERE id = ?').run(position, id)
      })
      next = first + lines.length
      return first
    },
    end: (source) => {
      // Its lines refer to the row; without a position a part that follows does not take it over.
      prepared('UPDATE sources SET position = NULL WHERE name = ?').run(source)
    },
    sources: () =>
      prepared('SELECT * FROM sources WHERE position IS NOT NULL')
        .all()
        .map((row) => ({
          name: String(row.name),
          containerId: String(row.container),
          deploymentId: String(row.deployment),
          process: String(row.process),
          replica: Number(row.replica),
          position: String(row.position),
        })),
    adopt(sources) {
      all(() => {
        for (const source of sources)
          prepared('UPDATE sources SET position = ? WHERE id = ?').run(source.position, sourceId(source))
      })
    },
    close: () => db.close(),
  }
}

/** Of an ISO 8601 time with up to nanoseconds, since 1970. What is no time is now. */
export function microseconds(time: string): number {
  const found = /^(.*?)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)$/.exec(time)
  const seconds = Date.parse(`${found?.[1] ?? time}${found?.[3] ?? ''}`)
  if (Number.isNaN(seconds)) return Date.now() * 1_000
  return seconds * 1_000 + Number((found?.[2] ?? '').slice(0, 6).padEnd(6, '0'))
}

/** The other way, with six digits after the point. */
export function timeOf(microseconds: number): string {
  const seconds = Math.floor(microseconds / 1_000_000)
  const rest = String(microseconds - seconds * 1_000_000).padStart(6, '0')
  return `${new Date(seconds * 1_000).toISOString().slice(0, 19)}.${rest}Z`
}
