import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile } from 'node:fs/promises'
import { Agent, type RequestListener, request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { edgeUseOf } from '../../platform/edge-use.ts'
import { countOf, edgeCounts, latencyBounds, latencyPercentile } from '../../platform/model/edge-use.ts'
import { requestLogPath } from '../../platform/model/request-log.ts'
import type { App, Team } from '../../platform/model/resources.ts'
import type { DesiredRoute } from '../../platform/worker/desired-routes.ts'
import { createEdgeCounter, type EdgeCounter } from '../../worker/metrics/edge-use.ts'
import { createRollUps } from '../../worker/metrics/roll-ups.ts'
import { get, makeTestEdge, serveApp, type TestApp, type TestEdge } from '../support/edge.ts'
import { openTestPlatform, type TestPlatform } from '../support/platform.ts'
import { until } from '../support/until.ts'

let berth: TestPlatform
let team: Team
let app: App
let edge: TestEdge
let served: TestApp
let counter: EdgeCounter

/** How long the app took until it began to answer each of its visitors. */
const answeredMs: number[] = []

/** `/status/404`, `/slow/200` (milliseconds), `/drip/300`; what is sent is read whole. */
const answer: RequestListener = async (request, response) => {
  const [, kind, value] = (request.url ?? '').split('/')
  for await (const _ of request);
  const from = performance.now()
  if (kind === 'status') response.statusCode = Number(value)
  if (kind === 'slow') await sleep(Number(value))
  answeredMs.push(performance.now() - from)
  if (kind === 'drip') {
    response.write('first')
    await sleep(Number(value))
  }
  response.end('0123456789')
}

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  team = await berth.makeTeam('Acme')
})
afterAll(() => berth?.close())

beforeEach(async () => {
  app = await berth.makeApp(team.id)
  served = await serveApp('shop', answer)
  served.server.on('upgrade', (_, socket) => {
    // What RFC 6455 1.3 has as an example.
    const accept = 'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo='
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${accept}\r\n\r\n`,
    )
    socket.pipe(socket)
  })
  edge = await makeTestEdge()
  edge.routes = [route('shop.localhost'), route('shop.localhost', '/api'), route('*.shop.localhost')]
  await edge.edge.sync()
  await edge.checkConfiguration()
  await edge.start()
  counter = startCounter()
})
afterEach(async () => {
  await counter.close().catch(() => undefined)
  await edge.close()
  await served.close()
})

const host = () => ({ id: 'hst_edge', platform: berth.platform, edge: edge.edge })

function startCounter(): EdgeCounter {
  return createEdgeCounter(host(), edge.home)
}

function route(hostname: string, pathPrefix = '/', appId = app.id): DesiredRoute {
  const servers = [{ containerId: 'dep_1-0', address: '127.0.0.1', port: served.port }]
  return { hostname, pathPrefix, appId, state: 'running', servers }
}

/** What the database has of a domain: all points of a step together. */
async function counted(domain = 'shop.localhost', stepSeconds = 10, appId = app.id) {
  const rows = await berth.platform.db.edgePoint.findMany({ where: { appId, domain, stepSeconds } })
  const counts: number[] = []
  for (const row of rows)
    for (const [place, count] of row.counts.entries()) counts[place] = (counts[place] ?? 0) + Number(count)
  const named = Object.fromEntries(edgeCounts.map((name) => [name, countOf(counts, name)]))
  return { ...named, counts, openPeak: Math.max(0, ...rows.map(({ openPeak }) => openPeak)) }
}

/** Notes come when requests are over, a moment after their clients saw it. */
async function untilCounted(requests: number, domain?: string) {
  return until(`${requests} requests are counted`, async () => {
    await counter.flush()
    const now = await counted(domain)
    if (countOf(now.counts, 'requests') > requests) throw new Error('more were counted than were sent')
    return countOf(now.counts, 'requests') === requests && now
  })
}

const ask = (path: string, name = 'shop.localhost') => get(edge.settings.port, name, { path })

async function upload(bytes: number, headers: Record<string, string> = {}): Promise<void> {
  const sending = request({
    ...{ host: '127.0.0.1', port: edge.settings.port, method: 'POST', path: '/', agent: false },
    headers: { host: 'shop.localhost', 'content-length': bytes, ...headers },
  })
  sending.write(Buffer.alloc(bytes / 2))
  // Slowly: this is the visitor's time, not the app's.
  await sleep(400)
  sending.end(Buffer.alloc(bytes / 2))
  const [response] = await once(sending, 'response')
  response.resume()
  await once(response, 'end')
}

test('each request is counted once, by its domain, its status and its bytes', async () => {
  const answers = await Promise.all([
    ...Array.from({ length: 30 }, () => ask('/')),
    ...Array.from({ length: 7 }, () => ask('/status/404')),
    ...Array.from({ length: 5 }, () => ask('/status/500')),
    ...Array.from({ length: 4 }, () => ask('/api/x')),
    ...Array.from({ length: 3 }, (_, index) => ask('/', `Other${index}.shop.localhost`)),
  ])
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(37)
  const shop = await untilCounted(42)
  expect(shop).toMatchObject({ requests: 42, status1xx: 0, status2xx: 30, status3xx: 0 })
  expect(shop).toMatchObject({ status4xx: 7, status5xx: 5 })
  expect(await untilCounted(4, 'shop.localhost/api')).toMatchObject({ status2xx: 4 })
  expect(await untilCounted(3, '*.shop.localhost')).toMatchObject({ status2xx: 3 })
  expect(await edgeUseOf(berth.platform, [{ appId: app.id, sinceMs: 60_000 }])).toMatchObject([
    { requests: 49, errors5xx: 5 },
  ])
  await upload(2_000_000)
  const more = await untilCounted(43)
  const grown = countOf(more.counts, 'bytesIn') - countOf(shop.counts, 'bytesIn')
  expect(grown).toBeGreaterThan(2_000_000)
  expect(grown).toBeLessThan(2_001_000)
  // It is no measure of the app how long a visitor takes to send.
  const latencies = (counts: number[]) =>
    counts.slice(edgeCounts.length).reduce((sum, count) => sum + count, 0)
  expect([latencies(shop.counts), latencies(more.counts)]).toEqual([42, 42])
  // The total that Prometheus reads is the same.
  expect((await counted('shop.localhost', 0)).counts).toEqual(more.counts)
})

test('what no domain of an app was asked for is not counted, whatever it says', async () => {
  const hosts = Array.from({ length: 50 }, (_, index) => `x${index}.evil.localhost`)
  await Promise.all([...hosts, 'localhost', `${app.id},shop.localhost`].map((name) => ask('/', name)))
  const socket = connect(edge.settings.port, '127.0.0.1')
  socket.end('GET / HTTP/1.1\r\nHost: a\r\n b\r\nX: \x01\r\n\r\n').resume()
  await once(socket, 'close')
  await ask(`/%0a1795802211 ${app.id},forged 200 0 0 0 1 1`).catch(() => undefined)
  await ask('/')
  await until('the last one is counted', async () => {
    await counter.flush()
    return countOf((await counted()).counts, 'requests') >= 1
  })
  const all = await berth.platform.db.edgePoint.findMany({ select: { appId: true, domain: true } })
  expect(new Set(all.map(({ domain }) => domain)).has('forged')).toBe(false)
  expect(all.filter(({ domain }) => !domain.includes('shop.localhost'))).toEqual([])
})

/** Asks and measures until the answer begins, in milliseconds: the visitor's own time, which is the longer one. */
async function timed(path: string): Promise<number> {
  const from = performance.now()
  const asking = request({
    ...{ host: '127.0.0.1', port: edge.settings.port, path, agent: false },
    headers: { host: 'shop.localhost' },
  })
  const [response] = await once(asking.end(), 'response')
  const ms = performance.now() - from
  response.resume()
  await once(response, 'end')
  return ms
}

test('percentiles are of the time until an answer begins, and true to a bucket', async () => {
  answeredMs.length = 0
  const times = [...Array<number>(90).fill(50), ...Array<number>(8).fill(300), 900, 900]
  const waitedMs: number[] = []
  for (let from = 0; from < times.length; from += 20)
    waitedMs.push(
      ...(await Promise.all(times.slice(from, from + 20).map((ms) => timed(`/slow/${ms}`)))),
      // Long after its first byte.
      ...(from === 0 ? [await timed('/drip/1500')] : []),
    )
  const { counts } = await untilCounted(101)
  // How long a machine takes for 50 ms is not known before; but HAProxy's time lies between the app's own and the
  // visitor's, so each of its times in their order lies between theirs. It adds up three of whole milliseconds.
  const roundingMs = 3
  const bucketOf = (ms: number) => latencyBounds.findIndex((bound) => ms <= bound)
  for (const share of [0.5, 0.95, 0.99, 1]) {
    const rank = Math.ceil(waitedMs.length * share) - 1
    const inOrder = (of: number[]) => of.toSorted((one, other) => one - other)[rank] ?? Number.NaN
    const [least, most] = [inOrder(answeredMs) - roundingMs, inOrder(waitedMs) + roundingMs]
    const found = latencyPercentile(counts, share)
    expect(found, `p${share * 100}`).toBeGreaterThanOrEqual(latencyBounds[bucketOf(least) - 1] ?? 0)
    expect(found, `p${share * 100}`).toBeLessThanOrEqual(latencyBounds[bucketOf(most)] ?? 0)
  }
})

test('a WebSocket is open while it is open, then one request; its hours are no latency', async () => {
  const socket = connect(edge.settings.port, '127.0.0.1')
  const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
  socket.write(
    `GET /socket HTTP/1.1\r\nHost: shop.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n\r\n`,
  )
  await once(socket, 'data')
  await sleep(700)
  socket.write(Buffer.alloc(5_000))
  await counter.sampleOpen()
  await counter.flush()
  expect(await counted()).toMatchObject({ requests: 0, openPeak: 1 })
  // Also one that a process holds that was replaced.
  const other = await berth.makeApp(team.id)
  edge.routes.push(route('other.localhost', '/', other.id))
  await edge.edge.sync()
  await ask('/', 'other.localhost')
  expect(await edge.edge.openRequests()).toEqual(new Map([[`${app.id},shop.localhost`, 1]]))
  socket.end()
  const closed = await untilCounted(1)
  expect(closed).toMatchObject({ status1xx: 1 })
  expect(countOf(closed.counts, 'bytesIn')).toBeGreaterThan(5_000)
  expect(latencyPercentile(closed.counts, 1)).toBeLessThan(500)
  expect(await edge.edge.openRequests()).toEqual(new Map())
})

test('what comes while no worker reads is counted when one is back, at its time', async () => {
  await ask('/')
  await untilCounted(1)
  await counter.close()
  await Promise.all(Array.from({ length: 200 }, () => ask('/')))
  const over = Date.now()
  counter = startCounter()
  await untilCounted(201)
  const points = await berth.platform.db.edgePoint.findMany({ where: { appId: app.id, stepSeconds: 10 } })
  expect(points.every(({ at }) => at.getTime() <= over)).toBe(true)
})

test('a worker that never comes back stops no request, and nothing is counted twice after', async () => {
  await counter.close()
  const started = Date.now()
  // More than the pipe has room for.
  for (let round = 0; round < 40; round++) await Promise.all(Array.from({ length: 50 }, () => ask('/')))
  expect(Date.now() - started).toBeLessThan(30_000)
  expect((await ask('/')).status).toBe(200)
  counter = startCounter()
  await until('what found room is counted', async () => {
    await counter.flush()
    return countOf((await counted()).counts, 'requests') > 500
  })
  expect(countOf((await counted()).counts, 'requests')).toBeLessThanOrEqual(2_001)
})

test('HAProxy that is started anew, or loads itself anew under traffic, loses no count', async () => {
  let sent = 0
  for (let time = 0; time < 3; time++) {
    const other = await berth.makeApp(team.id)
    const asking = Array.from({ length: 40 }, async (_, index) => {
      await sleep(index * 10)
      await ask('/slow/50')
    })
    edge.routes.push(route(`other${time}.localhost`, '/', other.id))
    await edge.edge.sync()
    await Promise.all(asking)
    sent += 40
  }
  // A note comes a moment after its answer.
  await untilCounted(sent)
  await edge.stop()
  await edge.start()
  await ask('/')
  expect(await untilCounted(sent + 1)).toMatchObject({ status2xx: sent + 1 })
})

test('what a replaced HAProxy hands over is counted once, where it arrives', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const again = async () => {
    const asking = request({
      ...{ host: '127.0.0.1', port: edge.settings.port, path: '/slow/300', agent },
      headers: { host: 'shop.localhost' },
    })
    const answered = once(asking.end(), 'response')
    return { isReused: () => asking.reusedSocket, done: answered.then(([response]) => response.resume()) }
  }
  const first = await again()
  await first.done
  await untilCounted(1)
  const other = await berth.makeApp(team.id)
  edge.routes.push(route('other.localhost', '/', other.id))
  await edge.edge.sync()
  const second = await again()
  await second.done
  expect(second.isReused()).toBe(true)
  expect(await untilCounted(2)).toMatchObject({ status2xx: 2 })
  // A second note of it would be here by now.
  await ask('/')
  expect(await untilCounted(3)).toMatchObject({ status2xx: 3 })
  agent.destroy()
})

test('minutes and ten minutes are sums, also of what comes late', async () => {
  const rollUp = createRollUps(host(), counter)
  await Promise.all(Array.from({ length: 10 }, () => ask('/')))
  await untilCounted(10)
  // As if it had been a quarter of an hour ago.
  const past = Math.floor((Date.now() - 900_000) / 600_000) * 600_000
  await berth.platform.db.$executeRaw`
    UPDATE edge_points SET at = ${new Date(past)}::timestamp WHERE "appId" = ${app.id} AND "stepSeconds" = 10`
  await rollUp()
  expect(await counted('shop.localhost', 60)).toMatchObject({ requests: 10, status2xx: 10 })
  const note = `${past / 1_000 + 30} ${app.id},shop.localhost 200 0 0 5 50 50\n`
  await appendFile(requestLogPath(edge.home), note.repeat(5))
  for (let time = 0; time < 2; time++) {
    await rollUp()
    expect(await counted('shop.localhost', 60)).toMatchObject({ requests: 15 })
    expect(await counted('shop.localhost', 600)).toMatchObject({ requests: 15, status2xx: 15 })
  }
})

test('a worker that is killed loses what it had in hand, counts nothing twice, and the next one goes on', async () => {
  await counter.close()
  const children: ChildProcess[] = []
  const start = () => {
    const child = spawn(process.execPath, ['test/support/counter-child.ts', 'hst_edge', edge.home], {
      cwd: join(import.meta.dirname, '../..'),
      env: { ...process.env, ...berth.environment },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    children.push(child)
    let looks = 0
    child.stdout?.on('data', (chunk: Buffer) => {
      looks += chunk.length
    })
    return {
      looks: () => looks,
      async kill() {
        const exited = once(child, 'exit')
        child.kill('SIGKILL')
        await exited
      },
    }
  }
  const send = async (count: number) => {
    await Promise.all(Array.from({ length: count }, () => ask('/')))
  }
  const requests = async () => countOf((await counted()).counts, 'requests')
  const untilWritten = (count: number) =>
    until(`${count} are written`, async () => (await requests()) === count)
  try {
    // All that came is written.
    const first = start()
    await send(50)
    await untilWritten(50)
    // It writes every two seconds, and has these in hand until then.
    await send(20)
    const looks = first.looks()
    await until('it has looked for notes', () => first.looks() > looks + 4)
    await first.kill()
    const afterFirst = await requests()
    expect([50, 70]).toContain(afterFirst)
    const second = start()
    await send(10)
    await untilWritten(afterFirst + 10)
    // It is writing: the database finds out about its end when it has done so.
    await berth.platform.db.$transaction(
      async (tx) => {
        await tx.$executeRaw`LOCK TABLE edge_points IN EXCLUSIVE MODE`
        await send(30)
        await until('it is being written', async () => (await writing()) > 0)
        await second.kill()
      },
      { timeout: 20_000 },
    )
    await until('nobody writes any more', async () => (await writing()) === 0)
    const afterSecond = await requests()
    expect(afterSecond).toBeGreaterThanOrEqual(afterFirst + 10)
    expect(afterSecond).toBeLessThanOrEqual(afterFirst + 40)
    start()
    await send(15)
    await untilWritten(afterSecond + 15)
  } finally {
    for (const child of children) child.kill('SIGKILL')
  }

  async function writing(): Promise<number> {
    const [row] = await berth.platform.db.$queryRaw<{ count: number }[]>`
      SELECT count(*)::int AS count FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO edge_points%'`
    return row?.count ?? 0
  }
})

test('what the database did not write in time is counted once, although it goes on with it later', async () => {
  const { db } = berth.platform
  await Promise.all(Array.from({ length: 5 }, () => ask('/')))
  await db.$transaction(
    async (tx) => {
      await tx.$executeRaw`LOCK TABLE edge_points IN EXCLUSIVE MODE`
      await until('it has something to write', async () => {
        const failed = await counter.flush().then(
          () => null,
          (error) => String(error),
        )
        return failed !== null && /time/i.test(failed)
      })
    },
    { timeout: 60_000 },
  )
  expect(await untilCounted(5)).toMatchObject({ requests: 5, status2xx: 5 })
}, 90_000)

test('what can not be written is kept until it can, and counted once', async () => {
  const { db } = berth.platform
  await db.$executeRaw`ALTER TABLE edge_points RENAME TO edge_points_away`
  try {
    await Promise.all(Array.from({ length: 5 }, () => ask('/')))
    await expect(counter.flush()).rejects.toThrow('edge_points')
    await Promise.all(Array.from({ length: 5 }, () => ask('/')))
    await expect(counter.flush()).rejects.toThrow('edge_points')
  } finally {
    await db.$executeRaw`ALTER TABLE edge_points_away RENAME TO edge_points`
  }
  expect(await untilCounted(10)).toMatchObject({ requests: 10, status2xx: 10 })
})
