/** A worker that only sends logs on, to be killed: `node drains-child.ts HOST_ID LOG_FOLDER`. */
import { loadConfig } from '../../platform/config.ts'
import { openPlatform } from '../../platform/open.ts'
import { runDrains } from '../../worker/logs/drains.ts'
import { openLogStore } from '../../worker/logs/store/open-log-store.ts'

const [hostId = '', folder = ''] = process.argv.slice(2)
const platform = await openPlatform(loadConfig(process.env), { part: 'test' })
const stopping = new AbortController()
await runDrains({ platform, hostId, store: openLogStore(folder), everyMs: 20 }, stopping.signal)
