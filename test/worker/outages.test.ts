import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createApi } from '../../app/api/v1/_routes/api.ts'
import type { App } from '../../platform/model/resources.ts'
import { type PostgresServer, startPostgres } from '../support/postgres.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

// Servers of their own, which go and come back under a worker and an API that stay.
const outageMs = 11_000
/** Longer than any limit that a request waits for. */
const patienceMs = 20_000

let postgres: PostgresServer
let redis: RedisServer
let host: TestHost
let api: ReturnType<typeof createApi>

beforeAll(async () => {
  ;[postgres, redis] = await Promise.all([startPostgres(), startRedis({ durable: true })])
  host = await startTestHost({ postgresUrl: postgres.adminUrl, redisUrl: redis.url })
  await host.startWorker()
  api = createApi(host.berth.platform)
})

afterAll(async () => {
  await host?.close()
  await Promise.all([postgres?.close(), redis?.close()])
})

async function call(method: string, path: string, body?: unknown) {
  const begun = Date.now()
  const response = await api.fetch(
    new Request(`http://localhost:7080/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${host.berth.config.readSecret('operator.token')}`,
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  )
  return {
    status: response.status,
    body: (await response.json()) as { code?: string; id?: string },
    retryAfter: response.headers.get('retry-after'),
    tookMs: Date.now() - begun,
  }
}

/** Follows a team as a browser does: comes back after each end, with the id of the last event that it saw. */
function followTeam(): { live: Set<string>; stop(): Promise<void> } {
  const over = new AbortController()
  const live = new Set<string>()
  let last: string | null = null
  const following = (async () => {
    while (!over.signal.aborted) {
      const response = await api.fetch(
        new Request(`http://localhost:7080/api/v1/teams/${host.teamId}/events`, {
          headers: {
            authorization: `Bearer ${host.berth.config.readSecret('operator.token')}`,
            ...(last === null ? {} : { 'last-event-id': last }),
          },
          signal: over.signal,
        }),
      )
      let text = ''
      try {
        for await (const chunk of response.body ?? []) {
          text += Buffer.from(chunk).toString()
          const blocks = text.split('\n\n')
          text = blocks.pop() ?? ''
          for (const block of blocks) {
            last = /^id: (.+)$/m.exec(block)?.[1] ?? last
            const event = JSON.parse(/^data: (.+)$/m.exec(block)?.[1] ?? '{}')
            if (event.status === 'live') live.add(event.deploymentId)
          }
        }
      } catch {
        // It broke off, or it is over.
      }
      await sleep(200)
    }
  })()
  return {
    live,
    async stop() {
      over.abort()
      await following
    },
  }
}

interface Outage {
  title: string
  begin: () => Promise<void> | void
  end: () => Promise<void> | void
  /** Whether requests that only read can be answered meanwhile. */
  readable: boolean
}

const outages: Outage[] = [
  {
    title: 'Redis hangs',
    begin: () => redis.signal('SIGSTOP'),
    end: () => redis.signal('SIGCONT'),
    readable: true,
  },
  { title: 'Redis is killed', begin: () => redis.kill(), end: () => redis.start(), readable: true },
  {
    title: 'PostgreSQL hangs',
    begin: () => postgres.signal('SIGSTOP'),
    end: () => postgres.signal('SIGCONT'),
    readable: false,
  },
  {
    title: 'PostgreSQL is killed',
    begin: () => postgres.kill(),
    end: () => postgres.start(),
    readable: false,
  },
]

test.each(outages)(
  '$title for ten seconds: apps serve, requests are answered, and all goes on afterwards',
  async ({ begin, end, readable }) => {
    const image = await host.push('steady')
    const slow = await host.push('slow', {
      entrypoint: ['/bin/sh', '-c', 'sleep 2; exec httpd -f -p $PORT -h /www'],
    })
    const app = await host.makeApp(image)
    await host.untilStatus((await host.deploy(app.id)).id, 'live')
    const other = await host.makeApp(image)
    const watcher = followTeam()
    onTestFinished(watcher.stop)
    const second = await host.deploy(app.id, slow)
    await host.untilStatus(second.id, 'checking')

    await begin()
    const over = Date.now() + outageMs
    const answers: Awaited<ReturnType<typeof call>>[] = []
    const asked = [call('GET', `/apps/${app.id}`), call('POST', `/apps/${other.id}/deployments`, {})]
    try {
      while (Date.now() < over) {
        await expectServed(app)
        answers.push(await call('GET', `/apps/${app.id}`))
        await sleep(200)
      }
    } finally {
      await end()
    }
    answers.push(...(await Promise.all(asked)))
    for (const { status, body, retryAfter, tookMs } of answers) {
      expect(tookMs).toBeLessThan(patienceMs)
      if (status >= 400) expect([status, body.code, retryAfter]).toEqual([503, 'unavailable', '5'])
      if (readable) expect(status).toBeLessThan(300)
    }
    if (!readable) expect(answers.map(({ status }) => status)).toContain(503)

    await host.untilStatus(second.id, 'live')
    const wanted = answers.at(-1)?.body.id
    if (wanted !== undefined) await host.untilStatus(wanted, 'live')
    const third = await until('a deployment can be asked for', async () => host.deploy(app.id, image))
    await host.untilStatus(third.id, 'live')
    await until('the stream went on', () => watcher.live.has(third.id))
    expect(host.isWorkerAlive()).toBe(true)
    await expectServed(app)
  },
)

async function expectServed(app: App): Promise<void> {
  expect((await host.ask(app)).status).toBe(200)
}
