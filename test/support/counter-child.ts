/**
 * A worker that only counts what the edge notes, to be killed: `node counter-child.ts HOST_ID EDGE_HOME`. Writes a dot
 * each time that it has looked.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig } from '../../platform/config.ts'
import { openPlatform } from '../../platform/open.ts'
import { createEdgeCounter } from '../../worker/metrics/edge-use.ts'

const [hostId = '', home = ''] = process.argv.slice(2)
const platform = await openPlatform(loadConfig(process.env), { part: 'test' })
const edge = { openRequests: async () => new Map<string, number>() }
const counter = createEdgeCounter({ id: hostId, platform, edge }, home)
for (;;) {
  await counter.collect()
  process.stdout.write('.')
  await sleep(100)
}
