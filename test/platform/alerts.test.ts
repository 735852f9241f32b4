import { expect, onTestFinished, test } from 'vitest'
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
import { appAlertRules } from '../../platform/model/alerts.ts'
import { newId } from '../../platform/model/ids.ts'
import { createChannel } from '../../platform/notifications/channels.ts'
import { openPlatform, type Platform } from '../../platform/open.ts'
import { setDeploymentStatus } from '../../platform/worker/deployment-status.ts'
import { alertStandForAll, at, minute } from '../support/alerts.ts'
import { operator } from '../support/platform.ts'

const stand = alertStandForAll()
const { liveApp, use, pass, told, kindsTold, ruleOf, set } = stand

/** Another worker, of another host. */
async function otherWorker(): Promise<Platform> {
  const other = await openPlatform({ ...stand.platform.config, hostId: newId('host') }, { part: 'test' })
  onTestFinished(() => other.close())
  return other
}

test('an app that never heard of alerts has all rules, on, and nothing is stored for them', async () => {
  const app = await liveApp()
  const rules = await listAppAlertRules(stand.platform, operator, app.id)
  expect(rules.map(({ rule }) => rule)).toEqual([...appAlertRules])
  for (const rule of rules)
    expect(rule).toMatchObject({ isEnabled: true, isDefault: true, state: 'ok', lastFiredAt: null })
  // As docs/alerts.md says.
  expect(rules.map(({ rule, threshold, forSeconds }) => [rule, threshold, forSeconds])).toEqual([
    ['cpu', 90, 900],
    ['memory', 90, 300],
    ['disk', 85, 300],
    ['restarts', 3, 600],
    ['errors', 5, 300],
    ['latency', 3_000, 600],
    ['certificate', 7, null],
  ])
  await pass(app, 0, 1, { cpu: 10, memory: 20 })
  expect(await stand.platform.db.alertRule.count({ where: { appId: app.id } })).toBe(0)
  expect(await stand.platform.db.alert.count({ where: { appId: app.id } })).toBe(0)
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
  // Nor as time in which it was well.
  await pass(app, 361, 363, { memory: 10 })
  await pass(app, 364, 370, null)
  await pass(app, 371, 375, { memory: 10 })
  expect(await kindsTold(app)).toEqual(['alert.fired'])
  await pass(app, 376, 376, { memory: 10 })
  expect(await kindsTold(app)).toEqual(['alert.fired', 'alert.recovered'])
})

test('a worker that is restarted neither repeats nor forgets, and its channels hear it once', async () => {
  const app = await liveApp()
  const { id: channelId } = await createChannel(stand.platform, operator, stand.team.id, {
    ...{ kind: 'webhook', name: 'Ops', url: 'https://ops.example.com/hook', appIds: [app.id] },
    events: ['alert'],
  })
  await pass(app, 400, 403, { memory: 95 })
  const next = await openPlatform(stand.platform.config, { part: 'test' })
  onTestFinished(() => next.close())
  await pass(app, 404, 408, { memory: 95 }, next)
  expect(await kindsTold(app)).toEqual(['alert.fired'])
  await pass(app, 409, 412, { memory: 95 })
  await pass(app, 413, 420, { memory: 10 }, next)
  expect(await kindsTold(app)).toEqual(['alert.fired', 'alert.recovered'])
  const deliveries = await stand.platform.db.notificationDelivery.findMany({ where: { channelId } })
  expect(deliveries.map(({ kind }) => kind).sort()).toEqual(['alert.fired', 'alert.recovered'])
})

test('of two workers one judges; when it is gone the other does; and both at once tell once', async () => {
  const app = await liveApp()
  const other = await otherWorker()
  await pass(app, 500, 504, { memory: 95 })
  await use(app, 505, { memory: 95 })
  await evaluateAlerts(other, new Date(at(504).getTime() + 20_000))
  expect((await stand.platform.db.installation.findFirstOrThrow()).alertHost).toBe(
    stand.platform.config.hostId,
  )
  const { seenAt } = await stand.platform.db.alert.findFirstOrThrow({
    where: { appId: app.id, rule: 'memory' },
  })
  expect(seenAt).toEqual(at(504))
  // Nobody renewed the turn: the other one takes it, though the first still thinks that it has it.
  await Promise.all([
    evaluateAlerts(other, at(505)),
    ...[judgeAll(stand.platform, at(505)), judgeAll(other, at(505)), judgeAll(stand.platform, at(505))],
  ])
  expect((await stand.platform.db.installation.findFirstOrThrow()).alertHost).toBe(other.config.hostId)
  expect(await kindsTold(app)).toEqual(['alert.fired'])
  await evaluateAlerts(stand.platform, at(505))
  expect((await stand.platform.db.installation.findFirstOrThrow()).alertHost).toBe(other.config.hostId)
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
  expect(await resetAppAlertRule(stand.platform, operator, { id: app.id, rule: 'memory' })).toMatchObject({
    ...{ isEnabled: true, isDefault: true },
  })
  expect(await stand.platform.db.alertRule.count({ where: { appId: app.id } })).toBe(0)
  await pass(app, 616, 621, { memory: 95 })
  expect((await kindsTold(app)).at(-1)).toBe('alert.fired')
})

test('an app that is stopped has no alerts, and one that is being deployed none about processors', async () => {
  const app = await liveApp()
  await set(app, 'cpu', { forSeconds: 60 })
  await pass(app, 700, 702, { cpu: 99, memory: 95 })
  expect(await kindsTold(app)).toEqual(['alert.fired'])
  await stopApp(stand.platform, operator, app.id)
  await pass(app, 703, 703, { cpu: 99, memory: 95 })
  expect((await told(app)).at(-1)).toMatchObject({ rule: 'cpu', ending: 'app-stopped' })
  await pass(app, 704, 710, { cpu: 99, memory: 95 })
  expect(await told(app)).toHaveLength(2)
  await startApp(stand.platform, operator, app.id)
  const { id } = await createDeployment(stand.platform, operator, app.id)
  await setDeploymentStatus(stand.platform, id, 'pulling')
  await setDeploymentStatus(stand.platform, id, 'starting')
  await pass(app, 711, 715, { cpu: 99, memory: 50 })
  expect(await told(app)).toHaveLength(2)
  await setDeploymentStatus(stand.platform, id, 'canceled')
  await pass(app, 716, 718, { cpu: 99, memory: 50 })
  expect((await told(app)).at(-1)).toMatchObject({ kind: 'alert.fired', rule: 'cpu' })
})

test('what fires and what is about to is listed, of apps that the caller may see', async () => {
  const own = await stand.berth.makeTeam('Listed')
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
  const viewer = await stand.berth.makeUser({ teamId: own.id, role: 'viewer' })
  expect(await listAppAlerts(stand.platform, viewer.viewer, app.id)).toMatchObject(expected)
  expect(await listTeamAlerts(stand.platform, viewer.viewer, own.id)).toMatchObject(expected)
  await stand.platform.db.projectAccess.create({
    data: { projectId: app.projectId, userId: viewer.id, role: null },
  })
  expect(await listTeamAlerts(stand.platform, viewer.viewer, own.id)).toEqual([])
  const stranger = await stand.berth.makeUser()
  const code = { code: 'not-found' }
  await expect(listAppAlerts(stand.platform, stranger.viewer, app.id)).rejects.toMatchObject(code)
  await expect(listTeamAlerts(stand.platform, stranger.viewer, own.id)).rejects.toMatchObject(code)
  await expect(
    listHostAlerts(stand.platform, viewer.viewer, stand.platform.config.hostId),
  ).rejects.toMatchObject({
    code: 'forbidden',
  })
})

test('who is of another team sees nothing; a viewer reads, and only who may change the app changes its rules', async () => {
  const app = await liveApp()
  const viewer = await stand.berth.makeUser({ teamId: stand.team.id, role: 'viewer' })
  const developer = await stand.berth.makeUser({ teamId: stand.team.id, role: 'developer' })
  const stranger = await stand.berth.makeUser()
  const of = { id: app.id, rule: 'cpu' }
  expect(await listAppAlertRules(stand.platform, viewer.viewer, app.id)).toHaveLength(appAlertRules.length)
  await expect(setAppAlertRule(stand.platform, viewer.viewer, of, {})).rejects.toMatchObject({
    code: 'forbidden',
  })
  const code = { code: 'not-found' }
  await expect(listAppAlertRules(stand.platform, stranger.viewer, app.id)).rejects.toMatchObject(code)
  await expect(setAppAlertRule(stand.platform, stranger.viewer, of, {})).rejects.toMatchObject(code)
  await setAppAlertRule(stand.platform, developer.viewer, of, { threshold: 50 })
  const entry = await stand.platform.db.auditEvent.findFirst({
    where: { action: 'alert.write', targetId: app.id },
  })
  expect(entry?.changes).toEqual([{ field: 'cpu.threshold', before: 90, after: 50 }])
  const { hostId } = stand.platform.config
  const host = { id: hostId, rule: 'cpu' }
  const refused = { code: 'forbidden' }
  await expect(listHostAlertRules(stand.platform, developer.viewer, hostId)).rejects.toMatchObject(refused)
  await expect(setHostAlertRule(stand.platform, developer.viewer, host, {})).rejects.toMatchObject(refused)
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
  const app = await stand.berth.makeApp(stand.team.id)
  await expect(set(app, rule, input)).rejects.toMatchObject({ code: 'invalid', fields: [{ path }] })
})

test('a rule that there is not is not found', async () => {
  const app = await stand.berth.makeApp(stand.team.id)
  for (const rule of ['silent', 'nonsense', 'constructor'])
    await expect(set(app, rule, {})).rejects.toMatchObject({ code: 'not-found' })
})
