import { readdir } from 'node:fs/promises'
import { expect, inject, onTestFinished, test } from 'vitest'
import { migrate } from '../../prisma/migrate.ts'
import { diffToSchema } from '../../prisma/new-migration.ts'
import { migrationsDir } from '../../prisma/schema-engine.ts'
import { createDatabase } from '../support/postgres.ts'

async function database(options: { empty?: boolean } = {}) {
  const created = await createDatabase(inject('postgresUrl'), options)
  onTestFinished(() => created.drop())
  return created.url
}

test('the migrations and the schema agree', async () => {
  expect(await diffToSchema(await database())).toBe('')
  // The check itself sees a difference: an empty database lacks all tables.
  expect(await diffToSchema(await database({ empty: true }))).toContain('CREATE TABLE "apps"')
})

test('two at once apply each migration exactly once, and a third time there is nothing to do', async () => {
  const url = await database({ empty: true })
  const entries = await readdir(migrationsDir, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  const applied = await Promise.all([migrate(url), migrate(url)])
  expect(applied.flat().sort()).toEqual(names.sort())
  expect(names.length).toBeGreaterThan(0)
  expect(await migrate(url)).toEqual([])
})

test('a server that never answers is reported, not waited for without end', async () => {
  const nobody = 'postgresql://berth:test@127.0.0.1:1/none'
  await expect(migrate(nobody, { waitMs: 300 })).rejects.toThrow('did not answer within 0.3 seconds')
})
