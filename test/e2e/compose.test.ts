/** docker-compose.yml in a Docker of its own, on images that stand in for the public ones. */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { processStart, run } from '../../cli/processes.ts'
import { commandLine } from '../../engine/sys/processes.ts'
import type { App, Deployment, Page, Team } from '../../platform/model/resources.ts'
import { askApi, removeApps } from '../support/berth-home.ts'
import { startDocker, type TestDocker } from '../support/docker.ts'
import { get } from '../support/edge.ts'
import { instanceOf, leftOnHost } from '../support/engine.ts'
import { freePort } from '../support/registry.ts'
import { makeStandIns, type StandIns } from '../support/stand-ins.ts'
import { until } from '../support/until.ts'

const parts = ['postgres', 'redis', 'registry', 'web', 'worker', 'edge']
const oneShots = ['home', 'migrate', 'welcome']

let docker: TestDocker
let standIns: StandIns
let home: string
let port: number
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  home = join(await mkdtemp(join(tmpdir(), 'berth-compose-')), 'home')
  port = await freePort()
  ;[docker, standIns] = await Promise.all([startDocker(), makeStandIns()])
  env = {
    ...process.env,
    ...standIns.env,
    BERTH_HOME: home,
    BERTH_PORT: String(port),
    DOCKER_HOST: docker.host,
    COMPOSE_PROJECT_NAME: 'berth',
    // Compose builds by itself, and needs no other client.
    COMPOSE_DOCKER_CLI_BUILD: '0',
  }
  await run(['docker-compose', '-f', standIns.file, 'build', 'node'], { env })
  await Promise.all([
    run(['docker-compose', '-f', standIns.file, 'build', 'parts'], { env }),
    // This Docker has no network of its own to build in.
    run(['docker-compose', '-f', 'docker-compose.yml', '-f', standIns.override, 'build'], { env }),
  ])
  await compose('up', '-d', '--no-build')
  // Two minutes of two processors' work, all in all; others may want them too.
}, 1_500_000)

afterAll(async () => {
  if (docker) await compose('down', '--timeout', '5').catch(() => {})
  await docker?.close()
  if (home) {
    await removeApps(home)
    rmSync(join(home, '..'), { recursive: true, force: true })
  }
  await standIns?.close()
})

function compose(...args: string[]): Promise<string> {
  return run(['docker-compose', ...args], { env, signal: AbortSignal.timeout(240_000) })
}

interface Inspected {
  Id: string
  Config: { User: string }
  State: { Pid: number; Status: string; ExitCode: number; Health?: { Status: string } }
}

async function inspect(service: string): Promise<Inspected> {
  const filters = JSON.stringify({ label: [`com.docker.compose.service=${service}`] })
  const found = await docker.ask<{ Id: string }[]>(
    `/containers/json?all=true&filters=${encodeURIComponent(filters)}`,
  )
  expect(found.map(() => service)).toEqual([service])
  return docker.ask<Inspected>(`/containers/${found[0]?.Id}/json`)
}

function isHealthy(service: string): Promise<Inspected> {
  return until(`${service} is healthy`, async () => {
    const found = await inspect(service)
    return found.State.Health?.Status === 'healthy' && found
  })
}

async function linesOfWelcome(): Promise<Record<string, string>> {
  await until(
    'the welcome app was deployed',
    async () => (await inspect('welcome')).State.Status === 'exited',
  )
  const log = await compose('logs', '--no-color', 'welcome')
  return Object.fromEntries(
    [...log.matchAll(/(Dashboard|Set-up link|Welcome app) +(http\S+)/g)].map(([, a, b]) => [a, b]),
  )
}

function open(url = ''): ReturnType<typeof get> {
  const { host, pathname, search } = new URL(url)
  return get(port, host, { path: `${pathname}${search}` })
}

async function welcomeApp(): Promise<App> {
  const teams = (await askApi(home, 'GET', '/teams')).body as Page<Team>
  const apps = (await askApi(home, 'GET', `/teams/${teams.data[0]?.id}/apps`)).body as Page<App>
  const app = apps.data.find(({ slug }) => slug === 'welcome')
  if (!app) throw new Error('there is no welcome app')
  return app
}

/** The first process of each container of an app, with the moment of its start. */
function appProcesses(): string[] {
  const bundles = `/run/berth/${instanceOf(join(home, 'engine'))}/bundles`
  return readdirSync(bundles).map((id) => {
    const pid = readFileSync(join(bundles, id, 'pid'), 'utf8').trim()
    return `${id} ${pid} ${processStart(Number(pid))}`
  })
}

function mountedRoots(): string[] {
  return docker
    .mounts()
    .map((line) => line.split(' ')[4] ?? '')
    .filter((target) => target.includes(instanceOf(join(home, 'engine'))))
}

test('the file is valid, whether nothing is set or everything', async () => {
  const bare = await run(['docker-compose', 'config'], { env: { PATH: process.env.PATH } })
  expect(bare).toContain('/var/lib/berth:/var/lib/berth')
  expect(bare).toContain('7080')
  const set = {
    PATH: process.env.PATH,
    BERTH_HOME: '/srv/berth',
    BERTH_PORT: '80',
    BERTH_DOMAIN: 'example.org',
  }
  const whole = await run(['docker-compose', 'config'], { env: set })
  expect(whole).not.toContain('/var/lib/berth')
  expect(whole).not.toContain('7080')
  const services = (await run(['docker-compose', 'config', '--services'], { env: set })).trim().split('\n')
  expect(services.sort()).toEqual([...parts, ...oneShots].sort())
})

test('every part is healthy, and what prepares them has ended well', async () => {
  for (const name of parts) await isHealthy(name)
  await linesOfWelcome()
  for (const name of oneShots)
    expect({ name, state: (await inspect(name)).State }).toMatchObject({
      name,
      state: { Status: 'exited', ExitCode: 0 },
    })
})

test('the welcome app is live, and the three addresses answer', async () => {
  const lines = await linesOfWelcome()
  expect(Object.keys(lines)).toEqual(['Dashboard', 'Set-up link', 'Welcome app'])
  expect((await open(lines.Dashboard)).status).toBeLessThan(400)
  expect((await open(lines['Set-up link'])).status).toBe(200)
  const page = await open(lines['Welcome app'])
  expect(page.status).toBe(200)
  expect(page.body).toContain('welcome-0')
})

test('whoever needs no rights has none', async () => {
  for (const name of ['postgres', 'redis', 'registry', 'web']) {
    const status = readFileSync(`/proc/${(await inspect(name)).State.Pid}/status`, 'utf8')
    const of = (field: string) => new RegExp(`^${field}:\\s+(.*)$`, 'm').exec(status)?.[1]
    expect({ name, uid: of('Uid'), capabilities: of('CapBnd'), privileges: of('NoNewPrivs') }).toEqual({
      name,
      uid: ['65532', '65532', '65532', '65532'].join('\t'),
      capabilities: '0000000000000000',
      privileges: '1',
    })
  }
  for (const path of ['/opt/berth/here', `${home}/here`, `${home}/secrets/here`])
    await expect(compose('exec', '-T', 'web', 'touch', path)).rejects.toThrow(/Read-only|denied/)
  await expect(compose('exec', '-T', 'web', 'ls', `${home}/engine`)).rejects.toThrow(/No such file/)
})

test.each([
  ['restarted', () => compose('restart', 'worker')],
  ['replaced', () => compose('up', '-d', '--no-build', '--no-deps', '--force-recreate', 'worker')],
  ['killed', async () => process.kill((await inspect('worker')).State.Pid, 'SIGKILL')],
])('an app runs on while the worker is %s', async (_, change) => {
  const before = appProcesses()
  expect(before).toHaveLength(1)
  expect(before[0]).not.toContain('null')
  const { Dashboard, ...lines } = await linesOfWelcome()
  const { State } = await isHealthy('worker')
  await change()
  await until('another worker is healthy', async () => {
    const now = await inspect('worker')
    return now.State.Pid !== State.Pid && now.State.Health?.Status === 'healthy'
  })
  expect((await open(lines['Welcome app'])).status).toBe(200)
  expect(appProcesses()).toEqual(before)
})

test('a worker that found the app running replaces it, and drops what the one before it mounted', async () => {
  const [before] = appProcesses()
  const { id } = await welcomeApp()
  const asked = await askApi(home, 'POST', `/apps/${id}/deployments`)
  expect(asked.status).toBe(202)
  const deployment = asked.body as Deployment
  await until('it is live', async () => {
    const { status } = (await askApi(home, 'GET', `/deployments/${deployment.id}`)).body as Deployment
    expect(status).not.toBe('failed')
    return status === 'live'
  })
  expect((await open((await linesOfWelcome())['Welcome app'])).status).toBe(200)
  await until('one container is left', () => appProcesses().length === 1 && mountedRoots().length === 1)
  expect(appProcesses()[0]).not.toBe(before)
})

test('up once more changes nothing that runs', async () => {
  const ids = async () => Promise.all(parts.map(async (name) => (await inspect(name)).State.Pid))
  const before = { ids: await ids(), settings: readFileSync(join(home, 'settings.json'), 'utf8') }
  await compose('up', '-d', '--no-build')
  for (const name of parts) await isHealthy(name)
  expect({ ids: await ids(), settings: readFileSync(join(home, 'settings.json'), 'utf8') }).toEqual(before)
})

test('apps stop when asked to, and then down leaves nothing but the home folder', async () => {
  const instance = instanceOf(join(home, 'engine'))
  await compose('exec', '-T', 'worker', 'berth', 'service', 'stop-apps')
  expect(appProcesses()).toEqual([])
  await compose('down')
  expect(await docker.ask('/containers/json?all=true')).toEqual([])
  expect((await docker.ask<{ Volumes: unknown[] | null }>('/volumes')).Volumes ?? []).toEqual([])
  expect(leftOnHost(join(home, 'engine'))).toEqual([])
  expect(mountedRoots()).toEqual([])
  expect(await run(['nft', 'list', 'tables'])).not.toContain(instance)
  const groups = readdirSync('/sys/fs/cgroup').flatMap((name) => [name, ...listing(`/sys/fs/cgroup/${name}`)])
  expect(groups.filter((name) => name.includes(instance))).toEqual([])
  const processes = readdirSync('/proc').map((name) => commandLine(Number(name)).join(' '))
  expect(processes.filter((line) => line.includes(home) && !line.includes('containerd'))).toEqual([])
  await expect(open(`http://localhost:${port}`)).rejects.toThrow()
})

function listing(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
