/** The worker of one host, as a process of its own. SIGTERM or SIGINT: it stops, and apps run on. */
import { loadConfig } from '../platform/config.ts'
import { openPlatform, type Platform } from '../platform/open.ts'
import { messageOf } from './failure.ts'
import { startWorker } from './start-worker.ts'

/** With what ends after it, below the 20 seconds after which the supervisor has no patience left. */
const jobsGraceMs = 8_000
const wholeStopMs = 19_000

async function main(): Promise<void> {
  // A caller's stricter one would take rights away inside containers, a laxer one would give some.
  process.umask(0o022)
  const stop = new AbortController()
  const asked = Promise.withResolvers<NodeJS.Signals>()
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      asked.resolve(name)
      stop.abort(new Error(`stopped by ${name}`))
    })
  }
  const platform = await openPlatform(loadConfig(), { part: 'worker', logFormat: 'text' })
  try {
    const worker = await startWorker(platform, stop.signal)
    await asked.promise
    platform.log.info('the worker stops; apps run on')
    // Whatever hangs, the next worker can mend; a stop that never ends helps nobody.
    setTimeout(() => process.exit(0), wholeStopMs).unref()
    await worker.stop(jobsGraceMs)
  } catch (error) {
    if (!stop.signal.aborted) throw error
  }
  await close(platform)
}

async function close(platform: Platform): Promise<void> {
  const closed = platform.close().catch(() => undefined)
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 2_000).unref())])
  process.exit(0)
}

main().catch((error) => {
  process.stderr.write(`the worker can't go on: ${messageOf(error)}\n`)
  process.exit(1)
})
