// node prisma/new-migration.ts NAME: writes the migration that leads from the present ones to schema.prisma.
// It needs an empty database at DATABASE_URL to lay the present ones out in.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Client } from 'pg'
import { loadDatabaseUrl } from '../platform/config.ts'
import { migrate } from './migrate.ts'
import { migrationsDir, noFilters, schemaTarget, withSchemaEngine } from './schema-engine.ts'

/** SQL that leads from what the database has to schema.prisma; empty when they agree. */
export async function diffToSchema(databaseUrl: string): Promise<string> {
  const to = await schemaTarget()
  return withSchemaEngine(databaseUrl, async (engine) => {
    // Through the live database: the engine would need a shadow database to read migrations.
    const { stdout } = await engine.diff({
      from: { ...to, tag: 'schemaDatasource', configDir: migrationsDir },
      to,
      script: true,
      exitCode: null,
      filters: noFilters,
    })
    const script = stdout?.trim() ?? ''
    return script === '-- This is an empty migration.' ? '' : script
  })
}

async function main(): Promise<void> {
  const name = process.argv[2]
  if (name === undefined || !/^[a-z0-9_]+$/.test(name)) {
    throw new Error('usage: node prisma/new-migration.ts NAME (lower-case letters, digits, _)')
  }
  const databaseUrl = loadDatabaseUrl()
  await refuseUsed(databaseUrl)
  await mkdir(migrationsDir, { recursive: true })
  await migrate(databaseUrl)
  const script = await diffToSchema(databaseUrl)
  if (script === '') {
    console.log('the migrations and the schema agree: nothing to do')
    return
  }
  const time = new Date().toISOString().replace(/\D/g, '').slice(0, 14)
  const folder = join(migrationsDir, `${time}_${name}`)
  await mkdir(folder)
  await writeFile(join(folder, 'migration.sql'), `${script}\n`)
  await writeFile(join(migrationsDir, 'migration_lock.toml'), 'provider = "postgresql"\n')
  console.log(`wrote ${folder}/migration.sql: read it before you commit it`)
}

async function refuseUsed(connectionString: string): Promise<void> {
  const client = new Client({ connectionString })
  await client.connect()
  try {
    const { rows } = await client.query(
      "SELECT 1 FROM information_schema.tables WHERE table_schema = 'public'",
    )
    if (rows.length > 0) throw new Error('the database at DATABASE_URL is not empty')
  } finally {
    await client.end()
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await main()
  // As in migrate.ts: the engine leaves a timer behind.
  process.exit(0)
}
