import { expect, test } from 'vitest'
import { getApp } from '../../platform/apps.ts'
import { cancelDeployment, rollbackTo } from '../../platform/deployments.ts'
import { follow, streams } from '../../platform/event-log.ts'
import { setVariables } from '../../platform/variables.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { testHostForAll } from '../support/worker.ts'

const host = testHostForAll()

const sh = (script: string) => ['/bin/sh', '-c', script]

async function makeApp(name: string, script: string, timeoutMs?: number) {
  const image = await host.push(name)
  return host.makeApp(image, { release: { command: sh(script), timeoutMs } })
}

/** What an app's containers wrote, each line after the name of the container. */
async function lines(appId: string, deploymentId: string): Promise<string[]> {
  const entries = await host.berth.platform.redis.xrange(streams.appLogs(appId).name, '-', '+')
  return entries.map(([, fields]) => {
    const { containerId, text } = JSON.parse(fields[1] ?? '')
    return `${containerId.replace(`${deploymentId}-`, '')}: ${text}`
  })
}

async function recorded(appId: string) {
  const { containers } = await getApp(host.berth.platform, operator, appId)
  return containers.map(({ state }) => state)
}

test('it runs to its end in the new image, with the variables, before anything starts; its log is kept', async () => {
  const app = await makeApp(
    'released',
    'cat /www/index.html; echo; echo $STAGE$KEY; cat /run/secrets/key; sleep 0.5; echo migrated',
  )
  const { platform } = host.berth
  await setVariables(
    platform,
    operator,
    { appId: app.id },
    {
      set: [
        { name: 'STAGE', value: 'test' },
        { name: 'KEY', value: 'in a file\n', isSecret: true, filePath: '/run/secrets/key' },
      ],
    },
  )
  const { id } = await host.deploy(app.id)
  await host.untilStatus(id, 'releasing')
  expect(await recorded(app.id)).toEqual([])
  const live = await host.untilStatus(id, 'live')
  expect(live.steps.map(({ name, status }) => `${name} ${status}`)).toEqual([
    'pull done',
    'release done',
    'start done',
    'check done',
    'route done',
    'retire done',
  ])
  const ran = ['released', 'test', 'in a file', 'migrated'].map((text) => `release: ${text}`)
  await until('its log', async () => (await lines(app.id, id)).length === ran.length)
  expect(await lines(app.id, id)).toEqual(ran)
  const second = await host.deploy(app.id)
  await host.untilStatus(second.id, 'live')
  const back = await rollbackTo(platform, operator, id)
  const gone = await host.untilStatus(back.id, 'live')
  // A rollback starts what was released before.
  expect(gone.steps.map(({ name }) => name)).not.toContain('release')
})

test.each([
  {
    title: 'fails',
    script: 'echo no table; exit 4',
    failure: { exitCode: 4, facts: { how: 'code', exitCode: 4 }, lastLogLines: ['no table'] },
  },
  {
    title: 'needs too much memory',
    script: 'tail -f /dev/zero',
    failure: { oomKilled: true, facts: { how: 'memory' } },
  },
  {
    title: 'does not end',
    script: 'echo waiting; exec sleep 1000',
    timeoutMs: 1_500,
    failure: { facts: { how: 'timeout', seconds: 2 }, lastLogLines: ['waiting'] },
  },
])('one that $title ends the deployment; what served before serves on', async (given) => {
  const app = await host.makeApp(await host.push('before'))
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  const { platform } = host.berth
  const settings = { release: { command: sh(given.script), timeoutMs: given.timeoutMs } }
  await platform.db.app.update({
    where: { id: app.id },
    data: { settings: { ...(await getApp(platform, operator, app.id)).settings, ...settings } },
  })
  const { id } = await host.deploy(app.id, await host.push('after'))
  const failed = await host.untilStatus(id, 'failed')
  expect(failed.failure).toMatchObject({ step: 'release', code: 'release-failed', ...given.failure })
  expect(failed.steps.map(({ name }) => name)).toEqual(['pull', 'release'])
  expect(await host.ask(app)).toMatchObject({ status: 200, body: 'before' })
  expect(await recorded(app.id)).toEqual(['running'])
})

test('one that is canceled ends at once and leaves nothing', async () => {
  const app = await makeApp('canceled', 'exec sleep 1000')
  const { id } = await host.deploy(app.id)
  await host.untilStatus(id, 'releasing')
  await cancelDeployment(host.berth.platform, operator, id)
  const canceled = await host.untilStatus(id, 'canceled')
  expect(canceled.steps.at(-1)).toMatchObject({ name: 'release', status: 'canceled' })
  expect(await recorded(app.id)).toEqual([])
})

test('a worker that is killed meanwhile: the next one waits for it, and does not run it again', async () => {
  const app = await makeApp('interrupted', 'echo once; sleep 3; echo done')
  const { id } = await host.deploy(app.id)
  const begun = follow(host.berth.platform, streams.appLogs(app.id), { signal: AbortSignal.timeout(30_000) })
  for await (const { event } of begun) if (event.text === 'once') break
  await host.stopWorker('SIGKILL')
  await host.startWorker()
  await host.untilStatus(id, 'live')
  await until('its last line', async () => (await lines(app.id, id)).includes('release: done'))
  expect(await lines(app.id, id)).toEqual(['release: once', 'release: done'])
})
