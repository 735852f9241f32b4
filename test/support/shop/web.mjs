// Takes orders and shows them. What is stored is in the database alone.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import pg from 'pg'

const database = new pg.Pool({ connectionString: process.env.DATABASE_URL, connectionTimeoutMillis: 5_000 })
database.on('error', (error) => console.error(`the database is away: ${error.message}`))

async function answer(method, path) {
  if (path === '/') return 'the shop is open'
  if (path === '/healthy') return (await database.query('SELECT count(*) FROM orders')).rows
  if (path === '/orders') return (await database.query('SELECT item, packed_by FROM orders ORDER BY id')).rows
  if (path === '/reports') return (await database.query('SELECT orders FROM reports ORDER BY id')).rows
  // Whoever asks learns that the key is there, not what it is.
  if (path === '/key')
    return createHash('sha256').update(readFileSync('/run/secrets/signing.key')).digest('hex')
  const [, item] = /^\/order\/(\w+)$/.exec(path) ?? []
  if (method !== 'POST' || item === undefined) return null
  await database.query('INSERT INTO orders (item) VALUES ($1)', [item])
  return item
}

createServer(async (request, response) => {
  try {
    const found = await answer(request.method, request.url)
    response.writeHead(found === null ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(found))
  } catch (error) {
    console.error(error)
    response.writeHead(500).end(String(error))
  }
}).listen(process.env.PORT)

process.on('SIGTERM', () => process.exit(0))
