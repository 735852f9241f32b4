import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Entry } from '../../../platform/event-log.ts'
import { followLogs } from '../../../platform/follow-logs.ts'
import { listLogs } from '../../../platform/logs.ts'
import type { LogGap, LogLine } from '../../../platform/model/events.ts'
import type { App } from '../../../platform/model/resources.ts'
import { operator } from '../../support/platform.ts'
import { until } from '../../support/until.ts'
import { quickSettings, startTestHost, type TestHost } from '../../support/worker.ts'

let host: TestHost

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  await host.startWorker()
})
afterAll(async () => host?.close())

/** Serves, and runs this beside it. */
const beside = (script: string) => ({
  entrypoint: ['/bin/sh', '-c', `trap "exit 0" TERM; (${script}) & httpd -f -p $PORT -h /www & wait`],
  files: { 'www/cgi-bin/go': '#!/bin/sh\ntouch /tmp/go\necho\n' },
})

async function run(name: string, script: string): Promise<App> {
  const app = await host.makeApp(await host.push(name, beside(script)), quickSettings)
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  return app
}

const kept = async (app: App) =>
  (await listLogs(host.berth.platform, operator, app.id, { limit: 1 })).last ?? 0
const follow = (app: App, after: string, signal: AbortSignal) =>
  followLogs(host.berth.platform, operator, app.id, { after, signal })

test('while one app floods, the lines of another come live, whole and in order', async () => {
  const quiet = await run('quiet', 'n=0; while sleep 0.05; do n=$((n + 1)); echo "$n"; done')
  const loud = await run('loud', 'while :; do seq 1 100000; done')
  const [before, beganAt] = [await kept(loud), Date.now()]
  const over = AbortSignal.timeout(60_000)
  const taken: { number: number; lateMs: number }[] = []
  for await (const { event } of await follow(quiet, '$', over)) {
    if (!('text' in event)) throw new Error(`${event.skipped} lines were skipped`)
    taken.push({ number: Number(event.text), lateMs: Date.now() - Date.parse(event.time) })
    if (taken.length === 100) break
  }
  const seconds = (Date.now() - beganAt) / 1_000
  const perSecond = ((await kept(loud)) - before) / seconds
  const [first = { number: 0, lateMs: 0 }] = taken
  expect(taken.map(({ number }) => number)).toEqual(taken.map((_, index) => first.number + index))
  // Of a machine that does much else; what is slow to begin with would never come up to this.
  const latest = taken.map(({ lateMs }) => lateMs).sort((a, b) => b - a)[5]
  expect(latest).toBeLessThan(1_500)
  expect(perSecond).toBeGreaterThan(2_000)
})

test('who does not read stops neither the container nor anybody else, and is told what was skipped', async () => {
  const count = 60_000
  const app = await run('long', `while [ ! -e /tmp/go ]; do sleep 0.05; done; seq 1 ${count}`)
  const over = new AbortController()
  const slow = (await follow(app, '0-0', over.signal))[Symbol.asyncIterator]()
  await host.ask(app, '/cgi-bin/go')
  const entries: Entry<LogLine | LogGap>[] = []
  const first = await slow.next()
  if (!first.done) entries.push(first.value)
  await until('all that the container wrote is kept meanwhile', async () => (await kept(app)) === count)
  while (placeOf(entries.at(-1)) < count) {
    const next = await slow.next()
    if (next.done) break
    entries.push(next.value)
  }
  over.abort()
  const skipped = entries.flatMap(({ event }) => ('skipped' in event ? [event.skipped] : []))
  const lines = entries.flatMap(({ event }) => ('text' in event ? [event] : []))
  expect(skipped).toHaveLength(1)
  expect(skipped[0]).toBeGreaterThan(0)
  expect((skipped[0] ?? 0) + lines.length).toBe(count)
  expect(lines.every(({ text, number }) => text === String(number))).toBe(true)
  expect(lines.map(({ number }) => number)).toEqual(lines.map(({ number }) => number).sort((a, b) => a - b))
})

function placeOf(entry: Entry<unknown> | undefined): number {
  return Number(entry?.id.split('-')[0] ?? 0)
}
