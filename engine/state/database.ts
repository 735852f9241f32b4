/**
 * The state folder: who owns it (one process at a time), and the database that says what refers to what. What is on
 * disk without a row was cut off, and is swept.
 */
import { closeSync, fdatasync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { EngineError } from '../errors.ts'
import { bootId } from '../sys/boot.ts'
import { processStart } from '../sys/processes.ts'
import { tryLock } from '../sys/syscalls.ts'
import { migrate } from './migrations.ts'

export interface State {
  /** Its tables are made and changed in migrations.ts only. */
  readonly db: DatabaseSync
  /** Changes with every boot of the host: what ran under another one runs no more. */
  readonly bootId: string
  /**
   * Does work whose changes are committed without waiting for the disk, which would keep our whole process waiting. Who
   * is killed afterwards loses nothing; a host that loses its power may lose the last of them, in order, until onDisk().
   * Not to be called within a transaction.
   */
  lazily<T>(work: () => T): T
  /** Until everything that was committed before this call is on disk. */
  onDisk(): Promise<void>
  close(): void
}

/** A process that forks has the lock until it becomes another program, even when the one that owned it was killed. */
const inheritedForMs = 5_000
const lookEveryMs = 10
const syncFile = promisify(fdatasync)

/**
 * Opens the folder, made if need be, and brings the database of an older engine up to date. Throws failed-precondition
 * while another process owns it, and for one that a newer engine has changed.
 */
export function openState(stateDir: string): State {
  mkdirSync(stateDir, { recursive: true, mode: 0o711 })
  const lock = openSync(join(stateDir, 'lock'), 'a+', 0o600)
  if (!lockInTime(lock, stateDir)) {
    const owner = ownerOf(stateDir)
    closeSync(lock)
    throw new EngineError(
      'failed-precondition',
      `another engine (process ${owner || 'unknown'}) owns ${stateDir}: end it first`,
    )
  }
  ftruncateSync(lock)
  writeSync(lock, `${process.pid}\n`)
  const db = new Statements(join(stateDir, 'engine.db'))
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
    migrate(db)
  } catch (error) {
    db.close()
    closeSync(lock)
    throw error
  }
  const disk = syncsOf(join(stateDir, 'engine.db-wal'))
  return {
    db,
    bootId: bootId(),
    lazily(work) {
      db.exec('PRAGMA synchronous = NORMAL')
      try {
        return work()
      } finally {
        disk.changed()
        db.exec('PRAGMA synchronous = FULL')
      }
    },
    onDisk: disk.sync,
    close: () => {
      disk.close()
      db.close()
      closeSync(lock)
    },
  }
}

/** What is committed while the disk is at work is seen to together, in the next turn. */
function syncsOf(path: string): { changed(): void; sync(): Promise<void>; close(): void } {
  const file = openSync(path, 'r+')
  let changes = 0
  /** As many of them are on disk, or will be by the turn that goes on. */
  let seenTo = 0
  let now: Promise<void> | null = null
  let next: Promise<void> | null = null
  let isClosed = false

  function begin(): Promise<void> {
    next = null
    if (isClosed) return Promise.resolve()
    const before = seenTo
    seenTo = changes
    now = syncFile(file)
      .catch((error) => {
        seenTo = before
        throw error
      })
      .finally(() => {
        now = null
        if (isClosed) closeSync(file)
      })
    return now
  }

  return {
    changed() {
      changes++
    },
    sync() {
      if (seenTo === changes) return now ?? Promise.resolve()
      if (now === null) return begin()
      next ??= now.then(begin, begin)
      return next
    },
    close() {
      isClosed = true
      if (now === null) closeSync(file)
    },
  }
}

/** Compiles each text once: what looks after hundreds of containers asks the same few questions all the time. */
class Statements extends DatabaseSync {
  readonly #compiled = new Map<string, StatementSync>()

  override prepare(text: string): StatementSync {
    const found = this.#compiled.get(text)
    if (found !== undefined) return found
    const made = super.prepare(text)
    if (this.#compiled.size >= mostStatements) this.#compiled.clear()
    this.#compiled.set(text, made)
    return made
  }
}

/** All that the engine has are fewer; an update names the columns that change. */
const mostStatements = 500

function ownerOf(stateDir: string): string {
  return readFileSync(join(stateDir, 'lock'), 'utf8').trim()
}

/** At once, or as soon as what an owner that is dead left behind lets go. */
function lockInTime(lock: number, stateDir: string): boolean {
  const sleep = new Int32Array(new SharedArrayBuffer(4))
  for (const until = Date.now() + inheritedForMs; !tryLock(lock); Atomics.wait(sleep, 0, 0, lookEveryMs))
    if (processStart(Number(ownerOf(stateDir))) !== null || Date.now() > until) return false
  return true
}
