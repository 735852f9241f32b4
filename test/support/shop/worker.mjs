// Packs what was ordered, as a process of its own.
import { setTimeout } from 'node:timers/promises'
import { connect } from './database.mjs'

process.on('SIGTERM', () => process.exit(0))
const client = await connect()
console.log('ready to pack')
for (;;) {
  const packed = await client.query(
    'UPDATE orders SET packed_by = $1 WHERE packed_by IS NULL RETURNING item',
    [process.env.BERTH_PROCESS],
  )
  for (const { item } of packed.rows) console.log(`packed ${item}`)
  await setTimeout(200)
}
