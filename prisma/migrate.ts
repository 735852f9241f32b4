// node prisma/migrate.ts: brings the database at DATABASE_URL up to date, without the network.
import { pathToFileURL } from 'node:url'
import { Client } from 'pg'
import { loadDatabaseUrl } from '../platform/config.ts'
import { migrationsList, noFilters, withSchemaEngine } from './schema-engine.ts'

// Any number that nobody else takes; the engine takes a lock of its own besides.
const lockId = 7_236_000

/**
 * Applies the migrations that the database has not had, in order, and answers their names. Two at once are safe: the
 * second waits, and finds nothing to do. Waits for a server that is still starting, up to `waitMs`.
 */
export async function migrate(databaseUrl: string, options: { waitMs?: number } = {}): Promise<string[]> {
  const client = await connect(databaseUrl, options.waitMs ?? 30_000)
  try {
    await client.query('SELECT pg_advisory_lock($1)', [lockId])
    const list = await migrationsList()
    const { appliedMigrationNames } = await withSchemaEngine(databaseUrl, (engine) =>
      engine.applyMigrations({ migrationsList: list, filters: noFilters }),
    )
    return appliedMigrationNames
  } finally {
    // Ends the lock too.
    await client.end()
  }
}

async function connect(connectionString: string, waitMs: number): Promise<Client> {
  const deadline = Date.now() + waitMs
  for (;;) {
    const client = new Client({ connectionString, connectionTimeoutMillis: 5_000 })
    client.on('error', () => {})
    try {
      await client.connect()
      return client
    } catch (cause) {
      await client.end().catch(() => {})
      if (Date.now() >= deadline) {
        throw new Error(`The database did not answer within ${waitMs / 1_000} seconds.`, { cause })
      }
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const applied = await migrate(loadDatabaseUrl())
  for (const name of applied) console.log(`applied ${name}`)
  if (applied.length === 0) console.log('the database is up to date')
  // The engine leaves a timer of ten seconds behind (its limit for getting its lock).
  process.exit(0)
}
