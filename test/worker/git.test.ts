import { createHmac } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { readBuildLog } from '../../platform/builds/build-log.ts'
import { createBuild } from '../../platform/builds/create-build.ts'
import { cancelDeployment, getDeployment } from '../../platform/deployments.ts'
import { deployFromGit } from '../../platform/git/deploy.ts'
import { readGitSource, setGitSource } from '../../platform/git/source.ts'
import { makeGitWebhook } from '../../platform/git/webhooks/hooks.ts'
import { receiveWebhook } from '../../platform/git/webhooks/receive.ts'
import type { GitSourceInput } from '../../platform/model/git-source.ts'
import type { App } from '../../platform/model/resources.ts'
import { type GitServer, startGitServer } from '../support/git-server.ts'
import { makeTar } from '../support/images.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

let host: TestHost
let server: GitServer

beforeAll(async () => {
  server = await startGitServer()
  const servers = { postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') }
  host = await startTestHost(servers, { privateHosts: server.address })
  await host.push('base:1', { history: [{ created_by: 'busybox' }, { created_by: 'base' }] })
  await host.startWorker()
})

afterAll(async () => {
  await host?.close()
  await server?.close()
})

const filesOf = (page: string) => ({
  Dockerfile: `FROM ${host.berth.config.registryHost}/acme/base:1\nCOPY index.html /www/\n`,
  'index.html': page,
})

async function makeApp(source: GitSourceInput): Promise<App> {
  const app = await host.makeApp(`${host.berth.config.registryHost}/acme/none:latest`)
  await setGitSource(host.berth.platform, operator, app.id, source)
  return app
}

const deploy = (app: App, input = {}) => deployFromGit(host.berth.platform, operator, app.id, input)

/** A build of an archive; answers with the deployment. */
async function makeUploaded(steps: string): Promise<string> {
  const app = await host.makeApp(`${host.berth.config.registryHost}/acme/none:latest`)
  const dockerfile = `FROM ${host.berth.config.registryHost}/acme/base:1\n${steps}\n`
  const archive = await makeTar([{ name: 'Dockerfile', content: dockerfile }])
  const body = Readable.toWeb(Readable.from([archive])) as ReadableStream<Uint8Array>
  return (await createBuild(host.berth.platform, operator, app.id, { format: 'tar', body })).id
}

/** As Gitea does after a push. */
async function tellOf(hook: { url: string; secret: string }): Promise<void> {
  const body = JSON.stringify({ ref: 'refs/heads/main', salt: String(Math.random()) })
  const signature = createHmac('sha256', hook.secret).update(body).digest('hex')
  const headers = new Headers({ 'x-gitea-event': 'push', 'x-gitea-signature': signature })
  const id = hook.url.split('/').at(-1) ?? ''
  const told = await receiveWebhook(host.berth.platform, id, headers, new TextEncoder().encode(body))
  expect(told).toMatchObject({ result: 'accepted' })
}

const source = (app: App) => readGitSource(host.berth.platform, operator, app.id)

test('what a branch has is built and goes live, and its commit is known; so is a tag for once', async () => {
  const repository = server.create('public/site.git', filesOf('first'))
  repository.git('tag', 'v1', 'main')
  const app = await makeApp({ address: server.httpsUrl('public/site.git'), ca: server.ca })
  const sha = repository.commit(filesOf('second'), { message: 'Say second' })
  const live = await host.untilStatus((await deploy(app)).id, 'live')
  expect(live.build?.source).toMatchObject({
    ...{ kind: 'git', ref: { kind: 'branch', name: 'main' } },
    commit: { sha, subject: 'Say second', author: 'Ada' },
  })
  expect(await host.ask(app)).toMatchObject({ status: 200, body: 'second' })
  expect((await source(app))?.commit).toMatchObject({ sha })
  const lines = (await readBuildLog(host.berth.platform, operator, live.id)).lines.map(({ text }) => text)
  expect(lines).toContain(`Commit ${sha.slice(0, 12)} by Ada: Say second`)
  const tagged = await deploy(app, { ref: { kind: 'tag', name: 'v1' } })
  await host.untilStatus(tagged.id, 'live')
  expect((await host.ask(app)).body).toBe('first')
  expect(readdirSync(join(host.berth.config.home, 'uploads'))).toEqual([])
  const missing = await host.untilStatus(
    (await deploy(app, { ref: { kind: 'branch', name: 'none' } })).id,
    'failed',
  )
  expect(missing.failure).toMatchObject({ step: 'build', code: 'git-ref-missing' })
  expect((await host.ask(app)).body).toBe('first')
})

test('a private repository is refused without, and built with the token', async () => {
  server.create('private/site.git', filesOf('private'))
  const address = server.httpsUrl('private/site.git')
  const app = await makeApp({ address, ca: server.ca })
  const refused = await host.untilStatus((await deploy(app)).id, 'failed')
  expect(refused.failure).toMatchObject({ code: 'git-denied' })
  expect(refused.failure?.message).toContain('needs a token')
  await setGitSource(host.berth.platform, operator, app.id, {
    ...{ address, ca: server.ca, username: 'deploy', token: server.password },
  })
  const live = await host.untilStatus((await deploy(app)).id, 'live')
  expect((await host.ask(app)).body).toBe('private')
  const log = JSON.stringify(await readBuildLog(host.berth.platform, operator, live.id))
  expect(log + JSON.stringify(live)).not.toContain(server.password)
})

test('the deploy key that Berth made lets in by ssh; a host that shows another key is not trusted', async () => {
  server.create('private/keyed.git', filesOf('by ssh'))
  const address = server.sshUrl('private/keyed.git')
  const app = await makeApp({ address })
  const refused = await host.untilStatus((await deploy(app)).id, 'failed')
  expect(refused.failure).toMatchObject({ code: 'git-denied' })
  expect(refused.failure?.message).toContain('deploy key')
  server.allowKey((await source(app))?.deployKey?.key ?? '')
  await host.untilStatus((await deploy(app)).id, 'live')
  expect((await host.ask(app)).body).toBe('by ssh')
  expect((await source(app))?.hostKeys).toEqual([
    { key: server.hostKey, fingerprint: expect.stringMatching(/^SHA256:/) },
  ])
  await server.changeHostKey()
  const changed = await host.untilStatus((await deploy(app)).id, 'failed')
  expect(changed.failure).toMatchObject({
    ...{ code: 'git-host-key', step: 'build' },
    message: expect.stringMatching(/shows another key than .* remove the kept key/),
  })
  await setGitSource(host.berth.platform, operator, app.id, {
    address,
    hostKeys: [`[x]:1 ${server.hostKey}`],
  })
  await host.untilStatus((await deploy(app)).id, 'live')
})

test('a host that nobody here trusts, and a repository with hostile objects, are told apart', async () => {
  const repository = server.create('public/hostile.git', filesOf('hostile'))
  const address = server.httpsUrl('public/hostile.git')
  const app = await makeApp({ address })
  const untrusted = await host.untilStatus((await deploy(app)).id, 'failed')
  expect(untrusted.failure).toMatchObject({ code: 'git-unreachable' })
  expect(untrusted.failure?.message).toContain('certificate')
  repository.commit({ '.gitmodules': '[submodule "a"]\n\tpath = a\n\turl = -u./payload\n' })
  await setGitSource(host.berth.platform, operator, app.id, { address, ca: server.ca })
  const hostile = await host.untilStatus((await deploy(app)).id, 'failed')
  expect(hostile.failure).toMatchObject({ code: 'git-failed' })
})

test('a push that a webhook tells of goes live, if a watched path changed; so does what is found by looking', async () => {
  const repository = server.create('private/told.git', { ...filesOf('one'), 'docs/a': 'a' })
  const { platform } = host.berth
  const input: GitSourceInput = {
    ...{ address: server.httpsUrl('private/told.git'), ca: server.ca, forge: 'gitea' },
    ...{ username: 'deploy', token: server.password, watchPaths: ['index.html', 'Dockerfile'] },
  }
  const app = await makeApp(input)
  const hook = await makeGitWebhook(platform, operator, app.id)
  const push = () => tellOf(hook)
  const looked = (result: string, since: string | undefined) =>
    until(`a look says ${result}`, async () => {
      const { look } = (await source(app)) ?? {}
      return look?.result === result && look.at !== since && look
    })
  const live = (body: string) => until(`${body} is live`, async () => (await host.ask(app)).body === body)
  await push()
  await live('one')
  let last = (await looked('deployed', undefined)).at
  repository.commit({ 'docs/a': 'b' })
  await push()
  last = (await looked('unwatched', last)).at
  await push()
  last = (await looked('unchanged', last)).at
  const sha = repository.commit(filesOf('two'), { message: 'Two' })
  await push()
  await live('two')
  const deployments = await platform.db.deployment.findMany({
    where: { appId: app.id },
    include: { build: true },
    orderBy: { number: 'asc' },
  })
  expect(deployments.map(({ trigger }) => trigger)).toEqual(['push', 'push'])
  expect(deployments.at(-1)?.build?.source).toMatchObject({ sha, commit: { sha, subject: 'Two' } })
  // The forge is told of it, by the token that fetches.
  const told = () =>
    server.statuses().filter(({ path }) => path === `/api/v1/repos/private/told/statuses/${sha}`)
  await until('the forge knows that it is live', () => told().at(-1)?.body.state === 'success')
  // One that is quick is told of once.
  expect(['pending', 'success']).toEqual(expect.arrayContaining(told().map(({ body }) => body.state)))
  expect(told()[0]).toMatchObject({
    authorization: `token ${server.password}`,
    body: { context: `berth/${app.name}` },
  })
  // So it is of one that fails, and what serves serves on.
  const broken = repository.commit({ Dockerfile: `${filesOf('').Dockerfile}RUN exit 7\n` })
  await push()
  await until('the forge knows that it failed', () =>
    server.statuses().some(({ path, body }) => path.endsWith(broken) && body.state === 'failure'),
  )
  expect((await host.ask(app)).body).toBe('two')
  // Nobody tells, and Berth looks by itself.
  await setGitSource(platform, operator, app.id, { ...input, pollSeconds: 60 })
  repository.commit(filesOf('three'))
  await platform.db.gitSource.update({ where: { appId: app.id }, data: { lookAt: new Date() } })
  await live('three')
  // What can't be looked at says so, and what runs runs on.
  await setGitSource(platform, operator, app.id, { ...input, token: 'wrong', pollSeconds: 60 })
  await until('the look says what is wrong', async () =>
    /Authentication failed/.test((await source(app))?.look?.problem ?? ''),
  )
  expect((await host.ask(app)).body).toBe('three')
}, 120_000)

test('a commit that waits for its turn gives way to a newer one that a webhook tells of', async () => {
  const { platform } = host.berth
  const busy = await Promise.all(Array.from({ length: 4 }, () => makeUploaded('RUN sleep 600')))
  const repository = server.create('public/fast.git', filesOf('older'))
  const app = await makeApp({ address: server.httpsUrl('public/fast.git'), ca: server.ca })
  const hook = await makeGitWebhook(platform, operator, app.id)
  const deployments = () =>
    platform.db.deployment.findMany({ where: { appId: app.id }, orderBy: { number: 'asc' } })
  await tellOf(hook)
  const older = await until('the older commit waits for its turn', async () => {
    const [first] = await deployments()
    const build = first && (await getDeployment(platform, operator, first.id)).build
    return build?.waiting !== null && build !== null && first
  })
  const sha = repository.commit(filesOf('newer'), { message: 'Newer' })
  await tellOf(hook)
  await until('the older one is superseded', async () => (await deployments())[0]?.status === 'superseded')
  await until('there is a newer one', async () => (await deployments()).length === 2)
  for (const id of busy) await cancelDeployment(platform, operator, id)
  const [, newer] = await deployments()
  await host.untilStatus(newer?.id ?? '', 'live')
  expect((await host.ask(app)).body).toBe('newer')
  const all = await deployments()
  expect(all.map(({ status, trigger }) => `${status} ${trigger}`)).toEqual(['superseded push', 'live push'])
  const live = await getDeployment(platform, operator, newer?.id ?? '')
  expect(live.build?.source).toMatchObject({ commit: { sha } })
  const { lines } = await readBuildLog(platform, operator, older.id)
  expect(lines.filter(({ text }) => text.startsWith('STEP'))).toEqual([])
}, 120_000)

test('what is called off while it is fetched ends at once; a worker that was killed fetches anew', async () => {
  server.create('public/slow.git', filesOf('slow'))
  const app = await makeApp({ address: server.httpsUrl('slow/public/slow.git'), ca: server.ca })
  const { id } = await deploy(app)
  const isAsked = () => server.asked().some((line) => line.includes('/slow/public/slow.git'))
  await until('the host is asked', isAsked)
  const asked = Date.now()
  await cancelDeployment(host.berth.platform, operator, id)
  await host.untilStatus(id, 'canceled')
  expect(Date.now() - asked).toBeLessThan(5_000)
  const before = server.asked().length
  const next = await deploy(app)
  await until('the host is asked again', () => server.asked().length > before)
  await host.stopWorker('SIGKILL')
  server.quicken()
  await host.startWorker()
  await host.untilStatus(next.id, 'live')
  expect((await host.ask(app)).body).toBe('slow')
  expect(readdirSync(join(host.berth.config.home, 'uploads'))).toEqual([])
}, 120_000)
