/** What members do about an app by the command line: a process of its own, the real API and a worker. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { serve } from '@hono/node-server'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createApi } from '../../app/api/v1/_routes/api.ts'
import { cronJobOf } from '../../cli/app/cron.ts'
import { numberOf } from '../../cli/app/open.ts'
import { processOf } from '../../cli/app/processes.ts'
import { setterOf } from '../../cli/app/records.ts'
import { valuesOf } from '../../cli/app/variables.ts'
import { getApp } from '../../platform/apps.ts'
import type { App } from '../../platform/model/resources.ts'
import { getProject } from '../../platform/projects.ts'
import { createToken } from '../../platform/tokens.ts'
import { checkout } from '../support/berth-home.ts'
import { operator } from '../support/platform.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

let host: TestHost
let api: ReturnType<typeof serve>
let app: App
let environment: Record<string, string>
let viewerEnvironment: Record<string, string>

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  await host.startWorker()
  const { platform, makeUser } = host.berth
  api = serve({ fetch: createApi(platform).fetch, port: 0, hostname: '127.0.0.1' })
  await once(api, 'listening')
  app = await host.makeApp('registry.example/app:1')
  const environmentOf = async (role: 'developer' | 'viewer') => {
    const { viewer } = await makeUser({ teamId: host.teamId, role })
    const { secret } = await createToken(platform, viewer, { name: role, role })
    return { BERTH_URL: `http://127.0.0.1:${(api.address() as AddressInfo).port}`, BERTH_TOKEN: secret }
  }
  environment = await environmentOf('developer')
  viewerEnvironment = await environmentOf('viewer')
})
afterAll(async () => {
  api?.close()
  await host?.close()
})

/** Ends with what was said. Throws with it where the command fails. */
async function berth(argv: string[], { input = '', env = environment } = {}): Promise<string> {
  const child = spawn(process.execPath, [join(checkout, 'cli/main.ts'), ...argv], {
    cwd: checkout,
    env: { ...process.env, XDG_CONFIG_HOME: '/nonexistent', ...env },
  })
  child.stdin.end(input)
  const said = Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = await once(child, 'close')
  const [out, wrong] = await said
  if (code !== 0) throw new Error(wrong)
  return out
}
const of = (...argv: string[]) => berth([argv[0] ?? '', argv[1] ?? '', app.slug, ...argv.slice(2)])
const now = () => getApp(host.berth.platform, operator, app.id)
const settings = async () => (await now()).settings

test('processes and ports: given, shown, changed and taken away', async () => {
  await of(
    'processes',
    'set',
    'relay',
    '--replicas',
    '2',
    '--memory',
    '64',
    '--cpus',
    '0.5',
    '--',
    'relay',
    '--fast',
  )
  expect((await settings()).processes.relay).toMatchObject({
    ...{ command: ['relay', '--fast'], replicas: 2 },
    limits: { memoryBytes: 64 * 2 ** 20, cpuMillis: 500 },
  })
  expect(await of('processes', 'list')).toMatch(/^relay +2 +0 +67.1 MB +0.5 +relay --fast$/m)
  const added = await of(
    'ports',
    'add',
    '--to',
    '7000',
    '--udp',
    '--process',
    'relay',
    '--from',
    '192.0.2.0/24',
  )
  expect(added).toMatch(/^\S+:\d+ \(udp\) leads to port 7000 of /)
  const [name = ''] = Object.keys((await settings()).ports)
  expect((await settings()).ports).toEqual({
    [name]: { process: 'relay', containerPort: 7000, sources: ['192.0.2.0/24'] },
  })
  expect(await of('ports', 'list')).toMatch(/ relay:7000 +192\.0\.2\.0\/24 +from the next deployment on$/m)
  await of('ports', 'change', name, '--to', '7001', '--from-everybody')
  expect((await settings()).ports[name]).toEqual({ process: 'relay', containerPort: 7001, sources: [] })
  await expect(of('processes', 'remove', 'relay')).rejects.toThrow(/has the port/)
  await of('ports', 'remove', name)
  await of('processes', 'remove', 'relay')
  expect(await settings()).toMatchObject({ ports: {}, processes: {} })
  expect(await of('ports', 'list')).toMatch(/has no ports/)
  await expect(of('ports', 'add', '--to', '70000')).rejects.toThrow('must be 1–65535')
  await expect(of('ports', 'remove', 'tcp-1')).rejects.toThrow('The app has no port tcp-1.')
}, 60_000)

test('variables: set, from the environment and standard input too, written as a file and read back', async () => {
  const { BERTH_URL, BERTH_TOKEN } = environment
  const set = ['variables', 'set', app.slug]
  await berth([...set, 'PLAIN=a b=c', 'FROM_HERE'], {
    env: { BERTH_URL: BERTH_URL ?? '', BERTH_TOKEN: BERTH_TOKEN ?? '', FROM_HERE: 'here' },
  })
  await berth([...set, '--secret', 'KEY=-'], { input: 'hidden\n' })
  const list = await of('variables', 'list')
  expect(list).toMatch(/^FROM_HERE +here$/m)
  expect(list).toMatch(/^KEY +\(secret\)$/m)
  expect(list).not.toContain('hidden')
  // A secret that is set anew stays one.
  await of('variables', 'set', 'KEY=other')
  expect(await of('variables', 'list')).toMatch(/^KEY +\(secret\)$/m)
  const file = await of('variables', 'export')
  expect(file).not.toMatch(/hidden|other/)
  await of('variables', 'unset', 'PLAIN', 'FROM_HERE')
  expect(await of('variables', 'list')).not.toMatch(/PLAIN|FROM_HERE/)
  await berth(['variables', 'import', app.slug], { input: file })
  expect(await of('variables', 'export')).toBe(file)
  await expect(of('variables', 'set', '1ST=x')).rejects.toThrow(/1ST|name/)
}, 60_000)

test('what the apps of an environment share is set, shown and taken away in the same ways', async () => {
  const { slug } = await getProject(host.berth.platform, operator, app.projectId)
  const env = (verb: string, ...argv: string[]) => berth(['env', verb, `acme/${slug}`, ...argv])
  expect(await berth(['env', 'list', slug])).toMatch(/^The apps of acme\/\S+ \(production\) share none\.$/m)
  expect(await env('set', 'REGION=eu')).toMatch(/^REGION of acme\/\S+ \(production\) set, for the next/)
  await berth(['env', 'set', slug, '--secret', '--file', '/run/secrets/licence', 'LICENCE=-'], {
    input: 'hidden',
  })
  const list = await env('list')
  expect(list).toMatch(/^REGION +eu$/m)
  expect(list).toMatch(/^LICENCE +\(secret\) +\/run\/secrets\/licence$/m)
  const file = await env('export')
  expect(file).toBe('# LICENCE is a secret\nREGION=eu\n')
  await env('unset', 'REGION')
  await berth(['env', 'import', slug], { input: file })
  expect(JSON.parse(await env('list', '--json'))).toMatchObject([{ name: 'LICENCE' }, { value: 'eu' }])
  // An app's own are others.
  expect(await of('variables', 'list')).not.toContain('REGION')
  await of('variables', 'set', 'WHERE=$'.concat('{{REGION}}'))
  await expect(env('unset', 'REGION')).rejects.toThrow(/refers to REGION/)
  await of('variables', 'unset', 'WHERE')
  await env('unset', 'REGION', 'LICENCE')
  await expect(env('list', '--environment', 'staging')).rejects.toThrow('It has production.')
  await expect(berth(['env', 'list', 'nowhere'])).rejects.toThrow(
    /no project nowhere that you see\. There is\n {2}acme\//,
  )
  await expect(berth(['env', 'list', 'a/b/c'])).rejects.toThrow('names no project')
  const looking = { env: viewerEnvironment }
  await expect(berth(['env', 'list', slug], looking)).rejects.toThrow(/may not|role/i)
}, 60_000)

test('domains: added, shown what is to be done, redirected, taken away; and an app says that it has none', async () => {
  const name = 'shop.example.com'
  expect(await of('domains', 'add', name)).toMatch(
    /leads nowhere until it is shown that it is yours\.\nTo show that .* set the TXT record _berth-challenge\.shop\.example\.com to berth-/,
  )
  await of('domains', 'add', 'shop.test', '--path', '/api', '--strip')
  const list = await of('domains', 'list')
  expect(list).toMatch(/^shop\.test\/api +the app +active/m)
  expect(list).toMatch(/^shop\.example\.com +the app +to be shown/m)
  await of('domains', 'remove', 'shop.test/api')
  await expect(of('domains', 'remove', 'shop.test/api')).rejects.toThrow(
    /has no name shop\.test\/api\. It has/,
  )
  const records = ['domains', 'records', app.slug, name, '--server', '127.0.0.1', '--key', 'k.example']
  await expect(berth(records, { input: 'c2VjcmV0IG9mIGEga2V5\n' })).rejects.toThrow(
    /Show first that the name is yours/,
  )
  await of('domains', 'off')
  expect(await settings()).toMatchObject({ isPublic: false })
  expect((await now()).urls).toEqual([])
  expect(await of('domains', 'list')).toMatch(/is set to have no public name/)
  await of('domains', 'on')
  expect((await now()).urls).toHaveLength(1)
}, 60_000)

test('volumes and cron jobs: made, shown, deleted and put back', async () => {
  await of('volumes', 'create', 'data', '--path', '/data', '--size', '0.0625')
  expect(await of('volumes', 'list')).toMatch(/^data +\/data +67.1 MB/m)
  expect(await of('volumes', 'delete', 'data')).toMatch(/can be undone/)
  expect(await of('volumes', 'list')).toMatch(/deleted, gone on 20/)
  await of('volumes', 'undelete', 'data')
  await expect(of('volumes', 'restore', 'vsn_none')).rejects.toThrow(/has no snapshot vsn_none/)
  await expect(of('volumes', 'snapshot', 'other')).rejects.toThrow(
    'The app has no volume other. It has data.',
  )
  const add = ['cron', 'add', 'nightly', '--schedule', '0 3 * * *', '--time-zone', 'Asia/Shanghai']
  await of(...add, '--', 'rake', 'db:vacuum', '--all')
  expect(await of('cron', 'list')).toMatch(
    /^nightly +0 3 \* \* \* \(Asia\/Shanghai\).* never +rake db:vacuum --all$/m,
  )
  await of('cron', 'pause', 'nightly')
  expect(await of('cron', 'list')).toMatch(/switched off/)
  await of('cron', 'resume', 'nightly')
  await expect(of('cron', 'add', 'never', '--schedule', '0 0 30 2 *', '--', 'true')).rejects.toThrow(
    /never comes/,
  )
  await of('cron', 'remove', 'nightly')
  expect(await of('cron', 'list')).toMatch(/has no cron jobs/)
}, 60_000)

test('who may only look is told so', async () => {
  const look = { env: viewerEnvironment }
  expect(await berth(['ports', 'list', app.slug], look)).toMatch(/has no ports/)
  for (const argv of [
    ['ports', 'add', app.slug, '--to', '80'],
    ['domains', 'add', app.slug, 'a.test'],
    ['variables', 'set', app.slug, 'A=b'],
    ['processes', 'set', app.slug, 'w', 'true'],
  ])
    await expect(berth(argv, look)).rejects.toThrow(/may not|role/i)
}, 60_000)

test('what is typed becomes what the API takes', async () => {
  expect(processOf(['--', 'a', '-b'], { entrypoint: ['/e', 'x'], grace: '1.5' })).toEqual({
    ...{ command: ['a', '-b'], entrypoint: ['/e', 'x'], stopGraceMs: 1_500 },
  })
  expect(cronJobOf('n', ['a'], { schedule: '@daily', limit: '60' })).toEqual({
    ...{ name: 'n', schedule: '@daily', command: ['a'], timeoutMs: 60_000 },
  })
  for (const text of ['', ' ', 'x', '1GB', 'Infinity']) expect(() => numberOf('size', text)).toThrow('--size')
  const read = async () => 'c2VjcmV0'
  expect(await setterOf({ server: 'ns1', key: 'k', zone: 'z' }, read)).toEqual({
    ...{ kind: 'rfc2136', server: 'ns1', keyName: 'k', zone: 'z', secret: 'c2VjcmV0' },
  })
  expect(await setterOf({ webhook: 'https://x' }, read)).toEqual({
    kind: 'webhook',
    url: 'https://x',
    token: '',
  })
  for (const wrong of [{}, { server: 'ns1' }, { server: 'ns1', key: 'k', webhook: 'https://x' }])
    await expect(setterOf(wrong, read)).rejects.toThrow(/--/)
  expect(await valuesOf(['A=', 'B==', 'C=-'], read, {})).toEqual([
    ...[{ name: 'A', value: '' }],
    ...[{ name: 'B', value: '=' }],
    ...[{ name: 'C', value: 'c2VjcmV0' }],
  ])
  await expect(valuesOf(['A=-', 'B=-'], read, {})).rejects.toThrow(/one variable only/)
  await expect(valuesOf(['A'], read, {})).rejects.toThrow(/A has no value/)
})
