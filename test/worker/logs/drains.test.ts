import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { createDrain, getDrain, testDrain, updateDrain } from '../../../platform/log-drains/drains.ts'
import { newId } from '../../../platform/model/ids.ts'
import type { CreateDrainInput } from '../../../platform/model/log-drains.ts'
import type { App, Team } from '../../../platform/model/resources.ts'
import type { Platform } from '../../../platform/open.ts'
import { runDrains } from '../../../worker/logs/drains.ts'
import type { LogStore } from '../../../worker/logs/store/log-store.ts'
import { openLogStore } from '../../../worker/logs/store/open-log-store.ts'
import { makeCertificates } from '../../support/certificates.ts'
import { openTestPlatform, operator, type TestPlatform } from '../../support/platform.ts'
import { startSyslogServer } from '../../support/syslog-server.ts'
import { until } from '../../support/until.ts'
import { startReceiver, type WebhookReceiver } from '../../support/webhook-receiver.ts'

let berth: TestPlatform
let platform: Platform
let team: Team
let app: App
let hostId: string
let folder: string
let store: LogStore
let receiver: WebhookReceiver
let stopping: AbortController
let running: Promise<void>
const children = new Set<ChildProcess>()

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  platform = { ...berth.platform, config: { ...berth.config, privateHosts: ['127.0.0.1', 'localhost'] } }
  hostId = newId('host')
  await platform.db.host.create({ data: { id: hostId, name: hostId, lastSeenAt: new Date() } })
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await berth?.close()
})
beforeEach(async () => {
  team = await berth.makeTeam()
  app = await makeApp()
  folder = await mkdtemp(join(tmpdir(), 'berth-drains-'))
  store = openLogStore(folder)
  receiver = await startReceiver()
  stopping = new AbortController()
  running = Promise.resolve()
})
afterEach(async () => {
  stopping.abort()
  await running
  await receiver.close()
  await store.close()
  await platform.db.logDrain.deleteMany({})
  await rm(folder, { recursive: true })
})

async function makeApp(): Promise<App> {
  const made = await berth.makeApp(team.id)
  await platform.db.app.update({ where: { id: made.id }, data: { hostId } })
  return made
}

function start(pausesMs = [20, 50]): void {
  running = runDrains({ platform, hostId, store, everyMs: 20, pausesMs }, stopping.signal)
}

const source = { name: 'c@1', containerId: 'c', deploymentId: 'dep_1', process: 'web', replica: 0 }
let position = 0

async function write(of: App, texts: string[], time = new Date().toISOString()): Promise<void> {
  position += texts.length
  const lines = texts.map((text) => ({ time, stream: 'stdout' as const, text }))
  await store.append(of.id, source, lines, String(position))
}

const drain = (input: Partial<CreateDrainInput> = {}) =>
  createDrain(platform, operator, team.id, { kind: 'http', name: 'Logs', url: receiver.url, ...input })
const posted = () => receiver.received.flatMap(({ body }) => JSON.parse(body) as Record<string, unknown>[])
const texts = () => posted().map(({ text }) => text)
const numbered = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`)

test('what is written after a drain was made is sent once, in order, with what it is and whose', async () => {
  await write(app, ['before'], new Date(Date.now() - 60_000).toISOString())
  const { id } = await drain({ headers: { authorization: 'Bearer key' } })
  start()
  await write(app, ['{"level":"error","msg":"no"}', ...numbered(1, 2_500)])
  await until('all have arrived', () => texts().length === 2_501)
  expect(texts()).toEqual(['{"level":"error","msg":"no"}', ...numbered(1, 2_500)])
  expect(posted()[0]).toMatchObject({
    ...{ level: 'error', stream: 'stdout', team: team.slug, app: app.slug, appId: app.id },
    ...{ process: 'web', replica: 1, number: 2 },
  })
  expect(receiver.received[0]?.headers).toMatchObject({
    authorization: 'Bearer key',
    'content-type': 'application/json',
  })
  const state = await until('it is told', async () => {
    const now = await getDrain(platform, operator, id)
    return now.sentLines === 2_501 && now
  })
  expect(state).toMatchObject({ waitingLines: 0, lostLines: 0, problem: null, failingSince: null })
  await write(app, ['later'])
  await until('it has arrived, too', () => texts().at(-1) === 'later')
  expect(texts().length).toBe(2_502)
})

test('what a receiver does not take is kept and sent when it does, and meanwhile it is said why', async () => {
  receiver.respond((_, response) =>
    response.writeHead(503, { 'content-type': 'text/plain' }).end('busy just now'),
  )
  const { id } = await drain()
  start()
  await write(app, numbered(1, 10))
  const failing = await until('it is said', async () => {
    const now = await getDrain(platform, operator, id)
    return now.problem !== null && now
  })
  expect(failing).toMatchObject({ waitingLines: 10, sentLines: 0 })
  expect(failing.problem).toMatch(/^127\.0\.0\.1:\d+ answered 503: busy just now$/)
  await until('it is tried again', () => receiver.received.length > 2)
  receiver.received.length = 0
  receiver.respond((_, response) => void response.end())
  await until('all have arrived', () => texts().length === 10)
  expect(texts()).toEqual(numbered(1, 10))
  await until('all is well', async () => (await getDrain(platform, operator, id)).failingSince === null)
})

test('a receiver that fails is asked less and less often, and not before the time that it names', async () => {
  const at: number[] = []
  receiver.respond((_, response) => {
    at.push(performance.now())
    if (at.length === 1) response.writeHead(429, { 'retry-after': '1' }).end()
    else if (at.length <= 3) response.writeHead(503).end()
    else response.end()
  })
  await drain()
  start([50, 100, 400, 2_000])
  await write(app, ['one'])
  await until('it is taken', () => at.length === 4)
  const pauses = at.slice(1).map((time, index) => time - (at[index] ?? 0))
  // Clocks of whole milliseconds.
  for (const [index, least] of [1_000, 100, 400].entries())
    expect(pauses[index], `pause ${index + 1}`).toBeGreaterThanOrEqual(least - 2)
  expect(pauses[2]).toBeLessThan(2_000)
})

test('a receiver that says that it is too much gets less at once', async () => {
  receiver.respond(({ body }, response) => {
    const isTooMuch = (JSON.parse(body) as unknown[]).length > 100
    response.writeHead(isTooMuch ? 413 : 200).end()
  })
  await drain()
  start()
  await write(app, numbered(1, 600))
  const taken = () =>
    receiver.received
      .map(({ body }) => JSON.parse(body) as { text: string }[])
      .filter(({ length }) => length <= 100)
  await until('all have arrived', () => taken().flat().length === 600)
  expect(taken().flatMap((lines) => lines.map(({ text }) => text))).toEqual(numbered(1, 600))
})

test('a worker that is killed in the middle loses nothing, in order', async () => {
  const count = 20_000
  await drain()
  await write(app, numbered(1, count))
  const run = () => {
    const child = spawn(process.execPath, ['test/support/drains-child.ts', hostId, folder], {
      cwd: join(import.meta.dirname, '../../..'),
      env: { ...process.env, ...berth.environment, BERTH_PRIVATE_HOSTS: '127.0.0.1' },
      stdio: 'ignore',
    })
    children.add(child)
    return child
  }
  for (const enough of [2_000, 9_000]) {
    const child = run()
    const exited = once(child, 'exit')
    await until(`${enough} lines have arrived`, () => texts().length >= enough)
    child.kill('SIGKILL')
    await exited
  }
  const last = run()
  await until('all have arrived', () => texts().includes(`line ${count}`))
  last.kill('SIGKILL')
  const seen = posted().map(({ number }) => Number(number))
  expect([...new Set(seen)]).toEqual(Array.from({ length: count }, (_, index) => index + 1))
  // What was under way when it was killed came twice, and no more than that.
  expect(seen.length).toBeLessThanOrEqual(count + 2 * 1_000)
})

/** What was taken, by a receiver of either kind over HTTP that refuses one request and breaks off another. */
function takeBadly(): string[] {
  const taken: string[] = []
  let requests = 0
  receiver.respond(({ body }, response) => {
    requests += 1
    if (requests === 2) return response.writeHead(503).end('not now')
    if (requests === 4) return response.destroy()
    const sent = JSON.parse(body) as { text: string }[] | { streams: { values: [string, string][] }[] }
    const texts = Array.isArray(sent)
      ? sent.map(({ text }) => text)
      : sent.streams.flatMap(({ values }) => values.map(([, text]) => text))
    taken.push(...texts)
    response.end()
  })
  return taken
}

test.each(['http', 'loki'] as const)(
  '%s: lines come once and in order, across requests that fail',
  async (kind) => {
    const taken = takeBadly()
    await drain({ kind })
    start()
    await write(app, numbered(1, 5_000))
    await until('all have arrived', () => taken.length >= 5_000)
    expect(taken).toEqual(numbered(1, 5_000))
    expect(receiver.received.length).toBeGreaterThanOrEqual(7)
  },
)

test('syslog: lines come in order, across connections that break off; some come twice and none is left out', async () => {
  const server = await startSyslogServer()
  try {
    server.breaks = 1
    await drain({ kind: 'syslog', url: `syslog+tcp://127.0.0.1:${server.port}` })
    start()
    await write(app, numbered(1, 2_500))
    const texts = () => server.messages.map((message) => /(?<=\] )line \d+$/.exec(message)?.[0])
    await until('some have arrived', () => server.messages.length > 1_000)
    server.breaks = 1
    await write(app, numbered(2_501, 5_000))
    await until('all have arrived', () => texts().includes('line 5000'))
    expect([...new Set(texts())]).toEqual(numbered(1, 5_000))
    expect(server.breaks).toBe(0)
    expect(texts().length).toBeLessThanOrEqual(5_000 + 2 * 1_000)
  } finally {
    await server.close()
  }
})

test('Loki gets streams with few labels, and times in nanoseconds', async () => {
  await drain({ kind: 'loki', url: `${receiver.url}/loki/api/v1/push`, headers: { 'X-Scope-OrgID': 'acme' } })
  start()
  const time = new Date(Date.now() + 1_000).toISOString().replace('Z', '123Z')
  await write(app, ['ERROR it broke', 'all is well'], time)
  await until('it has arrived', () => receiver.received.length > 0)
  const [request] = receiver.received
  expect(request).toMatchObject({ path: '/loki/api/v1/push', headers: { 'x-scope-orgid': 'acme' } })
  const labels = { team: team.slug, app: app.slug, process: 'web', replica: '1', stream: 'stdout' }
  const ns = `${BigInt(Date.parse(time)) * 1_000_000n + 123_000n}`
  expect(JSON.parse(request?.body ?? '')).toMatchObject({
    streams: [
      { stream: { ...labels, level: 'error' }, values: [[ns, 'ERROR it broke']] },
      { stream: { ...labels, level: 'unknown' }, values: [[ns, 'all is well']] },
    ],
  })
})

test('syslog gets RFC 5424 messages over TCP, and over TLS only where the certificate is known', async () => {
  const certificates = makeCertificates()
  const [plain, secure] = await Promise.all([startSyslogServer(), startSyslogServer(certificates)])
  try {
    await drain({ kind: 'syslog', url: `syslog+tcp://127.0.0.1:${plain.port}` })
    const tls = { kind: 'syslog' as const, url: `syslog+tls://127.0.0.1:${secure.port}` }
    const known = await drain({ ...tls, ca: certificates.ca })
    const unknown = await drain(tls)
    start()
    await write(app, ['FATAL "quoted" ]', 'über\tall', 'x'.repeat(70_000)])
    for (const { messages } of [plain, secure]) {
      await until('all have arrived', () => messages.length === 3)
      expect(messages[0]).toMatch(
        new RegExp(
          `^<130>1 \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z berth ${app.slug} web\\.1 - \\[berth@32473 team="${team.slug}" .*stream="stdout" number="1"\\] FATAL "quoted" \\]$`,
        ),
      )
      expect(messages[1]).toMatch(/^<134>1 .*\] über\tall$/)
      expect(messages[2]?.length).toBeLessThan(61_000)
    }
    expect(await testDrain(platform, operator, known.id)).toEqual({ problem: null })
    await until('the test has arrived', () =>
      secure.messages.at(-1)?.endsWith('A test of the log drain Logs'),
    )
    expect(await testDrain(platform, operator, unknown.id)).toEqual({
      problem: `127.0.0.1:${secure.port} has a certificate that nobody known here has signed.`,
    })
  } finally {
    await Promise.all([plain.close(), secure.close()])
  }
})

test('addresses of this machine are refused unless the administrator allows them', async () => {
  for (const input of [
    { kind: 'http' as const, url: receiver.url },
    { kind: 'syslog' as const, url: 'syslog+tcp://127.0.0.1:22' },
    { kind: 'syslog' as const, url: 'syslog+tls://localhost:6514' },
  ]) {
    const { id } = await drain(input)
    const { problem } = await testDrain({ ...platform, config: berth.config }, operator, id)
    expect(problem).toContain('BERTH_PRIVATE_HOSTS')
  }
  expect(receiver.received).toEqual([])
})

test('a drain is for the apps that it names; disabled it sends nothing, and afterwards what it missed', async () => {
  const other = await makeApp()
  const { id } = await drain({ appIds: [app.id] })
  start()
  await write(other, ['not this'])
  await write(app, ['this'])
  await until('it has arrived', () => texts().length === 1)
  await updateDrain(platform, operator, id, { isEnabled: false })
  await write(app, ['meanwhile'])
  await updateDrain(platform, operator, id, { isEnabled: true })
  await until('what it missed has arrived', () => texts().length === 2)
  expect(texts()).toEqual(['this', 'meanwhile'])
})

test('what can not be a drain is refused with a sentence, and its headers go to no other address', async () => {
  for (const [input, path] of [
    [{ kind: 'syslog', url: 'https://example.com' }, 'url'],
    [{ url: 'ftp://example.com' }, 'url'],
    [{ url: 'https://ada:secret@example.com/' }, 'url'],
    [{ headers: { 'content-length': '1' } }, 'headers'],
    [{ headers: { authorization: 'a\r\nx: y' } }, 'headers.authorization'],
    [{ appIds: ['app_of_nobody'] }, 'appIds'],
    [{ kind: 'syslog', url: 'syslog+tcp://example.com:514', headers: { authorization: 'x' } }, 'headers'],
  ] as [Partial<CreateDrainInput>, string][])
    await expect(drain(input)).rejects.toMatchObject({ code: 'invalid', fields: [{ path }] })
  const { id } = await drain({ headers: { authorization: 'Bearer key' } })
  await expect(updateDrain(platform, operator, id, { url: 'https://example.org/' })).rejects.toMatchObject({
    fields: [{ path: 'headers' }],
  })
  const shown = JSON.stringify(await getDrain(platform, operator, id))
  expect(shown).toContain('authorization')
  expect(shown).not.toContain('Bearer')
  expect(JSON.stringify(await platform.db.logDrain.findMany())).not.toContain('Bearer')
})
