/** Sends notifications in a process of its own for as long as it lives, to be killed. */
import { loadConfig } from '../../platform/config.ts'
import { openPlatform } from '../../platform/open.ts'
import { serveDeliveries } from '../../worker/notifications.ts'

const platform = await openPlatform(loadConfig(), { part: 'notifications' })
serveDeliveries(platform, { timeoutMs: 1_500, pausesMs: [100, 100], roundEveryMs: 200 })
