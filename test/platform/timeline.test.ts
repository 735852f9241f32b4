import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { stopApp, updateApp } from '../../platform/apps.ts'
import { cancelDeployment, createDeployment, rollbackTo } from '../../platform/deployments.ts'
import {
  type AppEvent,
  appEventAreas,
  appEventKinds,
  areaOf,
  kindsOf,
} from '../../platform/model/app-event-kinds.ts'
import { newId } from '../../platform/model/ids.ts'
import type { App, Team } from '../../platform/model/resources.ts'
import { emitAppEvent, followTimeline, listTimeline, sweepTimelines } from '../../platform/timeline.ts'
import { setVariables } from '../../platform/variables.ts'
import { markLive, setDeploymentStatus, setImageDigest } from '../../platform/worker/deployment-status.ts'
import { openTestPlatform, operator, type TestPlatform, type TestUser } from '../support/platform.ts'

let berth: TestPlatform
let team: Team
let person: TestUser

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  team = await berth.makeTeam('Acme')
  person = await berth.makeUser({ teamId: team.id, role: 'developer' })
})
afterAll(() => berth?.close())

async function carryOut(deploymentId: string): Promise<void> {
  for (const status of ['pulling', 'starting', 'checking', 'routing'] as const)
    await setDeploymentStatus(berth.platform, deploymentId, status)
  await setImageDigest(berth.platform, deploymentId, `sha256:${'ab'.repeat(32)}`)
  expect(await markLive(berth.platform, deploymentId)).toBe(true)
}

async function kindsIn(app: App, kind?: string): Promise<string[]> {
  const { data } = await listTimeline(berth.platform, operator, app.id, { kind })
  return data.map(({ event }) => event.kind).reverse()
}

const restarted = (restarts: number): AppEvent => ({
  kind: 'container.restarted',
  containerId: 'c-1',
  deploymentId: 'dep_1',
  process: 'web',
  replica: 0,
  restarts,
})

test('a deployment is told from asking to its end, with who asked, once, however often a step runs', async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id)
  const first = await createDeployment(platform, person.viewer, app.id)
  await carryOut(first.id)
  expect(await markLive(platform, first.id)).toBe(false)
  const second = await createDeployment(platform, person.viewer, app.id)
  const end = { exitCode: 3, signal: null, oomKilled: false, lastLogLines: ['secret of the log'] }
  const failure = { step: 'start', code: 'exited', message: 'It ended.', facts: {}, ...end } as const
  await setDeploymentStatus(platform, second.id, 'failed', { failure })
  const third = await rollbackTo(platform, person.viewer, first.id)
  await carryOut(third.id)
  const fourth = await createDeployment(platform, person.viewer, app.id)
  const fifth = await createDeployment(platform, operator, app.id)
  await cancelDeployment(platform, person.viewer, fifth.id)
  const { data } = await listTimeline(platform, person.viewer, app.id)
  expect(
    data.map(({ actor, event }) => [event.kind, 'number' in event ? event.number : null, actor]).reverse(),
  ).toEqual([
    ['app.created', null, 'Operator'],
    ['deployment.asked', 1, expect.stringMatching(/^User/)],
    ['deployment.live', 1, null],
    ['deployment.asked', 2, expect.stringMatching(/^User/)],
    ['deployment.failed', 2, null],
    ['deployment.asked', 3, expect.stringMatching(/^User/)],
    ['deployment.rolled-back', 3, null],
    ['deployment.asked', 4, expect.stringMatching(/^User/)],
    ['deployment.asked', 5, 'Operator'],
    ['deployment.superseded', 4, 'Operator'],
    ['deployment.canceled', 5, expect.stringMatching(/^User/)],
  ])
  expect(fourth.number).toBe(4)
  expect(data.find(({ event }) => event.kind === 'deployment.rolled-back')?.event).toMatchObject({
    toNumber: 1,
  })
  expect(data.find(({ event }) => event.kind === 'deployment.failed')?.event).toMatchObject({ exitCode: 3 })
  expect(JSON.stringify(data)).not.toContain('secret of the log')
})

test('one that was being carried out is canceled by whoever asked for it', async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id)
  const deployment = await createDeployment(platform, operator, app.id)
  await setDeploymentStatus(platform, deployment.id, 'pulling')
  await cancelDeployment(platform, person.viewer, deployment.id)
  expect(await kindsIn(app)).not.toContain('deployment.canceled')
  await setDeploymentStatus(platform, deployment.id, 'canceled')
  const { data } = await listTimeline(platform, operator, app.id, { kind: 'deployment.canceled' })
  expect(data.map(({ actor }) => actor)).toEqual([expect.stringMatching(/^User/)])
})

test('changes of the configuration are told field by field, and values of variables never', async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id)
  await updateApp(platform, person.viewer, app.id, { settings: { port: 8080 } })
  await updateApp(platform, person.viewer, app.id, { settings: { port: 8080 } })
  const [plain, hidden] = ['plain-value-1', 'hidden-value-2']
  await setVariables(
    platform,
    person.viewer,
    { appId: app.id },
    {
      set: [
        { name: 'A', value: plain },
        { name: 'B', value: hidden, isSecret: true },
      ],
    },
  )
  const { data } = await listTimeline(platform, person.viewer, app.id, { kind: 'configuration' })
  expect(data.map(({ event }) => ('changes' in event ? event.changes : null)).reverse()).toEqual([
    [{ field: 'settings.port', before: null, after: 8080 }],
    expect.arrayContaining([{ field: 'variables.B.value', before: null, after: '••••••' }]),
  ])
  expect(data.map(({ actor }) => actor)).toEqual(data.map(() => expect.stringMatching(/^User/)))
  const rows = await platform.db.appEvent.findMany({ where: { appId: app.id } })
  expect(JSON.stringify(rows)).not.toContain(plain)
  expect(JSON.stringify(rows)).not.toContain(hidden)
})

test('the list is filtered by kinds and areas, and read page by page', async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id)
  for (let restarts = 1; restarts <= 5; restarts++) await emitAppEvent(platform, app.id, restarted(restarts))
  await stopApp(platform, person.viewer, app.id)
  expect(await kindsIn(app, 'app.stopped,app.created')).toEqual(['app.created', 'app.stopped'])
  expect(await kindsIn(app, 'container')).toHaveLength(5)
  const first = await listTimeline(platform, operator, app.id, { kind: 'container' }, { limit: 3 })
  const cursor = first.nextCursor ?? undefined
  const second = await listTimeline(platform, operator, app.id, { kind: 'container' }, { limit: 3, cursor })
  const counts = [...first.data, ...second.data].map(({ event }) =>
    'restarts' in event ? event.restarts : 0,
  )
  expect(counts).toEqual([5, 4, 3, 2, 1])
  expect(second.nextCursor).toBeNull()
  await expect(listTimeline(platform, operator, app.id, { kind: 'nonsense' })).rejects.toThrow('kind')
  for (const kind of appEventKinds) expect(appEventAreas).toContain(areaOf(kind))
  expect(kindsOf(['*'])).toEqual(appEventKinds)
})

test('who follows hears of what happens, of the kinds that were asked for, and nobody of another team does', async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id)
  const over = new AbortController()
  const heard = await followTimeline(
    platform,
    person.viewer,
    app.id,
    { kind: 'container' },
    { signal: over.signal },
  )
  const first = (async () => {
    for await (const { event } of heard) return event.event
    return null
  })()
  // What is told before the follower waits is in the stream after the position that it began at, or not its own.
  const told = setInterval(() => emitAppEvent(platform, app.id, restarted(7)).catch(() => undefined), 50)
  await emitAppEvent(platform, app.id, { kind: 'app.started' })
  expect(await first).toMatchObject({ kind: 'container.restarted', restarts: 7 })
  clearInterval(told)
  over.abort()
  const stranger = await berth.makeUser()
  const { signal } = over
  await expect(followTimeline(platform, stranger.viewer, app.id, {}, { signal })).rejects.toThrow(
    'no such app',
  )
  await expect(listTimeline(platform, stranger.viewer, app.id)).rejects.toThrow('no such app')
})

test('what is told again with the same key is told once; what is told of an app that is gone is not', async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id)
  const tell = () => emitAppEvent(platform, app.id, restarted(1), { key: 'restart:c-1:1' })
  await Promise.all([tell(), tell(), tell()])
  await tell()
  expect(await kindsIn(app)).toEqual(['app.created', 'container.restarted'])
  await emitAppEvent(platform, newId('app'), restarted(1))
})

test('a timeline goes back half a year, or 2,000 events', async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id)
  const at = (days: number) => new Date(Date.now() - days * 86_400_000)
  await emitAppEvent(platform, app.id, restarted(1), { at: at(181) })
  await emitAppEvent(platform, app.id, restarted(2), { at: at(179) })
  await sweepTimelines(platform)
  expect(await kindsIn(app)).toEqual(['container.restarted', 'app.created'])
  const many = Array.from({ length: 2_010 }, (_, index) => ({
    id: newId('appEvent', at(170).getTime() + index),
    ...{
      appId: app.id,
      kind: 'container.restarted',
      event: { kind: 'container.restarted', restarts: index },
      createdAt: at(170),
    },
  }))
  await platform.db.appEvent.createMany({ data: many })
  await sweepTimelines(platform)
  const rows = await platform.db.appEvent.findMany({ where: { appId: app.id }, orderBy: { id: 'asc' } })
  expect(rows).toHaveLength(2_000)
  expect(rows.at(-1)?.kind).toBe('app.created')
})
