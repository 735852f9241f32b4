import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils'
import type { SchemaEngine } from '@prisma/schema-engine-wasm/schema_engine_bg'
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg'
import { Pool, type QueryConfig } from 'pg'

export const schemaPath = join(import.meta.dirname, 'schema.prisma')
export const migrationsDir = join(import.meta.dirname, 'migrations')

/** Entities that are not the schema's own: none. */
export const noFilters = { externalTables: [], externalEnums: [] }

let loaded = false

/**
 * Lends Prisma's schema engine, working on this database. It is the engine of Prisma's command line out of its npm
 * package, as WebAssembly, without the binary that the command line downloads.
 */
export async function withSchemaEngine<Answer>(
  databaseUrl: string,
  use: (engine: SchemaEngine) => Promise<Answer>,
): Promise<Answer> {
  if (!loaded) await load()
  loaded = true
  const pool = new Pool({ connectionString: databaseUrl, max: 4 })
  // An idle connection that the server ends (it shuts down) is no reason to crash.
  pool.on('error', () => {})
  try {
    const factory = bindMigrationAwareSqlAdapterFactory(openFactory(pool))
    const engine = await bindings.SchemaEngine.new({ datamodels: [await schemaFile()] }, () => {}, factory)
    try {
      return await use(engine)
    } finally {
      engine.free()
    }
  } finally {
    await pool.end()
  }
}

// pg_type.oid of "char", the one-byte type of system tables. The engine reads some when it looks at a database, and
// Prisma's adapter refuses it: it is let through as text, and named to the engine for what it is.
const charOid = 18
const textOid = 25

function openFactory(pool: Pool): PrismaPg {
  const charColumns = new WeakMap<object, number[]>()
  const query = pool.query.bind(pool)
  Object.assign(pool, {
    async query(statement: string | QueryConfig) {
      const result = await query(statement)
      const columns = result.fields.flatMap((field, index) => (field.dataTypeID === charOid ? [index] : []))
      for (const field of result.fields) if (field.dataTypeID === charOid) field.dataTypeID = textOid
      charColumns.set(result.rows, columns)
      return result
    },
  })
  const factory = new PrismaPg(pool)
  const connect = factory.connect.bind(factory)
  factory.connect = async () => {
    const adapter = await connect()
    const queryRaw = adapter.queryRaw.bind(adapter)
    adapter.queryRaw = async (statement) => {
      const result = await queryRaw(statement)
      for (const column of charColumns.get(result.rows) ?? []) {
        result.columnTypes[column] = ColumnTypeEnum.Character
      }
      return result
    }
    return adapter
  }
  return factory
}

async function load(): Promise<void> {
  // Node can't import a .wasm file with these imports by itself, so it is put together by hand.
  const path = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm')
  const bytes = await readFile(join(path, '..', 'schema_engine_bg.wasm'))
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': bindings })
  bindings.__wbg_set_wasm(instance.exports)
  const start = instance.exports.__wbindgen_start
  if (typeof start !== 'function') throw new Error('the schema engine has another shape than expected')
  start()
}

async function schemaFile(): Promise<[string, string]> {
  return [schemaPath, await readFile(schemaPath, 'utf8')]
}

/** The schema as a side of a diff. */
export async function schemaTarget() {
  const [path, content] = await schemaFile()
  return { tag: 'schemaDatamodel' as const, files: [{ path, content }] }
}

/** All migrations in Prisma's layout: migrations/<time>_<name>/migration.sql. */
export async function migrationsList() {
  const entries = await readdir(migrationsDir, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  const migrationDirectories = await Promise.all(
    names.sort().map(async (name) => {
      const content = await readFile(join(migrationsDir, name, 'migration.sql'), 'utf8')
      return {
        path: name,
        migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value: content } },
      }
    }),
  )
  const lock = await readFile(join(migrationsDir, 'migration_lock.toml'), 'utf8').catch(() => null)
  return {
    baseDir: migrationsDir,
    lockfile: { path: 'migration_lock.toml', content: lock },
    shadowDbInitScript: '',
    migrationDirectories,
  }
}
