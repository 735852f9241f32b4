// One client of the database for each program of the shop; a lost connection ends the program.
import pg from 'pg'

export async function connect() {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL, connectionTimeoutMillis: 5_000 })
  client.on('error', (error) => {
    console.error(`the database is away: ${error.message}`)
    process.exit(1)
  })
  await client.connect()
  return client
}
