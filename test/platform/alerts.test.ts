import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest'
import { listAppAlerts, listHostAlerts, listTeamAlerts } from '../../platform/alerts/current.ts'
import { evaluateAlerts, judgeAll } from '../../platform/alerts/evaluate.ts'
import {
  listAppAlertRules,
  listHostAlertRules,
  resetAppAlertRule,
  setAppAlertRule,
  setHostAlertRule,
} from '../../platform/alerts/rules.ts'
import { startApp, stopApp } from '../../platform/apps.ts'
import { createDeployment } from '../../platform/deployments.ts'
import { changeMail } from '../../platform/mail/settings.ts'
import { type AlertRuleName, appAlertRules, hostAlertRules } from '../../platform/model/alerts.ts'
import type { AppEvent } from '../../platform/model/app-event-kinds.ts'
import { addCounts, edgeCounts, latencyPlace } from '../../platform/model/edge-use.ts'
import { newId } from '../../platform/model/ids.ts'
import { containerMetrics, hostMetrics } from '../../platform/model/metrics.ts'
import type { App, Team } from '../../platform/model/resources.ts'
import { createChannel } from '../../platform/notifications/channels.ts'
import { openPlatform, type Platform } from '../../platform/open.ts'
import { emitAppEvent, listTimeline } from '../../platform/timeline.ts'
import { markLive, setDeploymentStatus, setImageDigest } from '../../platform/worker/deployment-status.ts'
import { addEdgeUse } from '../../platform/worker/edge-use.ts'
import { registerHost } from '../../platform/worker/hosts.ts'
import { recordMetrics } from '../../platform/worker/metrics.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'

let berth: TestPlatform
let platform: Platform
let team: Team

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  platform = berth.platform
  team = await berth.makeTeam('Acme')
  await registerHost(platform, { id: platform.config.hostId, name: 'one', facts: {} })
})
afterAll(() => berth?.close())

const start = Date.parse('2027-03-01T12:00:00.000Z')
const minute = 60_000
const at = (minutes: number) => new Date(start + minutes * minute)

async function liveApp(teamId = team.id): Promise<App & { deploymentId: string }> {
  const app = await berth.makeApp(teamId)
  const { id } = await createDeployment(platform, operator, app.id)
  for (const status of ['pulling', 'starting', 'checking', 'routing'] as const)
    await setDeploymentStatus(platform, id, status)
  await setImageDigest(platform, id, `sha256:${'ab'.repeat(32)}`)
  expect(await markLive(platform, id)).toBe(true)
  return { ...app, deploymentId: id }
}

interface Use {
  cpu?: number
  memory?: number
}

/** What a replica used in the minute that ends then, in percent of its limits. */
async function use(app: App, minutes: number, used: Use, replica = 0): Promise<void> {
  const numbers: Record<string, number> = {
    ...{ cpuMillis: (used.cpu ?? 1) * 5, cpuLimitMillis: 500 },
    ...{ memoryBytes: (used.memory ?? 1) * 1_000, memoryLimitBytes: 100_000 },
  }
  const values = containerMetrics.map((metric) => numbers[metric] ?? 1)
  for (let index = 0; index < 6; index++)
    await recordMetrics(platform, new Date(at(minutes).getTime() - index * 10_000), [
      {
        ...{ subject: `${app.id}-${replica}`, hostId: platform.config.hostId, appId: app.id },
        ...{ process: 'web', replica, values },
      },
    ])
}

/** The minutes from one to the other, each with this use and a round at its end. */
async function pass(app: App, from: number, to: number, used: Use | null, on = platform): Promise<void> {
  for (let minutes = from; minutes <= to; minutes++) {
    if (used !== null) await use(app, minutes, used)
    await evaluateAlerts(on, at(minutes))
  }
}

async function told(app: App): Promise<AppEvent[]> {
  const { data } = await listTimeline(platform, operator, app.id, { kind: 'alert' })
  return data.map(({ event }) => event).reverse()
}

const kindsTold = async (app: App) => (await told(app)).map(({ kind }) => kind)

async function ruleOf(app: App, name: AlertRuleName, minutes: number) {
  const rules = await listAppAlertRules(platform, operator, app.id, at(minutes))
  const found = rules.find(({ rule }) => rule === name)
  if (found === undefined) throw new Error(`no rule ${name}`)
  return found
}

const set = (app: App, rule: string, input: object, minutes = 0) =>
  setAppAlertRule(platform, operator, { id: app.id, rule }, input, at(minutes))

/** Another worker, of another host. */
async function otherWorker(): Promise<Platform> {
  const other = await openPlatform({ ...platform.config, hostId: newId('host') }, { part: 'test' })
  onTestFinished(() => other.close())
  return other
}

test('an app that never heard of alerts has all rules, on, and nothing is stored for them', async () => {
  const app = await liveApp()
  const rules = await listAppAlertRules(platform, operator, app.id)
  expect(rules.map(({ rule }) => rule)).toEqual([...appAlertRules])
  for (const rule of rules)
    expect(rule).toMatchObject({ isEnabled: true, isDefault: true, state: 'ok', lastFiredAt: null })
  await pass(app, 0, 1, { cpu: 10, memory: 20 })
  expect(await platform.db.alertRule.count({ where: { appId: app.id } })).toBe(0)
  expect(await platform.db.alert.count({ where: { appId: app.id } })).toBe(0)
})

test('it fires after its time and not before, says what it is about, and recovers once it was well for as long', async () => {
  const app = await liveApp()
  await use(app, 100, { memory: 30 }, 1)
  await pass(app, 100, 104, { memory: 95 })
  expect(await ruleOf(app, 'memory', 104)).toMatchObject({
    state: 'pending',
    since: at(100).toISOString(),
    value: 95,
  })
  expect(await told(app)).toEqual([])
  await pass(app, 105, 110, { memory: 97 })
  expect(await told(app)).toEqual([
    {
      ...{ kind: 'alert.fired', rule: 'memory', threshold: 90, forSeconds: 300, value: 97 },
      about: { process: 'web', replica: 0 },
    },
  ])
  expect(await ruleOf(app, 'memory', 110)).toMatchObject({ state: 'firing', since: at(105).toISOString() })
  // For a moment it is well, and then it is not: that is no recovery.
  await pass(app, 111, 113, { memory: 20 })
  await pass(app, 114, 114, { memory: 95 })
  await pass(app, 115, 119, { memory: 20 })
  expect(await kindsTold(app)).toEqual(['alert.fired'])
  await pass(app, 120, 125, { memory: 20 })
  expect((await told(app)).at(-1)).toMatchObject({
    ...{ kind: 'alert.recovered', rule: 'memory', ending: 'recovered', lastedMs: 15 * minute },
  })
  expect(await kindsTold(app)).toEqual(['alert.fired', 'alert.recovered'])
  const after = await ruleOf(app, 'memory', 125)
  expect(after).toMatchObject({
    ...{ state: 'ok', since: null, lastFiredAt: at(105).toISOString() },
    lastRecoveredAt: at(120).toISOString(),
  })
  // A second one is told as well.
  await pass(app, 126, 131, { memory: 99 })
  expect(await kindsTold(app)).toEqual(['alert.fired', 'alert.recovered', 'alert.fired'])
})

test('what is past its threshold for a shorter time is never told', async () => {
  const app = await liveApp()
  for (let round = 0; round < 3; round++) {
    await pass(app, 200 + round * 6, 204 + round * 6, { memory: 95 })
    await pass(app, 205 + round * 6, 205 + round * 6, { memory: 50 })
  }
  expect(await told(app)).toEqual([])
})

test('numbers that are missing are no recovery, and no reason to fire', async () => {
  const app = await liveApp()
  await pass(app, 300, 302, { memory: 95 })
  await pass(app, 303, 320, null)
  expect(await told(app)).toEqual([])
  // What was not known does not count as time in which it was so.
  await pass(app, 321, 325, { memory: 95 })
  expect(await told(app)).toEqual([])
  await pass(app, 326, 326, { memory: 95 })
  expect(await kindsTold(app)).toEqual(['alert.fired'])
  await pass(app, 327, 360, null)
  expect(await ruleOf(app, 'memory', 360)).toMatchObject({ state: 'firing', value: null })
  await pass(app, 361, 366, { memory: 10 })
  expect(await kindsTold(app)).toEqual(['alert.fired', 'alert.recovered'])
})

test('a worker that is restarted neither repeats nor forgets, and its channels hear it once', async () => {
  const app = await liveApp()
  const { id: channelId } = await createChannel(platform, operator, team.id, {
    ...{ kind: 'webhook', name: 'Ops', url: 'https://ops.example.com/hook', appIds: [app.id] },
    events: ['alert'],
  })
  await pass(app, 400, 403, { memory: 95 })
  const next = await openPlatform(platform.config, { part: 'test' })
  onTestFinished(() => next.close())
  await pass(app, 404, 408, { memory: 95 }, next)
  expect(await kindsTold(app)).toEqual(['alert.fired'])
  await pass(app, 409, 412, { memory: 95 })
  await pass(app, 413, 420, { memory: 10 }, next)
  expect(await kindsTold(app)).toEqual(['alert.fired', 'alert.recovered'])
  const deliveries = await platform.db.notificationDelivery.findMany({ where: { channelId } })
  expect(deliveries.map(({ kind }) => kind).sort()).toEqual(['alert.fired', 'alert.recovered'])
})

test('of two workers one judges; when it is gone the other does; and both at once tell once', async () => {
  const app = await liveApp()
  const other = await otherWorker()
  await pass(app, 500, 504, { memory: 95 })
  await use(app, 505, { memory: 95 })
  await evaluateAlerts(other, new Date(at(504).getTime() + 20_000))
  expect((await platform.db.installation.findFirstOrThrow()).alertHost).toBe(platform.config.hostId)
  // Nobody renewed the turn: the other one takes it, though the first still thinks that it has it.
  await Promise.all([
    evaluateAlerts(other, at(505)),
    ...[judgeAll(platform, at(505)), judgeAll(other, at(505)), judgeAll(platform, at(505))],
  ])
  expect((await platform.db.installation.findFirstOrThrow()).alertHost).toBe(other.config.hostId)
  expect(await kindsTold(app)).toEqual(['alert.fired'])
  await evaluateAlerts(platform, at(505))
  expect((await platform.db.installation.findFirstOrThrow()).alertHost).toBe(other.config.hostId)
})

test('a rule that is switched off while it fires ends its alert at once, and is silent until it is on again', async () => {
  const app = await liveApp()
  await pass(app, 600, 605, { memory: 95 })
  expect(await set(app, 'memory', { isEnabled: false }, 606)).toMatchObject({
    ...{ isEnabled: false, isDefault: false, state: 'off', since: null },
  })
  expect((await told(app)).at(-1)).toMatchObject({ kind: 'alert.recovered', ending: 'switched-off' })
  await pass(app, 607, 615, { memory: 95 })
  expect(await kindsTold(app)).toEqual(['alert.fired', 'alert.recovered'])
  expect(await resetAppAlertRule(platform, operator, { id: app.id, rule: 'memory' })).toMatchObject({
    ...{ isEnabled: true, isDefault: true },
  })
  expect(await platform.db.alertRule.count({ where: { appId: app.id } })).toBe(0)
  await pass(app, 616, 621, { memory: 95 })
  expect((await kindsTold(app)).at(-1)).toBe('alert.fired')
})

test('an app that is stopped has no alerts, and one that is being deployed none about processors', async () => {
  const app = await liveApp()
  await set(app, 'cpu', { forSeconds: 60 })
  await pass(app, 700, 702, { cpu: 99, memory: 95 })
  expect(await kindsTold(app)).toEqual(['alert.fired'])
  await stopApp(platform, operator, app.id)
  await pass(app, 703, 703, { cpu: 99, memory: 95 })
  expect((await told(app)).at(-1)).toMatchObject({ rule: 'cpu', ending: 'app-stopped' })
  await pass(app, 704, 710, { cpu: 99, memory: 95 })
  expect(await told(app)).toHaveLength(2)
  await startApp(platform, operator, app.id)
  const { id } = await createDeployment(platform, operator, app.id)
  await setDeploymentStatus(platform, id, 'pulling')
  await setDeploymentStatus(platform, id, 'starting')
  await pass(app, 711, 715, { cpu: 99, memory: 50 })
  expect(await told(app)).toHaveLength(2)
  await setDeploymentStatus(platform, id, 'canceled')
  await pass(app, 716, 718, { cpu: 99, memory: 50 })
  expect((await told(app)).at(-1)).toMatchObject({ kind: 'alert.fired', rule: 'cpu' })
})

test('restarts are counted within the time of the rule, those of the live deployment, also the ones that a timeline leaves out', async () => {
  const app = await liveApp()
  const restarted = (restarts: number, minutes: number, deploymentId = app.deploymentId) =>
    emitAppEvent(
      platform,
      app.id,
      {
        ...{ kind: 'container.restarted', containerId: `c-${deploymentId}`, deploymentId },
        ...{ process: 'web', replica: 1, restarts },
      },
      { at: at(minutes) },
    )
  for (const restarts of [1, 2, 3, 4]) await restarted(restarts, 801, 'dep_of_before')
  await restarted(1, 802)
  await restarted(2, 803)
  await evaluateAlerts(platform, at(804))
  expect(await told(app)).toEqual([])
  await restarted(5, 805)
  await evaluateAlerts(platform, at(806))
  expect(await told(app)).toEqual([
    {
      ...{ kind: 'alert.fired', rule: 'restarts', threshold: 3, forSeconds: 600, value: 5 },
      about: { process: 'web', replica: 1 },
    },
  ])
  await restarted(10, 814)
  await evaluateAlerts(platform, at(814))
  // 5 were told before these ten minutes: only the five since then count.
  expect((await ruleOf(app, 'restarts', 815.5)).value).toBe(5)
  for (let minutes = 815; minutes <= 830; minutes++) await evaluateAlerts(platform, at(minutes))
  expect(await kindsTold(app)).toEqual(['alert.fired', 'alert.recovered'])
})

/** So many answers in that minute, with this latency; `failed` of them a 5xx. */
async function visit(app: App, minutes: number, requests: number, failed: number, latencyMs = 20) {
  const counts: number[] = Array(edgeCounts.length).fill(0)
  counts[edgeCounts.indexOf('requests')] = requests
  counts[edgeCounts.indexOf('status2xx')] = requests - failed
  counts[edgeCounts.indexOf('status5xx')] = failed
  addCounts(counts, [...Array<number>(latencyPlace(latencyMs)).fill(0), requests])
  await addEdgeUse(platform, platform.config.hostId, [
    { appId: app.id, domain: 'shop.example', at: at(minutes).getTime(), counts, openPeak: 1 },
  ])
  await evaluateAlerts(platform, at(minutes))
}

test('answers that fail are counted together for the time of the rule; few of them, or none, fire and end nothing', async () => {
  const app = await liveApp()
  const quiet = await liveApp()
  await visit(quiet, 1_300, 10, 10)
  for (let minutes = 1_300; minutes < 1_305; minutes++) await visit(app, minutes, 100, 5)
  // Exactly five of a hundred is not more.
  expect(await told(app)).toEqual([])
  await visit(app, 1_305, 100, 8)
  expect(await told(app)).toEqual([
    { kind: 'alert.fired', rule: 'errors', threshold: 5, forSeconds: 300, value: 5.6, about: null },
  ])
  expect(await told(quiet)).toEqual([])
  for (let minutes = 1_306; minutes < 1_340; minutes++) await evaluateAlerts(platform, at(minutes))
  expect(await ruleOf(app, 'errors', 1_340)).toMatchObject({ state: 'firing', value: null })
  for (let minutes = 1_340; minutes <= 1_346; minutes++) await visit(app, minutes, 2, 0)
  expect(await kindsTold(app)).toEqual(['alert.fired', 'alert.recovered'])
})

test('slow answers are told of by the latency that 95 of 100 keep to', async () => {
  const app = await liveApp()
  for (let minutes = 1_400; minutes < 1_405; minutes++) await visit(app, minutes, 30, 0, 50)
  await visit(app, 1_405, 5, 0, 8_000)
  expect(await told(app)).toEqual([])
  await visit(app, 1_406, 20, 0, 8_000)
  const [event] = await told(app)
  expect(event).toMatchObject({ kind: 'alert.fired', rule: 'latency', threshold: 3_000, forSeconds: 600 })
  expect(event && 'value' in event ? event.value : 0).toBeGreaterThan(6_300)
  for (let minutes = 1_407; minutes <= 1_425; minutes++) await visit(app, minutes, 60, 0, 50)
  expect(await kindsTold(app)).toEqual(['alert.fired', 'alert.recovered'])
})

test('the fullest volume is judged, and no volume is nothing to judge', async () => {
  const app = await liveApp()
  const { hostId } = await platform.db.app.findUniqueOrThrow({ where: { id: app.id } })
  const volume = (name: string, usedBytes: number) =>
    platform.db.volume.create({
      data: {
        ...{ id: newId('volume'), teamId: team.id, appId: app.id, appName: app.name, name },
        ...{ hostId: hostId ?? '', mountPath: `/${name}`, sizeBytes: 1_000, usedBytes, isMade: true },
      },
    })
  await volume('cache', 300)
  const { id } = await volume('data', 910)
  const round = async (from: number, to: number) => {
    for (let minutes = from; minutes <= to; minutes++) {
      await platform.db.host.updateMany({ data: { lastSeenAt: at(minutes) } })
      await evaluateAlerts(platform, at(minutes))
    }
  }
  await round(900, 905)
  expect(await told(app)).toMatchObject([{ rule: 'disk', value: 91, about: { volume: 'data' } }])
  // A host that does not report says nothing of its volumes.
  await platform.db.volume.update({ where: { id }, data: { usedBytes: 1 } })
  for (let minutes = 910; minutes < 930; minutes++) await evaluateAlerts(platform, at(minutes))
  expect(await kindsTold(app)).toEqual(['alert.fired'])
  await platform.db.volume.deleteMany({ where: { appId: app.id } })
  await round(930, 930)
  expect((await told(app)).at(-1)).toMatchObject({ kind: 'alert.recovered', ending: 'nothing-left' })
})

test('a certificate is told of a week before it ends, and a short-lived one not before it should have been renewed', async () => {
  const app = await liveApp()
  const day = 1_440
  const certify = async (name: string, source: string, from: number, to: number) => {
    const domain = { id: newId('domain'), appId: app.id, name, route: `${name}/`, verifiedAt: at(0) }
    await platform.db.domain.create({ data: domain })
    await platform.db.certificate.create({
      data: {
        ...{ id: newId('certificate'), teamId: team.id, name, source, status: 'active', fingerprint: name },
        ...{ notBefore: at(from * day), expiresAt: at(to * day) },
      },
    })
  }
  await certify('short.example.org', 'acme', 0, 6)
  await certify('own.example.org', 'internal', 0, 1)
  await certify('shop.example.org', 'acme', -80, 10)
  await evaluateAlerts(platform, at(2.9 * day))
  expect(await told(app)).toEqual([])
  await evaluateAlerts(platform, at(3.5 * day))
  expect(await told(app)).toEqual([
    {
      ...{ kind: 'alert.fired', rule: 'certificate', threshold: 7, forSeconds: null, value: 6.5 },
      about: { hostname: 'shop.example.org' },
    },
  ])
  const renewed = { notBefore: at(3.6 * day), expiresAt: at(93 * day) }
  await platform.db.certificate.update({ where: { name: 'shop.example.org' }, data: renewed })
  await evaluateAlerts(platform, at(3.7 * day))
  expect(await kindsTold(app)).toEqual(['alert.fired', 'alert.recovered'])
  await evaluateAlerts(platform, at(4.6 * day))
  expect((await told(app)).at(-1)).toMatchObject({
    kind: 'alert.fired',
    about: { hostname: 'short.example.org' },
  })
})

test('a host that is full or silent is told to the administrators, in the log and by e-mail, once', async () => {
  const base = 20_000
  const [busy, silent] = [newId('host'), newId('host')]
  for (const [id, name] of [
    [busy, 'busy'],
    [silent, 'silent'],
  ] as const)
    await registerHost(platform, { id, name, facts: {} })
  await platform.db.host.updateMany({ data: { lastSeenAt: at(base + 1_000) } })
  await platform.db.host.update({ where: { id: silent }, data: { lastSeenAt: at(base) } })
  // What other tests left of other hosts is over before there is e-mail.
  for (const minutes of [5, 3]) await evaluateAlerts(platform, at(base - minutes))
  const admin = await berth.makeUser()
  await platform.db.user.update({ where: { id: admin.id }, data: { isAdmin: true, locale: 'zh-CN' } })
  await changeMail(platform, operator, {
    ...{ host: 'mail.example.com', port: 25, security: 'none', user: '', password: '' },
    ...{ from: 'berth@example.com' },
  })
  const numbers: Record<string, number> = {
    cpuLimitMillis: 100,
    memoryLimitBytes: 100,
    diskBytes: 92,
    diskLimitBytes: 100,
  }
  const values = hostMetrics.map((metric) => numbers[metric] ?? 1)
  const none = { appId: null, process: null, replica: null }
  for (let minutes = 0; minutes <= 6; minutes++) {
    await recordMetrics(platform, at(base + minutes), [{ subject: busy, hostId: busy, ...none, values }])
    await evaluateAlerts(platform, at(base + minutes))
    await evaluateAlerts(platform, at(base + minutes))
  }
  await platform.db.host.update({ where: { id: silent }, data: { lastSeenAt: at(base + 8) } })
  for (let minutes = 7; minutes <= 9; minutes++) await evaluateAlerts(platform, at(base + minutes))
  const log = await platform.db.auditEvent.findMany({
    where: { action: { startsWith: 'host.alert' }, targetId: { in: [busy, silent] } },
    orderBy: { id: 'asc' },
  })
  expect(log.map(({ action, targetName, actor, teamId }) => [action, targetName, actor, teamId])).toEqual([
    ['host.alert-fired', 'silent', 'system', null],
    ['host.alert-fired', 'busy', 'system', null],
    ['host.alert-recovered', 'silent', 'system', null],
  ])
  expect(log[1]?.detail).toMatchObject({ rule: 'disk', threshold: 85, value: 92 })
  const letters = await platform.db.mail.findMany({ where: { kind: 'host-alert' } })
  expect(letters.map(({ recipient }) => recipient)).toEqual([admin.email, admin.email, admin.email])
  const rules = await listHostAlertRules(platform, admin.viewer, busy, at(base + 6))
  expect(rules.map(({ rule, state }) => [rule, state])).toEqual(
    hostAlertRules.map((rule) => [rule, rule === 'disk' ? 'firing' : 'ok']),
  )
  expect(await listHostAlerts(platform, admin.viewer, busy)).toMatchObject([
    { rule: 'disk', state: 'firing', host: { id: busy, name: 'busy' }, app: null },
  ])
  await setHostAlertRule(
    platform,
    admin.viewer,
    { id: busy, rule: 'disk' },
    { isEnabled: false },
    at(base + 10),
  )
  const last = await platform.db.auditEvent.findFirst({
    where: { action: 'host.alert-recovered', targetId: busy },
  })
  expect(last?.detail).toMatchObject({ ending: 'switched-off' })
})

test('what fires and what is about to is listed, of apps that the caller may see', async () => {
  const own = await berth.makeTeam('Listed')
  const app = await liveApp(own.id)
  await set(app, 'cpu', { threshold: 40 })
  await pass(app, 1_200, 1_206, { cpu: 50, memory: 95 })
  const of = { id: app.id, name: app.name, slug: app.slug, projectId: app.projectId }
  const expected = [
    {
      ...{ rule: 'memory', state: 'firing', since: at(1_205).toISOString(), threshold: 90, value: 95 },
      ...{ forSeconds: 300, seenAt: at(1_206).toISOString(), app: of, host: null },
    },
    { rule: 'cpu', state: 'pending', since: at(1_200).toISOString(), threshold: 40, value: 50, app: of },
  ]
  const viewer = await berth.makeUser({ teamId: own.id, role: 'viewer' })
  expect(await listAppAlerts(platform, viewer.viewer, app.id)).toMatchObject(expected)
  expect(await listTeamAlerts(platform, viewer.viewer, own.id)).toMatchObject(expected)
  await platform.db.projectAccess.create({
    data: { projectId: app.projectId, userId: viewer.id, role: null },
  })
  expect(await listTeamAlerts(platform, viewer.viewer, own.id)).toEqual([])
  const stranger = await berth.makeUser()
  const code = { code: 'not-found' }
  await expect(listAppAlerts(platform, stranger.viewer, app.id)).rejects.toMatchObject(code)
  await expect(listTeamAlerts(platform, stranger.viewer, own.id)).rejects.toMatchObject(code)
  await expect(listHostAlerts(platform, viewer.viewer, platform.config.hostId)).rejects.toMatchObject({
    code: 'forbidden',
  })
})

test('who is of another team sees nothing; a viewer reads, and only who may change the app changes its rules', async () => {
  const app = await liveApp()
  const viewer = await berth.makeUser({ teamId: team.id, role: 'viewer' })
  const developer = await berth.makeUser({ teamId: team.id, role: 'developer' })
  const stranger = await berth.makeUser()
  const of = { id: app.id, rule: 'cpu' }
  expect(await listAppAlertRules(platform, viewer.viewer, app.id)).toHaveLength(appAlertRules.length)
  await expect(setAppAlertRule(platform, viewer.viewer, of, {})).rejects.toMatchObject({ code: 'forbidden' })
  const code = { code: 'not-found' }
  await expect(listAppAlertRules(platform, stranger.viewer, app.id)).rejects.toMatchObject(code)
  await expect(setAppAlertRule(platform, stranger.viewer, of, {})).rejects.toMatchObject(code)
  await setAppAlertRule(platform, developer.viewer, of, { threshold: 50 })
  const entry = await platform.db.auditEvent.findFirst({ where: { action: 'alert.write', targetId: app.id } })
  expect(entry?.changes).toEqual([{ field: 'cpu.threshold', before: 90, after: 50 }])
  const { hostId } = platform.config
  const host = { id: hostId, rule: 'cpu' }
  const refused = { code: 'forbidden' }
  await expect(listHostAlertRules(platform, developer.viewer, hostId)).rejects.toMatchObject(refused)
  await expect(setHostAlertRule(platform, developer.viewer, host, {})).rejects.toMatchObject(refused)
})

test.each([
  ['cpu', { threshold: 0 }, 'threshold'],
  ['cpu', { threshold: 101 }, 'threshold'],
  ['cpu', { threshold: 50.5 }, 'threshold'],
  ['cpu', { threshold: '50' }, 'threshold'],
  ['memory', { forSeconds: 59 }, 'forSeconds'],
  ['memory', { forSeconds: 86_401 }, 'forSeconds'],
  ['memory', { forSeconds: null }, 'forSeconds'],
  ['restarts', { threshold: 1_001 }, 'threshold'],
  ['errors', { forSeconds: 7_201 }, 'forSeconds'],
  ['latency', { threshold: 600_001 }, 'threshold'],
  ['certificate', { threshold: 91 }, 'threshold'],
  ['certificate', { forSeconds: 300 }, 'forSeconds'],
  ['disk', { isEnabled: 'yes' }, 'isEnabled'],
  ['disk', { other: 1 }, 'other'],
])('what is wrong is said at its field (%s %j)', async (rule, input, path) => {
  const app = await berth.makeApp(team.id)
  await expect(set(app, rule, input)).rejects.toMatchObject({ code: 'invalid', fields: [{ path }] })
})

test('a rule that there is not is not found', async () => {
  const app = await berth.makeApp(team.id)
  for (const rule of ['silent', 'nonsense', 'constructor'])
    await expect(set(app, rule, {})).rejects.toMatchObject({ code: 'not-found' })
})
