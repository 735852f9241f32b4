import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openState } from '../../../engine/state/database.ts'
import { migrate, migrations } from '../../../engine/state/migrations.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-state-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const versionOf = (db: DatabaseSync) => db.prepare('PRAGMA user_version').get()?.user_version

/** The tables as engines made them that did not number their changes. */
const oldTables = `
  CREATE TABLE images (digest TEXT PRIMARY KEY, config TEXT NOT NULL, layers TEXT NOT NULL,
    blobs TEXT NOT NULL, size_bytes INTEGER NOT NULL, created_at TEXT);
  CREATE TABLE image_references (reference TEXT PRIMARY KEY,
    digest TEXT NOT NULL REFERENCES images(digest) ON DELETE CASCADE);
  CREATE TABLE layers (number INTEGER PRIMARY KEY AUTOINCREMENT, diff_id TEXT UNIQUE NOT NULL);
  INSERT INTO images VALUES ('sha256:aa', '{}', '["sha256:bb"]', '["sha256:cc"]', 7, NULL);
  INSERT INTO image_references VALUES ('docker.io/library/app:1', 'sha256:aa');
  INSERT INTO layers (diff_id) VALUES ('sha256:bb')`

test('the database of an older engine is brought up to date, and what it knew is still known', () => {
  const old = new DatabaseSync(join(folder, 'engine.db'))
  old.exec(oldTables)
  old.close()
  const state = openState(folder)
  expect(versionOf(state.db)).toBe(migrations.length)
  expect(state.db.prepare('SELECT digest, layers, size_bytes FROM images').all()).toEqual([
    { digest: 'sha256:aa', layers: '["sha256:bb"]', size_bytes: 7 },
  ])
  expect(state.db.prepare('SELECT reference FROM image_references').all()).toHaveLength(1)
  state.close()
})

test('a database that a newer engine has changed is refused, and its folder let go of', () => {
  const newer = new DatabaseSync(join(folder, 'engine.db'))
  newer.exec('PRAGMA user_version = 9999')
  newer.close()
  for (const _twice of [1, 2])
    expect(() => openState(folder)).toThrow('has change 9999, and this engine knows')
})

test('a change that fails leaves nothing of itself, and those before it stand', () => {
  const db = new DatabaseSync(':memory:')
  const changes = ['CREATE TABLE a (x)', 'CREATE TABLE b (x); INSERT INTO nowhere VALUES (1)']
  expect(() => migrate(db, changes)).toThrow('nowhere')
  expect(versionOf(db)).toBe(1)
  expect(db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()).toEqual([{ name: 'a' }])
  migrate(db, ['CREATE TABLE a (x)', 'CREATE TABLE b (x)'])
  expect(versionOf(db)).toBe(2)
  db.close()
})
