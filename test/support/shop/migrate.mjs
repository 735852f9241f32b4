// The release command: brings the database to what this version of the shop needs.
import { connect } from './database.mjs'

const client = await connect()
await client.query(
  'CREATE TABLE IF NOT EXISTS orders (id serial PRIMARY KEY, item text NOT NULL, packed_by text)',
)
await client.query('CREATE TABLE IF NOT EXISTS reports (id serial PRIMARY KEY, orders int NOT NULL)')
console.log('the tables are there')
await client.end()
