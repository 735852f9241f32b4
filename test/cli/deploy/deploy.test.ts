import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type ServerType, serve } from '@hono/node-server'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createApi } from '../../../app/api/v1/_routes/api.ts'
import { cancelDeployment, listDeployments } from '../../../platform/deployments.ts'
import type { App } from '../../../platform/model/resources.ts'
import { createToken } from '../../../platform/tokens.ts'
import { operator } from '../../support/platform.ts'
import { until } from '../../support/until.ts'
import { startTestHost, type TestHost } from '../../support/worker.ts'

let host: TestHost
let web: ServerType
let folder: string
let environment: Record<string, string>
let app: App

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  await host.push('base:1', { history: [{ created_by: 'busybox' }, { created_by: 'base' }] })
  await host.startWorker()
  web = serve({ fetch: createApi(host.berth.platform).fetch, port: 0, hostname: '127.0.0.1' })
  await once(web, 'listening')
  const { viewer } = await host.berth.makeUser({ teamId: host.teamId, role: 'developer' })
  const { secret } = await createToken(host.berth.platform, viewer, { name: 'test', role: 'developer' })
  folder = mkdtempSync(join(tmpdir(), 'berth-test-deploy-'))
  environment = {
    XDG_CONFIG_HOME: join(folder, '.config'),
    BERTH_URL: `http://127.0.0.1:${(web.address() as AddressInfo).port}`,
    BERTH_TOKEN: secret,
  }
  app = await host.makeApp(`${host.berth.config.registryHost}/acme/none:latest`)
})

afterAll(async () => {
  web?.close()
  await host?.close()
  if (folder) rmSync(folder, { recursive: true, force: true })
})

/** A folder whose Dockerfile has these steps. */
function source(steps: string, files: Record<string, string> = {}): string {
  const at = mkdtempSync(join(folder, 'source-'))
  const dockerfile = `FROM ${host.berth.config.registryHost}/acme/base:1\n${steps}\n`
  for (const [name, content] of Object.entries({ Dockerfile: dockerfile, ...files })) {
    mkdirSync(dirname(join(at, name)), { recursive: true })
    writeFileSync(join(at, name), content)
  }
  return at
}

function berth(words: string[], changes: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['cli/main.ts', ...words], {
    cwd: join(import.meta.dirname, '../../..'),
    env: { ...process.env, HOME: folder, ...environment, ...changes },
    stdio: 'pipe',
  })
  child.stdin.end()
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, said }))
  return { child, ended, said: () => said }
}

test('a folder goes live: it says each step and the address, and sends what is not ignored', async () => {
  const at = source('ARG WHO\nRUN echo "hello $WHO"\nCOPY . /www/', {
    'index.html': 'from a folder',
    'left.log': 'x',
    '.gitignore': '*.log\n',
  })
  const { code, said } = await berth(['deploy', at, '--app', app.slug, '--build-arg', 'WHO'], { WHO: 'you' })
    .ended
  expect(said).toContain('hello you')
  expect(said).toMatch(/✓ sent .* \(\d/)
  for (const step of ['building the image', 'switching traffic'])
    expect(said).toMatch(new RegExp(`✓ ${step} \\(`))
  expect(said).toMatch(/Deployment #1 is live \(.*\)\nhttp:\/\/\S+\n$/)
  expect(said.trim().split('\n').at(-1)).toBe(app.urls[0])
  expect(code).toBe(0)
  expect(await host.ask(app)).toMatchObject({ status: 200, body: 'from a folder' })
  expect(await host.ask(app, '/left.log')).toMatchObject({ status: 404 })
})

test('a build that fails ends with 1 and its cause, after all that it said', async () => {
  const { code, said } = await berth(['deploy', source('RUN echo the reason && exit 7'), '--app', app.slug])
    .ended
  expect(code).toBe(1)
  expect(said).toContain('the reason')
  expect(said).toMatch(
    /berth: Deployment #\d+ failed at build, build-failed \(exit code \d+\): The build failed/,
  )
})

test('a deployment that fails ends with 1, its cause and its last lines', async () => {
  const steps = 'CMD ["sh", "-c", "echo last words; exit 3"]\nENTRYPOINT []'
  const { code, said } = await berth(['deploy', source(steps), '--app', app.slug]).ended
  expect(code).toBe(1)
  expect(said).toMatch(/failed at \w+, exited \(exit code 3\)/)
  expect(said).toContain('| last words')
})

test('Ctrl-C calls the deployment off and waits for its end', async () => {
  const { child, ended, said } = berth(['deploy', source('RUN echo begun && sleep 600'), '--app', app.slug])
  await until('it builds', () => /^ {2}begun$/m.test(said()))
  child.kill('SIGINT')
  const { code } = await ended
  expect(said()).toMatch(/Calling deployment #\d+ off/)
  expect(said()).toMatch(/Deployment #\d+ was called off\.\n$/)
  expect(code).toBe(130)
  const { data } = await listDeployments(host.berth.platform, operator, app.id, { limit: 1 })
  expect(data[0]?.status).toBe('canceled')
})

test('--no-follow returns once it was asked for', async () => {
  const { code, said } = await berth(['deploy', source('RUN sleep 600'), '--app', app.slug, '--no-follow'])
    .ended
  expect(code).toBe(0)
  expect(said).toMatch(/Deployment #(\d+) of acme\/\S+ was asked for: http/)
  const { data } = await listDeployments(host.berth.platform, operator, app.id, { limit: 1 })
  expect(['queued', 'building']).toContain(data[0]?.status)
  await cancelDeployment(host.berth.platform, operator, data[0]?.id ?? '')
})

test('what is wrong is said before anything is sent', async () => {
  const at = source('RUN true')
  const wrong = async (words: string[], changes = {}) =>
    (await berth(['deploy', at, ...words], changes).ended).said
  expect(await wrong(['--app', 'nobody'])).toMatch(/There is no app nobody that you see at .*\n {2}acme\//s)
  expect(await wrong([], { BERTH_TOKEN: 'bth_wrong' })).toContain('The token is unknown, revoked or expired.')
  expect(await wrong([], { BERTH_URL: 'http://127.0.0.1:9' })).toContain('does not answer')
  expect(await wrong(['--app', app.slug, '--build-arg', 'NOT_THERE'])).toContain('it has no value')
  expect(await wrong(['--app', app.slug, '--target', '-x'])).toContain('must be the name of a stage')
})

test('--create makes the app in a project that is there, once', async () => {
  const project = await host.berth.makeProject(host.teamId, 'Made')
  const name = `${project.slug}/fresh`
  const at = source('COPY Dockerfile /www/index.html')
  const first = await berth(['deploy', at, '--app', name, '--create']).ended
  expect(first).toMatchObject({ code: 0, said: expect.stringContaining(`Made the app acme/${name}.`) })
  const again = await berth(['deploy', at, '--app', name, '--create', '--no-follow']).ended
  expect(again).toMatchObject({ code: 0, said: expect.not.stringContaining('Made the app') })
  const wrong = await berth(['deploy', at, '--app', 'nowhere/fresh', '--create']).ended
  expect(wrong.said).toContain('There is no project nowhere')
})

test('login keeps a token that works, and whoami says whose it is', async () => {
  const { BERTH_URL: url = '', BERTH_TOKEN: token = '' } = environment
  const bare = { BERTH_URL: '', BERTH_TOKEN: '' }
  const given = berth(['login', url, '--token-stdin'], bare)
  expect((await given.ended).said).toContain('That is no token')
  const child = spawn(process.execPath, ['cli/main.ts', 'login', url, '--token-stdin'], {
    cwd: join(import.meta.dirname, '../../..'),
    env: { ...process.env, ...environment, ...bare },
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  child.stdin?.end(`${token}\n`)
  expect((await once(child, 'exit'))[0]).toBe(0)
  expect((await berth(['whoami'], bare).ended).said).toMatch(/@example\.com> at http/)
  await berth(['logout'], bare).ended
  expect((await berth(['whoami'], bare).ended).said).toContain('berth login')
})
