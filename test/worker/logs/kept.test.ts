import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { deleteApp } from '../../../platform/apps.ts'
import type { Entry } from '../../../platform/event-log.ts'
import { streams } from '../../../platform/event-log.ts'
import { followLogs } from '../../../platform/follow-logs.ts'
import { type LogListInput, listLogs, logHistogram } from '../../../platform/logs.ts'
import type { LogGap, LogLine } from '../../../platform/model/events.ts'
import type { App } from '../../../platform/model/resources.ts'
import { operator } from '../../support/platform.ts'
import { until } from '../../support/until.ts'
import { startTestHost, type TestHost } from '../../support/worker.ts'

let host: TestHost

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  await host.startWorker()
})
afterAll(async () => host?.close())

/** Writes `count` numbered lines as fast as it can, then serves. */
const flood = (count: number) => ({
  entrypoint: ['/bin/sh', '-c', `trap "exit 0" TERM; seq 1 ${count}; httpd -f -p $PORT -h /www & wait`],
})
const flooded = (count: number) => Array.from({ length: count }, (_, n) => String(n + 1))

const list = (app: App, input: LogListInput = {}) => listLogs(host.berth.platform, operator, app.id, input)

async function wholeLog(app: App, input: LogListInput = {}): Promise<LogLine[]> {
  const lines: LogLine[] = []
  for (let after = 0; ; ) {
    const { data } = await list(app, { ...input, after, limit: 1_000 })
    lines.push(...data)
    const last = data.at(-1)
    if (last === undefined) return lines
    after = last.number
  }
}

async function take(app: App, count: number, after?: string): Promise<Entry<LogLine | LogGap>[]> {
  const over = AbortSignal.timeout(60_000)
  const following = await followLogs(host.berth.platform, operator, app.id, { after, signal: over })
  const taken: Entry<LogLine | LogGap>[] = []
  for await (const entry of following) {
    taken.push(entry)
    if (taken.length === count) break
  }
  return taken
}
const texts = (entries: Entry<LogLine | LogGap>[]) =>
  entries.map(({ event }) => ('text' in event ? event.text : `skipped ${event.skipped}`))

test('a flood is kept whole and in order although the worker is killed in the middle of it, twice', async () => {
  const count = 60_000
  const app = await host.makeApp(await host.push('flood', flood(count)), {
    healthCheck: { intervalMs: 100, startPeriodMs: 60_000, observationMs: 300 },
  })
  const { id } = await host.deploy(app.id)
  const last = async () => Number((await newestNumber(app)) ?? 0)
  for (const some of [500, 15_000]) {
    await until('lines come', async () => (await last()) > some)
    await host.stopWorker('SIGKILL')
    await host.startWorker()
  }
  await host.untilStatus(id, 'live')
  await until('all are kept', async () => (await list(app, { limit: 1 })).last === count)
  const kept = await wholeLog(app)
  expect(kept.map(({ text }) => text)).toEqual(flooded(count))
  expect(kept.map(({ number }) => number)).toEqual(kept.map((_, index) => index + 1))
})

async function newestNumber(app: App): Promise<string | undefined> {
  const [entry] = await host.berth.platform.redis.xrevrange(
    streams.appLogs(app.id).name,
    ...(['+', '-', 'COUNT', 1] as const),
  )
  return entry?.[0].split('-')[0]
}

test('who comes back long after gets every line, from where it is kept, and one who missed too much is told', async () => {
  const count = 12_000
  const app = await host.makeApp(await host.push('long', flood(count)))
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  await until('all are kept', async () => (await list(app, { limit: 1 })).last === count)
  // Redis keeps about 5,000 of them.
  const { redis } = host.berth.platform
  const inRedis = await redis.xlen(streams.appLogs(app.id).name)
  expect(inRedis).toBeLessThan(8_000)
  expect(texts(await take(app, count - 10, '10-0'))).toEqual(flooded(count).slice(10))
  // What nobody has any more.
  await redis.xadd(
    streams.appLogs(app.id).name,
    '40000-0',
    'event',
    JSON.stringify({ ...newest(), number: 40_000 }),
  )
  expect(texts(await take(app, 3, `${count}-0`))).toEqual(['skipped 7999', 'skipped 20000', 'late'])
})
const newest = (): LogLine => ({
  time: '2026-01-01T00:00:00Z',
  stream: 'stdout',
  text: 'late',
  containerId: 'c',
  deploymentId: 'd',
  process: 'web',
  replica: 0,
  number: 0,
})

test('what Redis lost is read where it is kept, and a live log goes on', async () => {
  const app = await host.makeApp(await host.push('flushed', flood(300)))
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  await until('all are kept', async () => (await list(app, { limit: 1 })).last === 300)
  await host.berth.platform.redis.del(streams.appLogs(app.id).name)
  expect((await list(app, { limit: 2 })).data.map(({ text }) => text)).toEqual(
    flooded(300).slice(-2).toReversed(),
  )
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  expect(texts(await take(app, 100, '290-0'))).toEqual([...flooded(300).slice(290), ...flooded(90)])
})

test('a search goes through all deployments, and names what it finds', async () => {
  const app = await host.makeApp(
    await host.push('talker', {
      entrypoint: [
        '/bin/sh',
        '-c',
        'trap "exit 0" TERM; echo "INFO begun"; echo \'{"level":"error","user":{"id":7}}\' >&2; httpd -f -p $PORT -h /www & wait',
      ],
    }),
  )
  const first = await host.deploy(app.id)
  await host.untilStatus(first.id, 'live')
  const second = await host.deploy(app.id)
  await host.untilStatus(second.id, 'live')
  const found = await until('both are kept', async () => {
    const page = await list(app, { query: 'level:error user.id:7' })
    return page.data.length === 2 && page.data
  })
  expect(found.map(({ deploymentId, stream }) => [deploymentId, stream])).toEqual([
    [second.id, 'stderr'],
    [first.id, 'stderr'],
  ])
  expect((await list(app, { query: 'level:error', deployment: first.id })).data).toHaveLength(1)
  const { buckets } = await logHistogram(host.berth.platform, operator, app.id, { buckets: 4 })
  expect(buckets.reduce((sum, { errors }) => sum + errors, 0)).toBe(2)
  await expect(list(app, { query: '/(/' })).rejects.toMatchObject({
    code: 'invalid',
    fields: [{ path: 'query', message: expect.stringMatching(/^This is no regular expression: /) }],
  })
})

test('while the host is away its latest lines can be read, a search is refused with a sentence', async () => {
  const app = await host.makeApp(await host.push('away', flood(20)))
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  await until('all are kept', async () => (await list(app, { limit: 1 })).last === 20)
  await host.stopWorker('SIGTERM')
  const { db } = host.berth.platform
  await db.host.updateMany({ data: { lastSeenAt: new Date(0) } })
  expect((await list(app, { limit: 3 })).data.map(({ number }) => number)).toEqual([20, 19, 18])
  await expect(list(app, { query: '1' })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/Nothing is lost/),
  })
  await host.startWorker()
})

test('the log of a deleted app goes with it', async () => {
  const app = await host.makeApp(await host.push('gone', flood(5)))
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  const folder = join(host.berth.config.home, 'app-logs', app.id)
  await until('it is kept', () => existsSync(folder) && readdirSync(folder).length > 0)
  await deleteApp(host.berth.platform, operator, app.id)
  await until('it is gone', () => !existsSync(folder))
})

test('a team whose logs may take only so much loses the oldest lines, and what is written afterwards is kept', async () => {
  const app = await host.makeApp(await host.push('little', flood(20)))
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  await until('all are kept', async () => (await list(app, { limit: 1 })).last === 20)
  await host.stopWorker('SIGTERM')
  const { db } = host.berth.platform
  const allow = (maxLogBytes: bigint | null) =>
    db.team.update({ where: { id: host.teamId }, data: { maxLogBytes } })
  await allow(1n)
  await host.startWorker()
  await until('they are gone', async () => (await list(app, { after: 0, limit: 1 })).first === null)
  await allow(null)
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  await until('new ones are kept', async () => (await list(app, { limit: 1 })).last === 40)
  expect((await wholeLog(app)).map(({ number }) => number)).toEqual(
    Array.from({ length: 20 }, (_, index) => 21 + index),
  )
  // Who comes back is told of those that are gone, and gets the others.
  const { redis } = host.berth.platform
  await redis.xtrim(streams.appLogs(app.id).name, 'MAXLEN', 1)
  expect(texts(await take(app, 21, '5-0'))).toEqual(['skipped 15', ...flooded(20)])
})
