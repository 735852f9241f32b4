/** A whole host: platform, registry, HAProxy, and the worker as a process of its own, as the supervisor starts it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, inject } from 'vitest'
import { createEngine } from '../../engine/index.ts'
import { createDeployment, getDeployment } from '../../platform/deployments.ts'
import type { AppSettingsInput } from '../../platform/model/app-settings.ts'
import type { DeploymentStatus } from '../../platform/model/deployment-status.ts'
import type { App, Deployment } from '../../platform/model/resources.ts'
import { type Answer, get, spawnHaproxy } from './edge.ts'
import { type ImageSpec, pushImage } from './images.ts'
import { leadSocket } from './lead-socket.ts'
import { openTestPlatform, operator, type TestPlatform, type TestServers } from './platform.ts'
import { freePort, startRegistry, type TestRegistry } from './registry.ts'
import { until } from './until.ts'

export interface TestHost {
  berth: TestPlatform
  registry: TestRegistry
  teamId: string
  startWorker(): Promise<void>
  /** Ends the worker; its containers run on. */
  stopWorker(signal: NodeJS.Signals): Promise<{ code: number | null; log: string }>
  /** Whether it is the process that startWorker() made. */
  isWorkerAlive(): boolean
  /** Ends HAProxy and starts another. */
  restartEdge(): Promise<void>
  /** HAProxy executes itself anew, as after an upgrade; its listening sockets stay. */
  reloadEdge(): Promise<void>
  /** To all of HAProxy's processes: SIGSTOP makes an edge that does not answer. */
  signalEdge(signal: NodeJS.Signals): void
  /** Pushes an image to the host's own registry; answers with its reference. */
  push(name: string, spec?: ImageSpec): Promise<string>
  makeApp(image: string, settings?: Partial<AppSettingsInput>): Promise<App>
  deploy(appId: string, image?: string): Promise<Deployment>
  untilStatus(deploymentId: string, ...statuses: DeploymentStatus[]): Promise<Deployment>
  /** Asks the app through the edge. */
  ask(app: App, path?: string): Promise<Answer>
  close(): Promise<void>
}

/** Processes of a container, as the host sees them. */
export function pidsOf(containerId: string): number[] {
  const [file = ''] = globSync(`/sys/fs/cgroup/**/*${containerId}*/cgroup.procs`)
  return readFileSync(file, 'utf8').trim().split('\n').map(Number)
}

/** Serves /www on $PORT and ends at once when told to. */
export const webServer = ['/bin/sh', '-c', 'trap "exit 0" TERM; httpd -f -p $PORT -h /www & wait']

/** Quick checks, so that tests do not wait. */
export const quickSettings: Partial<AppSettingsInput> = {
  healthCheck: { intervalMs: 100, startPeriodMs: 30_000, observationMs: 300 },
  limits: { memoryBytes: 64 * 2 ** 20, cpuMillis: 500, pids: 64 },
  stopGraceMs: 2_000,
}

export interface TestHostOptions {
  /** The engine's state lies on a disk of its own, of this size. */
  diskBytes?: number
  privateHosts?: string
  /** Where the edge finds the web app, if the test has one. */
  webPort?: number
}

/**
 * A host with its worker, for all tests of a file. There is nothing in it until they run; it is closed after the last.
 */
export function testHostForAll(options: TestHostOptions = {}): TestHost {
  const host = {} as TestHost
  beforeAll(async () => {
    const servers = { postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') }
    Object.assign(host, await startTestHost(servers, options))
    await host.startWorker()
  })
  afterAll(() => host.close?.())
  return host
}

export async function startTestHost(
  servers: TestServers,
  { diskBytes, privateHosts, webPort }: TestHostOptions = {},
): Promise<TestHost> {
  const registry = await startRegistry()
  const port = await freePort()
  const berth = await openTestPlatform(servers, {
    port,
    registryKey: true,
    privateHosts,
    webPort,
  })
  const { config, platform } = berth
  const leaveRegistry = await leadSocket(config.registrySocket, registry.port)
  await mkdir(join(config.home, 'run'), { recursive: true })
  const disk = diskBytes === undefined ? null : join(config.home, 'engine')
  if (disk !== null) {
    await mkdir(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes},mode=711`, 'berth-test', disk])
  }
  const team = await berth.makeTeam('Acme')
  const ready = join(config.home, 'run/worker.ready')
  let worker: { child: ChildProcess; output: string[] } | null = null
  let haproxy: ChildProcess | null = null

  async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  async function startEdge(): Promise<void> {
    haproxy = spawnHaproxy(config.home)
    await until('the edge answers', async () => (await get(port, 'nobody.example')).status === 404)
  }

  /** Pid of the process that serves now. */
  async function workersOfEdge(): Promise<string> {
    const master = connect(join(config.home, 'run/edge-master.sock'))
    master.end('show proc\n')
    return /^(\d+)\s+worker/m.exec(await text(master))?.[1] ?? ''
  }

  const host: TestHost = {
    berth,
    // Who asks for one that is gone finds nobody at its socket.
    registry: {
      ...registry,
      async stop() {
        await leaveRegistry()
        await registry.stop()
      },
    },
    teamId: team.id,
    async startWorker() {
      // It inherits a mask that nothing may depend on.
      const umask = process.umask(0o077)
      const child = spawn(process.execPath, ['worker/main.ts'], {
        cwd: join(import.meta.dirname, '../..'),
        env: { ...process.env, ...berth.environment, BERTH_LOG_LEVEL: 'info' },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      process.umask(umask)
      const output: string[] = []
      worker = { child, output }
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (chunk) => output.push(String(chunk)))
      await until(`the worker is ready`, () => {
        if (child.exitCode !== null) throw new Error(`the worker ended:\n${output.join('')}`)
        // One that was killed left its own behind.
        return existsSync(ready) && JSON.parse(readFileSync(ready, 'utf8')).pid === child.pid
      })
      if (haproxy === null) await startEdge()
    },
    async restartEdge() {
      if (haproxy !== null) await stop(haproxy, 'SIGTERM')
      await startEdge()
    },
    async reloadEdge() {
      const before = await workersOfEdge()
      haproxy?.kill('SIGUSR2')
      await until('another HAProxy serves', async () => (await workersOfEdge()) !== before)
    },
    signalEdge(signal) {
      const master = haproxy?.pid ?? 0
      const children = readFileSync(`/proc/${master}/task/${master}/children`, 'utf8').trim().split(' ')
      for (const pid of [master, ...children.map(Number)]) process.kill(pid, signal)
    },
    async stopWorker(signal) {
      if (worker === null) return { code: null, log: '' }
      const { child, output } = worker
      worker = null
      await stop(child, signal)
      return { code: child.exitCode, log: output.join('') }
    },
    isWorkerAlive: () => worker?.child.exitCode === null && worker.child.signalCode === null,
    async push(name, spec = {}) {
      await pushImage(registry, `acme/${name}`, {
        entrypoint: webServer,
        files: { 'www/index.html': name },
        ...spec,
      })
      return `${config.registryHost}/acme/${name}${name.includes(':') ? '' : ':latest'}`
    },
    makeApp: (image, settings = {}) =>
      berth.makeApp(team.id, { settings: { ...quickSettings, image, ...settings } }),
    deploy: (appId, image) =>
      createDeployment(platform, operator, appId, image === undefined ? {} : { image }),
    async untilStatus(deploymentId, ...statuses) {
      const ends: DeploymentStatus[] = ['live', 'failed', 'canceled', 'superseded', ...statuses]
      const deployment = await until(`the deployment is ${statuses.join(' or ')}`, async () => {
        const now = await getDeployment(platform, operator, deploymentId)
        return ends.includes(now.status) && now
      })
      if (statuses.includes(deployment.status)) return deployment
      const { status, failure } = deployment
      throw new Error(`it is ${status}: ${JSON.stringify(failure)}\n${worker?.output.slice(-30).join('')}`)
    },
    async ask(app, path = '/') {
      return get(port, new URL(app.urls[0] ?? '').hostname, { path })
    },
    async close() {
      await host.stopWorker('SIGTERM')
      if (haproxy !== null) await stop(haproxy, 'SIGTERM')
      const engine = await createEngine({ stateDir: join(config.home, 'engine') })
      for (const { id } of await engine.containers.list()) await engine.containers.remove(id, { force: true })
      for (const { name } of await engine.networks.list()) await engine.networks.remove(name)
      await engine.close()
      if (disk !== null) execFileSync('umount', [disk])
      await berth.close()
      await host.registry.stop()
    },
  }
  return host
}
