import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createDeployment } from '../../platform/deployments.ts'
import { type Entry, follow, publish, streams } from '../../platform/event-log.ts'
import { followTeam } from '../../platform/follow-events.ts'
import { followLogs } from '../../platform/follow-logs.ts'
import type { LogGap, LogLine } from '../../platform/model/events.ts'
import { logLine, showLines } from '../support/log-lines.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'

let berth: TestPlatform

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
})
afterAll(() => berth?.close())

const line = (text: string): LogLine => logLine(text, Number(text) + 1)
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => line(String(from + i)))

async function take<Event>(source: AsyncIterable<Entry<Event>>, count: number): Promise<Entry<Event>[]> {
  const entries: Entry<Event>[] = []
  for await (const entry of source) {
    entries.push(entry)
    if (entries.length === count) break
  }
  return entries
}

const texts = (entries: Entry<LogLine | LogGap>[]) =>
  entries.map(({ event }) => ('text' in event ? Number(event.text) : Number.NaN))
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

test('whoever comes back after an id misses nothing and sees nothing twice, while lines go on coming', async () => {
  const { platform } = berth
  const stream = streams.appLogs('resume')
  const { signal } = new AbortController()
  const writing = (async () => {
    for (let i = 0; i < 3_000; i += 30) await publish(platform, stream, ...lines(i, i + 30))
  })()
  const seen: number[] = []
  let after: string | undefined
  // Leaves after 137 lines again and again, as a browser on a bad line does.
  while (seen.length < 3_000) {
    const entries = await take(
      follow(platform, stream, { after, signal }),
      Math.min(137, 3_000 - seen.length),
    )
    seen.push(...texts(entries))
    after = entries.at(-1)?.id
  }
  await writing
  expect(seen).toEqual(range(0, 3_000))
})

test('many followers of many streams share one connection and each sees its own, in order', async () => {
  const { platform } = berth
  const { signal } = new AbortController()
  const clients = async () => (await ownClients()).length
  const before = await clients()
  const followers = Array.from({ length: 60 }, (_, i) =>
    take(follow(platform, streams.appLogs(`many-${i % 20}`), { signal }), 50),
  )
  for (let round = 0; round < 5; round++) {
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        publish(platform, streams.appLogs(`many-${i}`), ...lines(round * 10, round * 10 + 10)),
      ),
    )
  }
  for (const entries of await Promise.all(followers)) expect(texts(entries)).toEqual(range(0, 50))
  expect((await clients()) - before).toBeLessThanOrEqual(1)
})

// Far below the time after which a blocked read comes back by itself.
test('a follower that begins while others wait hears at once; those who wait return when told', {
  timeout: 30_000,
}, async () => {
  const { platform } = berth
  const gone = new AbortController()
  const never = take(follow(platform, streams.appLogs('never'), { signal: gone.signal }), 1)
  await expect.poll(blockedReaders, { timeout: 20_000 }).toBe(1)
  const stream = streams.appLogs('later')
  const [first] = await Promise.all([
    take(follow(platform, stream, { signal: gone.signal }), 1),
    publish(platform, streams.appLogs('noise'), line('0')).then(async () => {
      await expect.poll(blockedReaders, { timeout: 20_000 }).toBe(1)
      await publish(platform, stream, line('7'))
    }),
  ])
  expect(texts(first)).toEqual([7])
  gone.abort()
  expect(await never).toEqual([])
})

async function blockedReaders(): Promise<number> {
  const clients = await ownClients()
  return clients.filter((client) => / cmd=xread /.test(client) && / flags=\S*b/.test(client)).length
}

/** Connections to this file's own database: other files use the same server. */
async function ownClients(): Promise<string[]> {
  const clients = String(await berth.platform.redis.client('LIST')).split('\n')
  return clients.filter((client) => client.includes(` db=${berth.config.redis.db} `))
}

test('an id that no stream gave out is refused', async () => {
  const { signal } = new AbortController()
  const following = take(follow(berth.platform, streams.appLogs('x'), { after: "1'; --", signal }), 1)
  await expect(following).rejects.toMatchObject({ code: 'bad-request' })
})

test('a log begins with its last lines, or after the line that was seen', async () => {
  const { platform } = berth
  const team = await berth.makeTeam()
  const app = await berth.makeApp(team.id)
  const { signal } = new AbortController()
  await showLines(platform, app.id, range(0, 100).map(String))
  const tail = await take(await followLogs(platform, operator, app.id, { tail: 10, signal }), 10)
  expect(texts(tail)).toEqual(range(90, 100))
  const all = await take(await followLogs(platform, operator, app.id, { tail: 100, signal }), 100)
  expect(texts(all)).toEqual(range(0, 100))
  const after = all[41]?.id
  expect(texts(await take(await followLogs(platform, operator, app.id, { after, signal }), 5))).toEqual(
    range(42, 47),
  )
})

test('a team hears of its deployments and apps, and of nobody else’s', async () => {
  const { platform } = berth
  const [own, other] = [await berth.makeTeam(), await berth.makeTeam()]
  const [app, foreign] = [await berth.makeApp(own.id), await berth.makeApp(other.id)]
  const { viewer } = await berth.makeUser({ teamId: own.id, role: 'viewer' })
  const { signal } = new AbortController()
  const [last] = await platform.redis.xrevrange(streams.team(own.id).name, '+', '-', 'COUNT', 1)
  const following = followTeam(platform, viewer, own.id, { after: last?.[0] ?? '0-0', signal })
  await createDeployment(platform, operator, foreign.id)
  const deployment = await createDeployment(platform, operator, app.id)
  const events = (await take(await following, 2)).map(({ event }) => event)
  expect(events).toEqual([
    { type: 'deployment', appId: app.id, deploymentId: deployment.id, number: 1, status: 'queued' },
    { type: 'app', appId: app.id, projectId: app.projectId, status: 'deploying' },
  ])
})
