// The nightly job: how many orders there were.
import { connect } from './database.mjs'

const client = await connect()
const { rows } = await client.query(
  'INSERT INTO reports (orders) SELECT count(*) FROM orders RETURNING orders',
)
console.log(`${rows[0].orders} orders`)
await client.end()
