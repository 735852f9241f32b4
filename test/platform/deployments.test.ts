import { Queue } from 'bullmq'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { deleteApp, getApp, startApp, stopApp, updateApp } from '../../platform/apps.ts'
import { loadConfig } from '../../platform/config.ts'
import {
  cancelDeployment,
  createDeployment,
  getDeployment,
  listDeployments,
  rollbackTo,
} from '../../platform/deployments.ts'
import { queueName } from '../../platform/jobs.ts'
import { canBecome, deploymentStatuses, isTerminal } from '../../platform/model/deployment-status.ts'
import type { Failure } from '../../platform/model/failure.ts'
import type { App, Team } from '../../platform/model/resources.ts'
import { openPlatform } from '../../platform/open.ts'
import { seal } from '../../platform/secrets.ts'
import { setVariables } from '../../platform/variables.ts'
import { moveTraffic, recordContainer, reportContainer } from '../../platform/worker/containers.ts'
import { markLive, setDeploymentStatus, setImageDigest } from '../../platform/worker/deployment-status.ts'
import { isCancelAsked, loadDeployment } from '../../platform/worker/deployments.ts'
import { desiredRoutes } from '../../platform/worker/desired-routes.ts'
import { desiredState, finishDelete } from '../../platform/worker/desired-state.ts'
import { registerHost } from '../../platform/worker/hosts.ts'
import { finishStep, startStep } from '../../platform/worker/steps.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'

let berth: TestPlatform
let team: Team

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  team = await berth.makeTeam('Acme')
})
afterAll(() => berth?.close())

const digest = `sha256:${'ab'.repeat(32)}`
const failure: Failure = {
  step: 'start',
  code: 'exited',
  message: 'The container ended at once.',
  facts: { how: 'code', exitCode: 3 },
  exitCode: 3,
  signal: null,
  oomKilled: false,
  lastLogLines: ['boom'],
}

let containers = 0

/** What a worker does when all goes well. */
async function carryOut(deploymentId: string): Promise<string> {
  const { platform, config } = berth
  const work = await loadDeployment(platform, deploymentId)
  if (work === null) throw new Error('no such deployment')
  await setDeploymentStatus(platform, deploymentId, 'pulling')
  await setImageDigest(platform, deploymentId, digest)
  await setDeploymentStatus(platform, deploymentId, 'starting')
  const id = `c-${++containers}`
  await recordContainer(platform, {
    id,
    deploymentId,
    appId: work.app.id,
    hostId: config.hostId,
    replica: 0,
    address: '10.89.0.2',
    port: 8080,
  })
  await reportContainer(platform, id, { state: 'running', startedAt: new Date() })
  await setDeploymentStatus(platform, deploymentId, 'checking')
  await setDeploymentStatus(platform, deploymentId, 'routing')
  for (const old of work.live?.containers ?? []) await reportContainer(platform, old.id, { state: 'removed' })
  expect(await markLive(platform, deploymentId)).toBe(true)
  return id
}

async function waiting(): Promise<string[]> {
  const queue = new Queue(queueName(berth.config.hostId), { connection: berth.config.redis })
  try {
    return (await queue.getJobs(['waiting', 'delayed'])).map((job) => job.id ?? '')
  } finally {
    await queue.close()
  }
}

test('deployments made at once get numbers of their own, and only the last one still waits', async () => {
  const app = await berth.makeApp(team.id)
  const made = await Promise.all(
    Array.from({ length: 12 }, () => createDeployment(berth.platform, operator, app.id)),
  )
  expect(made.map(({ number }) => number).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 12 }, (_, i) => i + 1),
  )
  const { data } = await listDeployments(berth.platform, operator, app.id)
  expect(data.map(({ number, status }) => `${number} ${status}`)).toEqual(
    Array.from({ length: 12 }, (_, i) => `${12 - i} ${i === 0 ? 'queued' : 'superseded'}`),
  )
  expect(await waiting()).toContain(`deploy-${data[0]?.id}`)
})

test('a deployment keeps what it was made with, whatever changes later', async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id, { settings: { port: 8080 } })
  await setVariables(
    platform,
    operator,
    { appId: app.id },
    { set: [{ name: 'MODE', value: 'one', isSecret: true }] },
  )
  await platform.db.$transaction(async (tx) => {
    for (const [name, value] of [
      ['MODE', 'shared'],
      ['REGION', 'eu'],
    ] as const) {
      const sealedValue = seal(platform.keyring, value, `environment:${app.environmentId}:${name}`)
      await tx.variable.create({
        data: { id: `var_${name}`, environmentId: app.environmentId, name, sealedValue },
      })
    }
  })
  const first = await createDeployment(platform, operator, app.id, { image: 'nginx:1.28' })
  expect((await getApp(platform, operator, app.id)).settings.image).toBe('nginx:1.28')
  await carryOut(first.id)
  await setVariables(platform, operator, { appId: app.id }, { set: [{ name: 'MODE', value: 'two' }] })
  await updateApp(platform, operator, app.id, { settings: { port: 9090 } })
  expect(await loadDeployment(platform, first.id)).toMatchObject({
    variables: { MODE: 'one', REGION: 'eu' },
    settings: { port: 8080, image: 'nginx:1.28' },
    team: { slug: team.slug, idRange: { size: 65_536 } },
  })
  const second = await createDeployment(platform, operator, app.id)
  expect(await loadDeployment(platform, second.id)).toMatchObject({
    variables: { MODE: 'two', REGION: 'eu' },
    settings: { port: 9090 },
    live: { deploymentId: first.id, containers: [{ state: 'running' }] },
  })
  await carryOut(second.id)

  const back = await rollbackTo(platform, operator, first.id)
  expect(back).toMatchObject({
    trigger: 'rollback',
    imageDigest: digest,
    number: 3,
    settings: { port: 8080 },
  })
  expect(await loadDeployment(platform, back.id)).toMatchObject({ variables: { MODE: 'one', REGION: 'eu' } })
})

test('what was never live is nothing to go back to', async () => {
  const app = await berth.makeApp(team.id)
  const deployment = await createDeployment(berth.platform, operator, app.id)
  await expect(rollbackTo(berth.platform, operator, deployment.id)).rejects.toMatchObject({
    code: 'conflict',
  })
})

test('a status goes where the model lets it and never leaves a terminal one', async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id)
  const { id } = await createDeployment(platform, operator, app.id)
  for (const from of deploymentStatuses) {
    for (const to of deploymentStatuses) {
      await platform.db.deployment.update({ where: { id }, data: { status: from } })
      const moved =
        to === 'live'
          ? await markLive(platform, id)
          : await setDeploymentStatus(platform, id, to, to === 'failed' ? { failure } : {})
      expect(`${from} → ${to}: ${moved}`).toBe(`${from} → ${to}: ${canBecome(from, to)}`)
      const now = await platform.db.deployment.findUniqueOrThrow({ where: { id } })
      expect(now.status).toBe(moved ? to : from)
      if (isTerminal(from)) expect(moved).toBe(false)
    }
  }
})

test('of several who end a deployment at once exactly one does', async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id)
  const { id } = await createDeployment(platform, operator, app.id)
  await setDeploymentStatus(platform, id, 'routing')
  const outcomes = await Promise.all([
    ...Array.from({ length: 4 }, () => setDeploymentStatus(platform, id, 'failed', { failure })),
    ...Array.from({ length: 4 }, () => setDeploymentStatus(platform, id, 'canceled')),
    ...Array.from({ length: 4 }, () => markLive(platform, id)),
  ])
  expect(outcomes.filter(Boolean)).toHaveLength(1)
})

test('a live deployment supersedes the one before and is what the app runs', async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id)
  const first = await createDeployment(platform, operator, app.id)
  await startStep(platform, first.id, 'pull')
  await finishStep(platform, first.id, 'pull', { status: 'done', detail: 'It was here already.' })
  await startStep(platform, first.id, 'start')
  await carryOut(first.id)
  const shown = await getDeployment(platform, operator, first.id)
  expect(shown).toMatchObject({ status: 'live', imageDigest: digest, failure: null })
  expect(shown.steps).toMatchObject([
    { name: 'pull', status: 'done', detail: 'It was here already.' },
    { name: 'start', status: 'running', finishedAt: null },
  ])
  expect(shown.startedAt).not.toBeNull()
  expect(await getApp(platform, operator, app.id)).toMatchObject({
    status: 'running',
    liveDeploymentId: first.id,
  })

  const second = await createDeployment(platform, operator, app.id)
  await carryOut(second.id)
  expect((await getDeployment(platform, operator, first.id)).status).toBe('superseded')
  expect(await getApp(platform, operator, app.id)).toMatchObject({
    status: 'running',
    liveDeploymentId: second.id,
    latestDeployment: { number: 2, status: 'live' },
    containers: [{ deploymentId: second.id, state: 'running' }],
  })
})

test('a failed deployment leaves the one before live and says why', async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id)
  const first = await createDeployment(platform, operator, app.id)
  await carryOut(first.id)
  const second = await createDeployment(platform, operator, app.id)
  await setDeploymentStatus(platform, second.id, 'starting')
  await setDeploymentStatus(platform, second.id, 'failed', { failure })
  expect(await getDeployment(platform, operator, second.id)).toMatchObject({ status: 'failed', failure })
  expect(await getApp(platform, operator, app.id)).toMatchObject({
    status: 'running',
    liveDeploymentId: first.id,
  })
})

test('traffic moves to a deployment while it is routing, and goes back when it fails', async () => {
  const { platform, config } = berth
  const app = await berth.makeApp(team.id)
  const route = async () =>
    (await desiredRoutes(platform, config.hostId)).find(({ appId }) => appId === app.id)
  expect(await route()).toMatchObject({ state: 'failed', servers: [] })
  const first = await createDeployment(platform, operator, app.id)
  expect(await route()).toMatchObject({ state: 'deploying', servers: [] })
  const container = await carryOut(first.id)
  const server = { containerId: container, address: '10.89.0.2', port: 8080 }
  expect(await route()).toMatchObject({ hostname: new URL(app.urls[0] ?? '').hostname, servers: [server] })

  const second = await createDeployment(platform, operator, app.id)
  await setDeploymentStatus(platform, second.id, 'checking')
  const fresh = { id: 'fresh', deploymentId: second.id, appId: app.id, hostId: config.hostId, replica: 0 }
  await recordContainer(platform, { ...fresh, address: '10.89.0.3', port: 8080, outOfTraffic: true })
  await reportContainer(platform, 'fresh', { state: 'running' })
  expect((await route())?.servers).toEqual([server])
  await setDeploymentStatus(platform, second.id, 'routing')
  expect((await route())?.servers).toEqual([server])
  await moveTraffic(platform, { to: ['fresh'], from: [] })
  expect((await route())?.servers).toHaveLength(2)
  await moveTraffic(platform, { to: ['fresh'], from: [container] })
  expect((await route())?.servers).toEqual([{ containerId: 'fresh', address: '10.89.0.3', port: 8080 }])
  await setDeploymentStatus(platform, second.id, 'failed', { failure })
  expect((await route())?.servers).toEqual([server])

  await stopApp(platform, operator, app.id)
  expect(await route()).toMatchObject({ state: 'stopped', servers: [] })
  await startApp(platform, operator, app.id)
  await reportContainer(platform, container, { state: 'exited', exitCode: 1 })
  expect(await route()).toMatchObject({ state: 'deploying', servers: [] })
  expect(await getApp(platform, operator, app.id)).toMatchObject({ status: 'degraded' })
})

test('a waiting deployment is canceled at once, one in progress is asked to stop, a live one stays', async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id)
  const first = await createDeployment(platform, operator, app.id)
  expect(await isCancelAsked(platform, first.id)).toBe(false)
  expect(await cancelDeployment(platform, operator, first.id)).toMatchObject({ status: 'canceled' })
  expect(await isCancelAsked(platform, first.id)).toBe(true)
  await expect(cancelDeployment(platform, operator, first.id)).rejects.toMatchObject({ code: 'conflict' })

  const second = await createDeployment(platform, operator, app.id)
  await setDeploymentStatus(platform, second.id, 'pulling')
  expect(await cancelDeployment(platform, operator, second.id)).toMatchObject({ status: 'pulling' })
  expect(await isCancelAsked(platform, second.id)).toBe(true)
  expect(await setDeploymentStatus(platform, second.id, 'canceled')).toBe(true)

  const third = await createDeployment(platform, operator, app.id)
  await carryOut(third.id)
  await expect(cancelDeployment(platform, operator, third.id)).rejects.toMatchObject({ code: 'conflict' })
})

test('stopping calls off what is in progress; deploying wants the app running again', async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id)
  await expect(startApp(platform, operator, app.id)).rejects.toMatchObject({ code: 'conflict' })
  const first = await createDeployment(platform, operator, app.id)
  await carryOut(first.id)
  const second = await createDeployment(platform, operator, app.id)
  await setDeploymentStatus(platform, second.id, 'pulling')
  await stopApp(platform, operator, app.id)
  expect(await isCancelAsked(platform, second.id)).toBe(true)
  await setDeploymentStatus(platform, second.id, 'canceled')
  expect(await getApp(platform, operator, app.id)).toMatchObject({
    status: 'stopped',
    desiredState: 'stopped',
  })
  expect(await waiting()).toContain(`stop-app-${app.id}`)
  await createDeployment(platform, operator, app.id)
  expect(await getApp(platform, operator, app.id)).toMatchObject({
    desiredState: 'running',
    status: 'deploying',
  })
})

test('a deleted app takes no deployment, can not become live, and is gone when its host has finished', async () => {
  const { platform, config } = berth
  const app = await berth.makeApp(team.id)
  const { id } = await createDeployment(platform, operator, app.id)
  await setDeploymentStatus(platform, id, 'routing')
  expect(await deleteApp(platform, operator, app.id)).toMatchObject({ status: 'deleting' })
  expect(await markLive(platform, id)).toBe(false)
  await expect(createDeployment(platform, operator, app.id)).rejects.toMatchObject({ code: 'conflict' })
  const wanted = (await desiredState(platform, config.hostId)).find(({ appId }) => appId === app.id)
  expect(wanted).toMatchObject({ desiredState: 'deleted', inProgress: [{ id, cancelAsked: true }] })
  await finishDelete(platform, app.id)
  await finishDelete(platform, app.id)
  await expect(getApp(platform, operator, app.id)).rejects.toMatchObject({ code: 'not-found' })
  expect(await loadDeployment(platform, id)).toBeNull()
})

test('finishing the deletion of an app that nobody deleted does nothing', async () => {
  const app: App = await berth.makeApp(team.id)
  await finishDelete(berth.platform, app.id)
  expect((await getApp(berth.platform, operator, app.id)).id).toBe(app.id)
})

test('a host may report itself as often as it likes; a report of an unknown container says so', async () => {
  const { platform, config } = berth
  const report = { id: config.hostId, name: 'host-1', facts: { runtime: 'crun' } }
  await registerHost(platform, report)
  await registerHost(platform, { ...report, name: 'host-one' })
  expect(await platform.db.host.findUnique({ where: { id: config.hostId } })).toMatchObject({
    name: 'host-one',
  })
  expect(await reportContainer(platform, 'nobody', { state: 'running' })).toBe(false)
})

test('a deployment is recorded even when the queue does not answer', async () => {
  const { environment } = berth
  const config = loadConfig({ ...environment, REDIS_URL: 'redis://127.0.0.1:1', BERTH_LOG_LEVEL: 'error' })
  const app = await berth.makeApp(team.id)
  const platform = await openPlatform({ ...config, logLevel: 'error', readSecret: berth.config.readSecret })
  platform.log.level = 'silent'
  try {
    const deployment = await createDeployment(platform, operator, app.id)
    const wanted = (await desiredState(berth.platform, berth.config.hostId)).find(
      ({ appId }) => appId === app.id,
    )
    expect(wanted?.inProgress).toMatchObject([{ id: deployment.id, status: 'queued' }])
  } finally {
    await platform.close()
  }
})
