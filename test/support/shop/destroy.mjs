// What nobody means to run: the orders are gone, and so are the reports.
import { connect } from './database.mjs'

const client = await connect()
await client.query('DROP TABLE orders, reports')
console.log('everything is gone')
await client.end()
