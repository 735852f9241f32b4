import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { cancelDeployment } from '../../platform/deployments.ts'
import type { App } from '../../platform/model/resources.ts'
import { createToken } from '../../platform/tokens.ts'
import { get } from '../support/edge.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

let host: TestHost
let folder: string
let token: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'berth-push-'))
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  await host.push('base:1', { history: [{ created_by: 'busybox' }, { created_by: 'base' }] })
  const developer = await host.berth.makeUser({ teamId: host.teamId, role: 'developer' })
  const made = await createToken(host.berth.platform, developer.viewer, { name: 'push', preset: 'deploy' })
  token = made.secret
  await host.startWorker()
})

afterAll(async () => {
  await host?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function git(...args: string[]): Promise<{ code: number; said: string }> {
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'credential.helper=']
  return new Promise((resolve) => {
    const env = { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_GLOBAL: '/dev/null' }
    execFile('git', ['-C', folder, ...identity, ...args], { env, maxBuffer: 2 ** 26 }, (error, out, said) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), said: out + said }),
    )
  })
}

async function commit(files: Record<string, string>, message = 'Change'): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  await git('init', '-q', '-b', 'main')
  await git('add', '-A')
  await git('commit', '-q', '-m', message)
  return (await git('rev-parse', 'HEAD')).said.trim()
}

const dockerfile = (steps = '') =>
  `FROM ${host.berth.config.registryHost}/acme/base:1\n${steps}\nCOPY index.html /www/\n`

async function pathOf(app: App): Promise<string> {
  const project = await host.berth.platform.db.project.findUniqueOrThrow({
    where: { id: app.projectId },
    include: { team: true },
  })
  return `/git/${project.team.slug}/${project.slug}/${app.slug}.git`
}

async function remoteOf(app: App, password = token): Promise<string> {
  return `http://x:${password}@localhost:${host.berth.config.port}${await pathOf(app)}`
}

const makeApp = () => host.makeApp(`${host.berth.config.registryHost}/acme/none:latest`)

const deploymentsOf = (app: App) =>
  host.berth.platform.db.deployment.findMany({
    where: { appId: app.id },
    include: { build: true },
    orderBy: { number: 'asc' },
  })

test('a push shows its build and deployment, and is live when it succeeds', async () => {
  const app = await makeApp()
  const remote = await remoteOf(app)
  const sha = await commit({
    Dockerfile: dockerfile('RUN echo built-by-push'),
    'index.html': 'pushed',
    '.gitattributes': 'index.html export-ignore\n',
  })
  const { code, said } = await git('push', remote, 'main')
  expect(said).toContain('remote: built-by-push')
  expect(said).toMatch(/remote: Deployment #1 is live: http/)
  expect(code).toBe(0)
  expect((await host.ask(app)).body).toBe('pushed')
  const [deployment] = await deploymentsOf(app)
  expect(deployment).toMatchObject({ trigger: 'push', status: 'live' })
  expect(deployment?.build?.source).toMatchObject({
    ...{ kind: 'push', ref: { kind: 'branch', name: 'main' } },
    commit: { sha, subject: 'Change', author: 'Ada' },
  })
  expect((await git('push', remote, 'main')).said).toContain('Everything up-to-date')
  await commit({ 'index.html': 'pushed again' })
  expect((await git('push', remote, 'main')).code).toBe(0)
  expect((await host.ask(app)).body).toBe('pushed again')
  expect(readdirSync(join(host.berth.config.home, 'uploads'))).toEqual([])
})

test('a push whose build or start fails is refused, and can be sent again', async () => {
  const app = await makeApp()
  const remote = await remoteOf(app)
  await commit({ Dockerfile: dockerfile(), 'index.html': 'good' })
  expect((await git('push', '--force', remote, 'main')).code).toBe(0)
  await commit({ Dockerfile: dockerfile('RUN echo no-good && exit 3') })
  const failed = await git('push', remote, 'main')
  expect(failed.code).not.toBe(0)
  expect(failed.said).toContain('remote: no-good')
  expect(failed.said).toContain('pre-receive hook declined')
  // What was refused is not there: the same push is one again.
  expect((await git('push', remote, 'main')).said).toContain('remote: no-good')
  await commit({ Dockerfile: `${dockerfile()}ENTRYPOINT ["/bin/false"]\n` })
  const crashed = await git('push', remote, 'main')
  expect(crashed.code).not.toBe(0)
  expect(crashed.said).toContain('the push is refused')
  expect((await host.ask(app)).body).toBe('good')
  await commit({ Dockerfile: dockerfile(), 'index.html': 'better' })
  expect((await git('push', remote, 'main')).code).toBe(0)
  expect((await host.ask(app)).body).toBe('better')
}, 180_000)

test('other branches, deletions and several at once are refused with what to do', async () => {
  const app = await makeApp()
  const remote = await remoteOf(app)
  await commit({ Dockerfile: dockerfile(), 'index.html': 'x' })
  const other = await git('push', remote, 'HEAD:refs/heads/feature')
  expect(other.code).not.toBe(0)
  expect(other.said).toContain('HEAD:main')
  expect((await git('push', remote, 'HEAD:main', 'HEAD:master')).code).not.toBe(0)
  expect((await git('push', remote, 'HEAD:refs/tags/v1')).code).not.toBe(0)
  expect(await deploymentsOf(app)).toEqual([])
})

test('who has no token, one that may not deploy, or none for this app is refused; nothing can be fetched', async () => {
  const app = await makeApp()
  const { platform } = host.berth
  await commit({ Dockerfile: dockerfile(), 'index.html': 'x' })
  const viewer = await host.berth.makeUser({ teamId: host.teamId, role: 'viewer' })
  const stranger = await host.berth.makeUser()
  const reading = await createToken(platform, viewer.viewer, { name: 'read' })
  const foreign = await createToken(platform, stranger.viewer, { name: 'foreign' })
  for (const password of ['wrong', reading.secret, foreign.secret]) {
    const { code, said } = await git('push', await remoteOf(app, password), 'main')
    expect(code, said).not.toBe(0)
  }
  const { port } = host.berth.config
  const refs = await pathOf(app)
  const bare = await get(port, 'localhost', { path: `${refs}/info/refs?service=git-receive-pack` })
  expect(bare.status).toBe(401)
  expect((await git('ls-remote', await remoteOf(app))).said).toContain('403')
  const nowhere = await git('push', `http://x:${token}@localhost:${port}/git/a/b/c.git`, 'main')
  expect(nowhere.said).toContain('There is no such team')
  expect(await deploymentsOf(app)).toEqual([])
})

test('a damaged pack and one with a hostile tree are refused, and a client that leaves leaves nothing running', async () => {
  const app = await makeApp()
  const remote = await remoteOf(app)
  await commit({ Dockerfile: dockerfile('RUN sleep 60'), 'index.html': 'x' })
  const tree = (
    await new Promise<string>((resolve) => {
      const child = execFile('git', ['-C', folder, 'mktree', '--missing'], (_error, out) => resolve(out))
      child.stdin?.end(`100644 blob ${'a'.repeat(40)}\t.git\n`)
    })
  ).trim()
  const hostile = (await git('commit-tree', '-m', 'x', tree)).said.trim()
  const refused = await git('push', remote, `${hostile}:refs/heads/main`)
  expect(refused.code).not.toBe(0)
  expect(await deploymentsOf(app)).toEqual([])
  const child = execFile('git', ['-C', folder, 'push', remote, 'main'])
  await until('its build is under way', async () => (await deploymentsOf(app))[0]?.status === 'building')
  child.kill('SIGKILL')
  const [{ id = '' } = {}] = await deploymentsOf(app)
  await cancelDeployment(host.berth.platform, operator, id)
  await host.untilStatus(id, 'canceled')
}, 120_000)
