/** What each rule of an alert is judged by. */
import { expect, test } from 'vitest'
import { listHostAlerts } from '../../platform/alerts/current.ts'
import { evaluateAlerts, judgeAll } from '../../platform/alerts/evaluate.ts'
import { listHostAlertRules, setHostAlertRule } from '../../platform/alerts/rules.ts'
import { changeMail } from '../../platform/mail/settings.ts'
import { hostAlertRules } from '../../platform/model/alerts.ts'
import { addCounts, edgeCounts, latencyPlace } from '../../platform/model/edge-use.ts'
import { newId } from '../../platform/model/ids.ts'
import { hostMetrics } from '../../platform/model/metrics.ts'
import type { App } from '../../platform/model/resources.ts'
import { emitAppEvent } from '../../platform/timeline.ts'
import { addEdgeUse } from '../../platform/worker/edge-use.ts'
import { registerHost } from '../../platform/worker/hosts.ts'
import { recordMetrics } from '../../platform/worker/metrics.ts'
import { alertStandForAll, at } from '../support/alerts.ts'
import { operator } from '../support/platform.ts'

const stand = alertStandForAll()
const { liveApp, told, kindsTold, ruleOf } = stand

test('restarts are counted within the time of the rule, those of the live deployment, also the ones that a timeline leaves out', async () => {
  const app = await liveApp()
  const restarted = (restarts: number, minutes: number, deploymentId = app.deploymentId) =>
    emitAppEvent(
      stand.platform,
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
  await evaluateAlerts(stand.platform, at(804))
  expect(await told(app)).toEqual([])
  await restarted(5, 805)
  await evaluateAlerts(stand.platform, at(806))
  expect(await told(app)).toEqual([
    {
      ...{ kind: 'alert.fired', rule: 'restarts', threshold: 3, forSeconds: 600, value: 5 },
      about: { process: 'web', replica: 1 },
    },
  ])
  await restarted(10, 814)
  await evaluateAlerts(stand.platform, at(814))
  // 5 were told before these ten minutes: only the five since then count.
  expect((await ruleOf(app, 'restarts', 815.5)).value).toBe(5)
  for (let minutes = 815; minutes <= 830; minutes++) await evaluateAlerts(stand.platform, at(minutes))
  expect(await kindsTold(app)).toEqual(['alert.fired', 'alert.recovered'])
})

/** So many answers in that minute, with this latency; `failed` of them a 5xx. */
async function visit(app: App, minutes: number, requests: number, failed: number, latencyMs = 20) {
  const counts: number[] = Array(edgeCounts.length).fill(0)
  counts[edgeCounts.indexOf('requests')] = requests
  counts[edgeCounts.indexOf('status2xx')] = requests - failed
  counts[edgeCounts.indexOf('status5xx')] = failed
  addCounts(counts, [...Array<number>(latencyPlace(latencyMs)).fill(0), requests])
  await addEdgeUse(stand.platform, stand.platform.config.hostId, [
    { appId: app.id, domain: 'shop.example', at: at(minutes).getTime(), counts, openPeak: 1 },
  ])
  await evaluateAlerts(stand.platform, at(minutes))
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
  for (let minutes = 1_306; minutes < 1_340; minutes++) await evaluateAlerts(stand.platform, at(minutes))
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
  const { hostId } = await stand.platform.db.app.findUniqueOrThrow({ where: { id: app.id } })
  const volume = (name: string, usedBytes: number) =>
    stand.platform.db.volume.create({
      data: {
        ...{ id: newId('volume'), teamId: stand.team.id, appId: app.id, appName: app.name, name },
        ...{ hostId: hostId ?? '', mountPath: `/${name}`, sizeBytes: 1_000, usedBytes, isMade: true },
      },
    })
  await volume('cache', 300)
  const { id } = await volume('data', 910)
  const round = async (from: number, to: number) => {
    for (let minutes = from; minutes <= to; minutes++) {
      await stand.platform.db.host.updateMany({ data: { lastSeenAt: at(minutes) } })
      await evaluateAlerts(stand.platform, at(minutes))
    }
  }
  await round(900, 905)
  expect(await told(app)).toMatchObject([{ rule: 'disk', value: 91, about: { volume: 'data' } }])
  // A host that does not report says nothing of its volumes.
  await stand.platform.db.volume.update({ where: { id }, data: { usedBytes: 1 } })
  for (let minutes = 910; minutes < 930; minutes++) await evaluateAlerts(stand.platform, at(minutes))
  expect(await kindsTold(app)).toEqual(['alert.fired'])
  await stand.platform.db.volume.deleteMany({ where: { appId: app.id } })
  await round(930, 930)
  expect((await told(app)).at(-1)).toMatchObject({ kind: 'alert.recovered', ending: 'nothing-left' })
})

test('a certificate is told of a week before it ends, and a short-lived one not before it should have been renewed', async () => {
  const app = await liveApp()
  const day = 1_440
  const certify = async (name: string, source: string, from: number, to: number) => {
    const domain = { id: newId('domain'), appId: app.id, name, route: `${name}/`, verifiedAt: at(0) }
    await stand.platform.db.domain.create({ data: domain })
    await stand.platform.db.certificate.create({
      data: {
        ...{
          id: newId('certificate'),
          teamId: stand.team.id,
          name,
          source,
          status: 'active',
          fingerprint: name,
        },
        ...{ notBefore: at(from * day), expiresAt: at(to * day) },
      },
    })
  }
  await certify('short.example.org', 'acme', 0, 6)
  await certify('own.example.org', 'internal', 0, 1)
  await certify('shop.example.org', 'acme', -80, 10)
  await evaluateAlerts(stand.platform, at(2.9 * day))
  expect(await told(app)).toEqual([])
  await evaluateAlerts(stand.platform, at(3.5 * day))
  expect(await told(app)).toEqual([
    {
      ...{ kind: 'alert.fired', rule: 'certificate', threshold: 7, forSeconds: null, value: 6.5 },
      about: { hostname: 'shop.example.org' },
    },
  ])
  const renewed = { notBefore: at(3.6 * day), expiresAt: at(93 * day) }
  await stand.platform.db.certificate.update({ where: { name: 'shop.example.org' }, data: renewed })
  await evaluateAlerts(stand.platform, at(3.7 * day))
  expect(await kindsTold(app)).toEqual(['alert.fired', 'alert.recovered'])
  await evaluateAlerts(stand.platform, at(4.6 * day))
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
    await registerHost(stand.platform, { id, name, facts: {} })
  await stand.platform.db.host.updateMany({ data: { lastSeenAt: at(base + 1_000) } })
  await stand.platform.db.host.update({ where: { id: silent }, data: { lastSeenAt: at(base) } })
  // What other tests left of other hosts is over before there is e-mail.
  for (const minutes of [5, 3]) await evaluateAlerts(stand.platform, at(base - minutes))
  const admin = await stand.berth.makeUser()
  await stand.platform.db.user.update({ where: { id: admin.id }, data: { isAdmin: true, locale: 'zh-CN' } })
  const left = await stand.berth.makeUser()
  await stand.platform.db.user.update({
    where: { id: left.id },
    data: { isAdmin: true, disabledAt: at(0) },
  })
  await changeMail(stand.platform, operator, {
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
    await recordMetrics(stand.platform, at(base + minutes), [
      { subject: busy, hostId: busy, ...none, values },
    ])
    // By several at once as by one.
    await Promise.all([1, 2, 3].map(() => judgeAll(stand.platform, at(base + minutes))))
    await evaluateAlerts(stand.platform, at(base + minutes))
  }
  await stand.platform.db.host.update({ where: { id: silent }, data: { lastSeenAt: at(base + 8) } })
  for (let minutes = 7; minutes <= 9; minutes++) await evaluateAlerts(stand.platform, at(base + minutes))
  const log = await stand.platform.db.auditEvent.findMany({
    where: { action: { startsWith: 'host.alert' }, targetId: { in: [busy, silent] } },
    orderBy: { id: 'asc' },
  })
  expect(log.map(({ action, targetName, actor, teamId }) => [action, targetName, actor, teamId])).toEqual([
    ['host.alert-fired', 'silent', 'system', null],
    ['host.alert-fired', 'busy', 'system', null],
    ['host.alert-recovered', 'silent', 'system', null],
  ])
  // Silent for more than two minutes, and for one more: whoever judges may have begun before it.
  expect(log[0]?.detail).toMatchObject({ rule: 'silent', threshold: 2, value: 4 })
  expect(log[1]?.detail).toMatchObject({ rule: 'disk', threshold: 85, value: 92 })
  const letters = await stand.platform.db.mail.findMany({ where: { kind: 'host-alert' } })
  expect(letters.map(({ recipient }) => recipient)).toEqual([admin.email, admin.email, admin.email])
  const rules = await listHostAlertRules(stand.platform, admin.viewer, busy, at(base + 6))
  expect(rules.map(({ rule, state }) => [rule, state])).toEqual(
    hostAlertRules.map((rule) => [rule, rule === 'disk' ? 'firing' : 'ok']),
  )
  expect(await listHostAlerts(stand.platform, admin.viewer, busy)).toMatchObject([
    { rule: 'disk', state: 'firing', host: { id: busy, name: 'busy' }, app: null },
  ])
  await setHostAlertRule(
    stand.platform,
    admin.viewer,
    { id: busy, rule: 'disk' },
    { isEnabled: false },
    at(base + 10),
  )
  const last = await stand.platform.db.auditEvent.findFirst({
    where: { action: 'host.alert-recovered', targetId: busy },
  })
  expect(last?.detail).toMatchObject({ ending: 'switched-off' })
})
