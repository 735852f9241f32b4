import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, onTestFinished, test } from 'vitest'
import { changeMail } from '../../platform/mail/settings.ts'
import type { AppEvent } from '../../platform/model/app-event-kinds.ts'
import type { CreateChannelInput } from '../../platform/model/notifications.ts'
import type { App, Team } from '../../platform/model/resources.ts'
import {
  createChannel,
  deleteChannel,
  getChannel,
  listChannels,
  rotateSecret,
  testChannel,
  updateChannel,
} from '../../platform/notifications/channels.ts'
import type { DeliveryOptions } from '../../platform/notifications/deliver.ts'
import { listDeliveries, redeliver, sweepDeliveries } from '../../platform/notifications/deliveries.ts'
import { discordBody, slackBody } from '../../platform/notifications/formats.ts'
import type { Platform } from '../../platform/open.ts'
import { emitAppEvent } from '../../platform/timeline.ts'
import { type RunningDeliveries, serveDeliveries } from '../../worker/notifications.ts'
import { type MailServer, startMailServer } from '../support/mail-server.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { type Received, startReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts'

const quick: DeliveryOptions = { pausesMs: [100, 200], timeoutMs: 600, roundEveryMs: 500 }

let berth: TestPlatform
/** As the administrator set it up: this machine may be asked. */
let platform: Platform
let team: Team
let app: App
let receiver: WebhookReceiver
let serving: RunningDeliveries | null = null
let mail: MailServer

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  platform = { ...berth.platform, config: { ...berth.config, privateHosts: ['127.0.0.1'] } }
  team = await berth.makeTeam('Acme')
  app = await berth.makeApp(team.id, { name: 'Shop <!channel> @everyone' })
  mail = await startMailServer()
})
afterAll(async () => {
  await mail?.close()
  await berth?.close()
})
beforeEach(async () => {
  await berth.platform.db.notificationChannel.deleteMany({})
  receiver = await startReceiver()
})
afterEach(async () => {
  await serving?.stop()
  serving = null
  await receiver.close()
})

function serve(options: DeliveryOptions = quick, as: Platform = platform): void {
  serving = serveDeliveries(as, options)
}

function makeChannel(input: Partial<CreateChannelInput> = {}) {
  const url = input.kind === 'email' ? {} : { url: `${receiver.url}/hook` }
  return createChannel(platform, operator, team.id, { kind: 'webhook', name: 'Ops', ...url, ...input })
}

const oom = (restarts = 1): AppEvent => ({
  ...{
    kind: 'container.out-of-memory',
    containerId: 'c-1',
    deploymentId: 'dep_1',
    process: 'web',
    replica: 0,
  },
  ...{ restarts, memoryBytes: 64 * 2 ** 20 },
})

const happens = (event: AppEvent, of = app) => emitAppEvent(platform, of.id, event)

async function deliveriesOf(channelId: string) {
  return (await listDeliveries(platform, operator, channelId)).data
}

function untilEnded(channelId: string, status: 'delivered' | 'failed') {
  return until(`a delivery is ${status}`, async () =>
    (await deliveriesOf(channelId)).find((delivery) => delivery.status === status),
  )
}

/** As a receiver verifies it, written after the specification and not after our code. */
function isGenuine(secret: string, { headers, body }: Received): boolean {
  const [id, timestamp] = [headers['webhook-id'], headers['webhook-timestamp']]
  if (Math.abs(Date.now() / 1_000 - Number(timestamp)) > 300) return false
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return String(headers['webhook-signature']).split(' ').includes(`v1,${expected}`)
}

test('a webhook gets what happens, signed so that its receiver can tell', async () => {
  serve()
  const channel = await makeChannel({ events: ['container'] })
  await happens({ kind: 'app.started' })
  await happens(oom())
  await untilEnded(channel.id, 'delivered')
  const [message, ...more] = receiver.received
  if (message === undefined || channel.secret === null) throw new Error('nothing came')
  expect(more).toEqual([])
  expect(isGenuine(channel.secret, message)).toBe(true)
  expect(isGenuine(channel.secret, { ...message, body: message.body.replace('Shop', 'Bank') })).toBe(false)
  expect(isGenuine(`whsec_${Buffer.alloc(32).toString('base64')}`, message)).toBe(false)
  expect(message.headers['content-type']).toBe('application/json')
  expect(JSON.parse(message.body)).toMatchObject({
    type: 'container.out-of-memory',
    timestamp: expect.any(String),
    data: { app: { id: app.id }, team: { name: 'Acme' }, event: { memoryBytes: 64 * 2 ** 20 } },
  })
  const { secret } = await rotateSecret(platform, operator, channel.id)
  await testChannel(platform, operator, channel.id)
  const second = await until('the test arrives', () => receiver.received[1])
  expect([isGenuine(secret, second), isGenuine(channel.secret, second)]).toEqual([true, false])
  expect(JSON.parse(second.body)).toMatchObject({ type: 'test' })
})

test('secrets and addresses are sealed, and told to nobody again', async () => {
  const channel = await makeChannel({ kind: 'slack', url: `${receiver.url}/services/T0/B0/very-secret-path` })
  const signed = await makeChannel()
  const shown = JSON.stringify([
    await listChannels(platform, operator, team.id),
    await getChannel(platform, operator, signed.id),
    await updateChannel(platform, operator, channel.id, { name: 'Renamed' }),
    await platform.db.notificationChannel.findMany(),
    await platform.db.auditEvent.findMany({ where: { targetType: 'notification-channel' } }),
  ])
  expect(shown).toContain('Renamed')
  expect(shown).not.toContain('very-secret')
  expect(shown).not.toContain(signed.secret ?? 'none')
})

test('after 500 and after silence it is tried again, with the same id; the log has what was answered', async () => {
  serve()
  const channel = await makeChannel()
  receiver.respond((_, response) => {
    const count = receiver.received.length
    if (count === 1) response.writeHead(500).end('database\nis down')
    // The second is never answered.
    if (count === 3) response.end('thanks')
  })
  await happens(oom())
  const delivery = await untilEnded(channel.id, 'delivered')
  expect(delivery.attempts).toMatchObject([
    { status: 500, answer: 'database is down', isGood: false },
    { status: null, answer: 'The receiver did not answer within 0.6 s.', isGood: false },
    { status: 200, answer: 'thanks', isGood: true },
  ])
  expect(delivery.attemptCount).toBe(3)
  const ids = new Set(receiver.received.map(({ headers }) => headers['webhook-id']))
  expect([...ids]).toEqual([delivery.id])
  expect((await getChannel(platform, operator, channel.id)).failingSince).toBeNull()
})

test('a receiver that says when to come back is not asked before, and of a long answer the beginning is kept', async () => {
  serve()
  const channel = await makeChannel()
  const asked: number[] = []
  receiver.respond((_, response) => {
    asked.push(Date.now())
    if (asked.length > 1) response.end('x'.repeat(5_000))
    else response.writeHead(429, { 'retry-after': '2' }).end()
  })
  await happens(oom())
  const { attempts } = await untilEnded(channel.id, 'delivered')
  const [first = 0, second = 0] = asked
  expect(second - first).toBeGreaterThan(1_900)
  expect(attempts.map(({ status, answer }) => [status, answer])).toEqual([
    [429, ''],
    [200, `${'x'.repeat(1_000)}…`],
  ])
})

test('what never succeeds is given up and can be sent once more', async () => {
  serve()
  const channel = await makeChannel()
  receiver.respond((_, response) => void response.writeHead(503).end())
  await happens(oom())
  const { id, attemptCount } = await untilEnded(channel.id, 'failed')
  expect(attemptCount).toBe(3)
  expect((await getChannel(platform, operator, channel.id)).failingSince).not.toBeNull()
  receiver.respond((_, response) => void response.end())
  await redeliver(platform, operator, id)
  expect(await untilEnded(channel.id, 'delivered')).toMatchObject({ id, attemptCount: 1 })
  await expect(redeliver(berth.platform, (await berth.makeUser()).viewer, id)).rejects.toThrow('no such')
})

test('a test, and what is sent again, do not wait until a silent receiver is asked next', async () => {
  const port = new URL(receiver.url).port
  await receiver.close()
  serve({ ...quick, pausesMs: [3_600_000, 3_600_000] })
  const channel = await makeChannel({ url: `http://127.0.0.1:${port}/hook` })
  await happens(oom())
  await until('nobody answered', async () => (await deliveriesOf(channel.id))[0]?.attempts.length === 1)
  await testChannel(platform, operator, channel.id)
  const ofTest = async () => (await deliveriesOf(channel.id)).find(({ kind }) => kind === 'test')
  const found = await until('the test was tried', async () => {
    const now = await ofTest()
    return now?.attempts.length === 1 && now
  })
  expect(found).toMatchObject({ attemptCount: 1, status: 'waiting' })
  expect(found.attempts[0]?.answer).toContain('refuses the connection')
  receiver = await startReceiver()
})

test('a receiver that is dead holds up no other, and loses nothing', async () => {
  serve({ ...quick, pausesMs: [300, 300, 300, 300, 300, 300, 300, 300, 300, 300] })
  const dead = await startReceiver()
  onTestFinished(() => dead.close())
  dead.respond(() => {})
  const silent = await makeChannel({ url: dead.url, name: 'Dead' })
  const other = await makeChannel({ name: 'Alive' })
  for (let count = 1; count <= 40; count++) await happens(oom(count))
  await until('the other got all', () => receiver.received.length === 40, 20_000)
  expect((await deliveriesOf(silent.id)).some(({ status }) => status === 'delivered')).toBe(false)
  dead.respond((_, response) => void response.end())
  await until(
    'the one that came back got all',
    async () => (await deliveriesOf(silent.id)).every(({ status }) => status === 'delivered'),
    20_000,
  )
  expect(await deliveriesOf(other.id)).toHaveLength(40)
})

test('a worker that is killed loses nothing: the next one goes on', async () => {
  const start = () =>
    spawn(process.execPath, [join(import.meta.dirname, '../support/notifications-child.ts')], {
      env: { ...process.env, ...berth.environment, BERTH_PRIVATE_HOSTS: '127.0.0.1' },
      stdio: 'inherit',
    })
  const kill = async (child: ReturnType<typeof start>) => {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  const channel = await makeChannel()
  receiver.respond(() => {})
  const first = start()
  onTestFinished(() => void first.kill('SIGKILL'))
  await happens(oom())
  await until('it is being sent', () => receiver.received.length > 0)
  await kill(first)
  await happens(oom(2))
  // Also what Redis forgot.
  await platform.queues.named('berth-notifications').obliterate({ force: true })
  receiver.respond((_, response) => void response.end('thanks'))
  const second = start()
  onTestFinished(() => kill(second))
  await until('both arrived', async () =>
    (await deliveriesOf(channel.id)).every(({ status }) => status === 'delivered'),
  )
  expect(await deliveriesOf(channel.id)).toHaveLength(2)
})

test('a redirect is not followed, and 410 switches the channel off', async () => {
  serve()
  const channel = await makeChannel()
  receiver.respond(({ path }, response) => {
    if (path === '/elsewhere') response.end()
    else response.writeHead(307, { location: `${receiver.url}/elsewhere` }).end()
  })
  await happens(oom())
  const { attempts } = await untilEnded(channel.id, 'failed')
  expect(attempts[0]).toMatchObject({ status: 307, answer: expect.stringContaining('not followed') })
  expect(receiver.received.map(({ path }) => path)).not.toContain('/elsewhere')
  receiver.respond((_, response) => void response.writeHead(410).end())
  await happens(oom(2))
  await until('it is off', async () => (await getChannel(platform, operator, channel.id)).gaveUp)
  const before = receiver.received.length
  await happens(oom(3))
  expect(await deliveriesOf(channel.id)).toHaveLength(2)
  expect(receiver.received).toHaveLength(before)
})

test('addresses of this machine are refused, unless the administrator allows them', async () => {
  serve(quick, berth.platform)
  const channel = await makeChannel()
  await happens(oom())
  const { attempts } = await untilEnded(channel.id, 'failed')
  expect(attempts).toHaveLength(1)
  expect(attempts[0]?.answer).toContain('BERTH_PRIVATE_HOSTS')
  expect(receiver.received).toEqual([])
  const bad = ['ftp://example.com/x', 'http://user:pass@example.com/', 'nonsense']
  for (const url of bad) await expect(makeChannel({ url })).rejects.toThrow('url')
})

test('a channel at which nothing arrived for long is switched off, and its team is told', async () => {
  serve({ ...quick, patienceMs: 0 })
  await useMail()
  const owner = await berth.makeUser({ teamId: team.id, role: 'owner' })
  const channel = await makeChannel()
  receiver.respond((_, response) => void response.writeHead(500).end('no'))
  await happens(oom())
  const off = await until('it is off', async () => {
    const now = await getChannel(platform, operator, channel.id)
    return now.isEnabled ? null : now
  })
  expect(off.gaveUp).toBe(true)
  const letters = await platform.db.mail.findMany({ where: { recipient: owner.email } })
  expect(letters.map(({ kind }) => kind)).toEqual(['channel-disabled'])
  const entry = await platform.db.auditEvent.findFirst({
    where: { action: 'notification.give-up', targetId: channel.id },
  })
  expect(entry).toMatchObject({ targetName: 'Ops', actor: 'system' })
  await expect(testChannel(platform, operator, channel.id)).rejects.toThrow('disabled')
  receiver.respond((_, response) => void response.end())
  const on = await updateChannel(platform, operator, channel.id, { isEnabled: true })
  expect(on).toMatchObject({ isEnabled: true, gaveUp: false, failingSince: null })
  await testChannel(platform, operator, channel.id)
  await untilEnded(channel.id, 'delivered')
})

async function useMail(): Promise<void> {
  const account = { host: '127.0.0.1', port: mail.port, security: 'none', user: '' } as const
  await changeMail(platform, operator, { ...account, from: 'berth@example.com', fromName: 'Berth' })
}

test('e-mail goes to each member that is named, in his language, while he may see the app', async () => {
  serve()
  await useMail()
  const reader = await berth.makeUser({ teamId: team.id, role: 'viewer' })
  await platform.db.user.update({ where: { id: reader.id }, data: { locale: 'zh-CN' } })
  const leaver = await berth.makeUser({ teamId: team.id, role: 'viewer' })
  const blind = await berth.makeUser({ teamId: team.id, role: 'viewer' })
  await platform.db.projectAccess.create({ data: { userId: blind.id, projectId: app.projectId, role: null } })
  const userIds = [reader.id, leaver.id, blind.id]
  const channel = await makeChannel({ kind: 'email', userIds })
  await platform.db.membership.deleteMany({ where: { userId: leaver.id } })
  await happens(oom())
  await until('all are done', async () =>
    (await deliveriesOf(channel.id)).every(({ status }) => status !== 'waiting'),
  )
  const outcomes = (await deliveriesOf(channel.id)).map(({ status, attempts }) => [
    status,
    attempts[0]?.answer,
  ])
  expect(outcomes.map(([status]) => status).sort()).toEqual(['delivered', 'failed', 'failed'])
  expect(JSON.stringify(outcomes)).toContain('may not see this app')
  expect(JSON.stringify(outcomes)).toContain('no member of the team')
  const stranger = await berth.makeUser()
  await expect(makeChannel({ kind: 'email', userIds: [stranger.id] })).rejects.toThrow('no member')
})

test('Slack and Discord get their own form, within their limits, and nobody is mentioned by a name', async () => {
  serve()
  const slack = await makeChannel({ kind: 'slack', name: 'Slack' })
  const discord = await makeChannel({ kind: 'discord', name: 'Discord' })
  const message = `@everyone <!channel> <@U1> ${'&<long>* '.repeat(2_000)}`
  const ended = { exitCode: 1, signal: null, oomKilled: false }
  const failed = { deploymentId: 'dep_1', number: 3, step: 'start', code: 'exited', message }
  await happens({ kind: 'deployment.failed', ...failed, ...ended })
  await untilEnded(slack.id, 'delivered')
  await untilEnded(discord.id, 'delivered')
  const bodies = receiver.received.map(({ body }) => JSON.parse(body))
  const forSlack = bodies.find(({ blocks }) => blocks !== undefined)
  const forDiscord = bodies.find(({ embeds }) => embeds !== undefined)
  // https://docs.slack.dev/reference/block-kit/blocks/section-block
  expect(forSlack.blocks.length).toBeLessThanOrEqual(50)
  expect(forSlack.blocks[0].text.text.length).toBeLessThanOrEqual(3_000)
  expect(forSlack.text.length).toBeLessThanOrEqual(4_000)
  expect(JSON.stringify(forSlack)).not.toMatch(/<[!@]/)
  // https://discord.com/developers/docs/resources/message#embed-object-embed-limits
  const [embed] = forDiscord.embeds
  expect(embed.title.length).toBeLessThanOrEqual(256)
  expect(embed.description.length).toBeLessThanOrEqual(4_096)
  expect(embed.footer.text.length).toBeLessThanOrEqual(2_048)
  expect(embed.title.length + embed.description.length + embed.footer.text.length).toBeLessThanOrEqual(6_000)
  expect(forDiscord.allowed_mentions).toEqual({ parse: [] })
  const test = { team: { id: 't', slug: 'acme', name: 'Acme' }, about: null, at: '', to: null }
  for (const write of [slackBody, discordBody]) expect(write('http://x', test)).toContain('test from Berth')
})

test('a channel is told of the events, projects and apps that it is for, and of no other team’s', async () => {
  const elsewhere = await berth.makeApp(team.id)
  const others = await berth.makeTeam('Others')
  const theirs = await berth.makeApp(others.id)
  const ofApp = await makeChannel({ appIds: [app.id], events: ['*'] })
  const ofProject = await makeChannel({ projectIds: [elsewhere.projectId], events: ['health.failing'] })
  const failing = {
    kind: 'health.failing',
    containerId: 'c',
    deploymentId: 'd',
    process: 'web',
    replica: 0,
    reason: '-',
  } as const
  for (const each of [app, elsewhere, theirs]) {
    await happens(failing, each)
    await happens({ kind: 'app.stopped' }, each)
  }
  expect((await deliveriesOf(ofApp.id)).map(({ kind }) => kind)).toEqual(['app.stopped', 'health.failing'])
  expect((await deliveriesOf(ofProject.id)).map(({ kind }) => kind)).toEqual(['health.failing'])
  await expect(makeChannel({ appIds: [theirs.id] })).rejects.toThrow('not of the team')
  const developer = await berth.makeUser({ teamId: team.id, role: 'developer' })
  await expect(getChannel(platform, developer.viewer, ofApp.id)).rejects.toThrow()
  const old = new Date(Date.now() - 31 * 86_400_000)
  await platform.db.notificationDelivery.updateMany({ data: { createdAt: old } })
  await sweepDeliveries(platform)
  expect(await deliveriesOf(ofApp.id)).toEqual([])
  await deleteChannel(platform, operator, ofApp.id)
  await expect(getChannel(platform, operator, ofApp.id)).rejects.toThrow('no such channel')
})
