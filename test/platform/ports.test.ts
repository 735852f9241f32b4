import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { getApp, updateApp } from '../../platform/apps.ts'
import { listAudit } from '../../platform/audit-log.ts'
import { createDeployment, rollbackTo } from '../../platform/deployments.ts'
import { discardChanges } from '../../platform/discard-changes.ts'
import type { PublishPortInput } from '../../platform/model/ports.ts'
import type { App } from '../../platform/model/resources.ts'
import type { Platform } from '../../platform/open.ts'
import { pendingChanges } from '../../platform/pending-changes.ts'
import { changePort, listPorts, publishPort, removePort } from '../../platform/ports/ports.ts'
import { putProcess, removeProcess } from '../../platform/processes.ts'
import { changeQuota, getTeamUse } from '../../platform/team-use.ts'
import { markLive, setDeploymentStatus, setImageDigest } from '../../platform/worker/deployment-status.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'

let berth: TestPlatform
let platform: Platform
let teamId: string
let app: App
let other: App
let next = 20_000

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  platform = berth.platform
  teamId = (await berth.makeTeam('Acme')).id
})
afterAll(() => berth?.close())
beforeEach(async () => {
  app = await berth.makeApp(teamId, { name: 'Shop' })
  other = await berth.makeApp(teamId, { name: 'Blog' })
  next++
})

const publish = (to: App, input: Partial<PublishPortInput> = {}) =>
  publishPort(platform, operator, to.id, { containerPort: 5432, ...input })
const ports = async (of: App) => (await listPorts(platform, operator, of.id)).data
const atField = (code: string, path: string, message: RegExp) => ({
  code,
  fields: [{ path, message: expect.stringMatching(message) }],
})

/** As a worker would, without one. */
async function deployed(of: App): Promise<string> {
  const { id } = await createDeployment(platform, operator, of.id)
  await setImageDigest(platform, id, `sha256:${'a'.repeat(64)}`)
  for (const status of ['pulling', 'starting', 'checking', 'routing'] as const)
    await setDeploymentStatus(platform, id, status)
  await markLive(platform, id)
  return id
}

test('a port is chosen or asked for, waits for a deployment, and says where clients connect to', async () => {
  const chosen = await publish(app, { protocol: 'udp', sources: ['10.0.0.0/8'] })
  expect(chosen).toMatchObject({
    ...{ protocol: 'udp', process: 'web', containerPort: 5432, sources: ['10.0.0.0/8'], state: 'waiting' },
    ...{ name: `udp-${chosen.hostPort}`, address: `localhost:${chosen.hostPort}` },
  })
  expect(chosen.hostPort).toBeGreaterThanOrEqual(20_000)
  expect(chosen.hostPort).toBeLessThanOrEqual(29_999)
  const asked = await publish(app, { hostPort: next })
  expect(asked.name).toBe(`tcp-${next}`)
  await deployed(app)
  expect((await ports(app)).map(({ name, state }) => [name, state])).toEqual([
    [`tcp-${next}`, 'live'],
    [chosen.name, 'live'],
  ])
  await changePort(platform, operator, app.id, asked.name, { containerPort: 5433 })
  await removePort(platform, operator, app.id, chosen.name)
  expect((await ports(app)).map(({ containerPort, state }) => [containerPort, state])).toEqual([
    [5433, 'waiting'],
    [5432, 'going'],
  ])
  const { changes } = await pendingChanges(platform, operator, app.id)
  expect(changes.map(({ field, change }) => [field, change])).toEqual([
    [`settings.ports.${asked.name}.containerPort`, 'changed'],
    [`settings.ports.${chosen.name}`, 'removed'],
  ])
  await discardChanges(platform, operator, app.id, {})
  expect((await ports(app)).map(({ state }) => state)).toEqual(['live', 'live'])
  const { data } = await listAudit(platform, operator, { teamId })
  for (const action of ['port.publish', 'port.change', 'port.remove'])
    expect(data.map((entry) => entry.action)).toContain(action)
})

test.each([
  [{ hostPort: 80 }, 'invalid', 'hostPort', /^must be 20000–29999, the ports that this installation has/],
  [{ hostPort: 30_000 }, 'invalid', 'hostPort', /^must be 20000/],
  [{ hostPort: 70_000 }, 'invalid', 'hostPort', /must be 1–65535/],
  [{ containerPort: 0 }, 'invalid', 'containerPort', /must be 1–65535/],
  [{ protocol: 'sctp' as 'tcp' }, 'invalid', 'protocol', /must be tcp or udp/],
  [{ process: 'worker' }, 'invalid', 'process', /^must be web$/],
  [{ process: '__proto__' }, 'invalid', 'process', /^must be web$/],
  [{ sources: ['2001:db8::/32'] }, 'invalid', 'sources.0', /must be IPv4/],
  [{ sources: ['10.0.0.0/33'] }, 'invalid', 'sources.0', /must be an address or a network/],
])('%j is refused at the field', async (input, code, path, message) => {
  await expect(publish(app, input)).rejects.toMatchObject(atField(code, path, message))
  expect(await ports(app)).toEqual([])
})

test('a port that another app has, of any team, or Berth itself, is refused; the other protocol is another port', async () => {
  await publish(other, { hostPort: next })
  await expect(publish(app, { hostPort: next })).rejects.toMatchObject(
    atField('conflict', 'hostPort', /^is taken by the app Blog: choose another one/),
  )
  const stranger = await berth.makeApp((await berth.makeTeam()).id, { name: 'Secret' })
  const refused = publish(stranger, { hostPort: next })
  await expect(refused).rejects.toMatchObject(
    atField('conflict', 'hostPort', /^is taken by an app of another team/),
  )
  await expect(publish(other, { hostPort: next })).rejects.toMatchObject(
    atField('conflict', 'hostPort', /^leads to this app already/),
  )
  await publish(app, { hostPort: next, protocol: 'udp' })
  const mine = { ...platform, config: { ...platform.config, webPort: 20_999 } }
  await expect(
    publishPort(mine, operator, app.id, { containerPort: 1, hostPort: 20_999 }),
  ).rejects.toMatchObject(atField('conflict', 'hostPort', /^is used by Berth itself/))
  const none = { ...platform, config: { ...platform.config, publishedPorts: null } }
  await expect(publishPort(none, operator, app.id, { containerPort: 1 })).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringMatching(/BERTH_PORTS/),
  })
})

test('of many who ask for one port at once one gets it; where the range is used up, that is said', async () => {
  // Of four teams: those of one take turns anyway.
  const teams = await Promise.all(Array.from({ length: 4 }, () => berth.makeTeam()))
  const apps = await Promise.all(teams.map(({ id }) => berth.makeApp(id)))
  const results = await Promise.allSettled(apps.map((each) => publish(each, { hostPort: next })))
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  const range = { first: 28_000, last: 28_001 }
  const small = { ...platform, config: { ...platform.config, publishedPorts: range } }
  const one = () => publishPort(small, operator, app.id, { containerPort: 1 })
  expect([(await one()).hostPort, (await one()).hostPort].sort()).toEqual([28_000, 28_001])
  await expect(one()).rejects.toMatchObject(
    atField('conflict', 'hostPort', /no free one left in 28000–28001/),
  )
})

test('a port stays with the app for as long as something of it has it, and rollback to it is refused afterwards', async () => {
  const { name } = await publish(app, { hostPort: next })
  const before = await deployed(app)
  await removePort(platform, operator, app.id, name)
  // What is live still has it.
  await expect(publish(other, { hostPort: next })).rejects.toMatchObject({ code: 'conflict' })
  const waits = await createDeployment(platform, operator, app.id)
  await setDeploymentStatus(platform, waits.id, 'canceled')
  await deployed(app)
  await publish(other, { hostPort: next })
  await expect(rollbackTo(platform, operator, before)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(/^Port \d+\/tcp of the host is taken by the app Blog/),
  })
  await removePort(platform, operator, other.id, name)
  const back = await rollbackTo(platform, operator, before)
  // On its way it has it again.
  await expect(publish(other, { hostPort: next })).rejects.toMatchObject({ code: 'conflict' })
  await setDeploymentStatus(platform, back.id, 'canceled')
})

test('a process that a port leads to is not removed before it', async () => {
  await putProcess(platform, operator, app.id, 'relay', { command: ['relay'] })
  const { name } = await publish(app, { process: 'relay', hostPort: next })
  const refusal = { code: 'conflict', message: expect.stringMatching(/process relay has the port \d+\/tcp/) }
  await expect(removeProcess(platform, operator, app.id, 'relay')).rejects.toMatchObject(refusal)
  await expect(updateApp(platform, operator, app.id, { settings: { processes: {} } })).rejects.toMatchObject(
    refusal,
  )
  await changePort(platform, operator, app.id, name, { process: 'web' })
  await removeProcess(platform, operator, app.id, 'relay')
  expect((await getApp(platform, operator, app.id)).settings.ports).toMatchObject({
    [name]: { process: 'web' },
  })
})

test('how many ports is limited: of an app, and of a team by its quota', async () => {
  const team = await berth.makeTeam()
  const mine = await berth.makeApp(team.id)
  await changeQuota(platform, operator, team.id, { ports: 1 })
  await publish(mine)
  await expect(publish(mine)).rejects.toMatchObject({
    code: 'quota-exceeded',
    message: expect.stringMatching(/may have 1 port of hosts and have 1/),
  })
  expect((await getTeamUse(platform, operator, team.id)).used.ports).toBe(1)
  await changeQuota(platform, operator, team.id, { ports: null })
  for (let count = 1; count < 20; count++) await publish(mine)
  await expect(publish(mine)).rejects.toMatchObject({ message: 'An app has at most 20 ports.' })
})

test('ports are changed by their own routes alone, by developers, and one that is not there is not found', async () => {
  const settings = { ports: {} } as object
  await expect(updateApp(platform, operator, app.id, { settings })).rejects.toMatchObject({ code: 'invalid' })
  const { viewer } = await berth.makeUser({ teamId, role: 'viewer' })
  await expect(publishPort(platform, viewer, app.id, { containerPort: 1 })).rejects.toMatchObject({
    code: 'forbidden',
  })
  for (const name of ['tcp-20001', 'toString', '__proto__'])
    await expect(removePort(platform, operator, app.id, name)).rejects.toMatchObject({ code: 'not-found' })
  await expect(changePort(platform, operator, app.id, '__proto__', {})).rejects.toMatchObject({
    code: 'not-found',
  })
})
