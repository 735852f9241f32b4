/**
 * Berth's registry as users meet it: Distribution with the configuration that `berth up` writes, the token service,
 * events and deletions behind HAProxy. Only Next.js is left out: its handlers are served by Node.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import type { AddressInfo, Server } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { serve } from '@hono/node-server'
import { answerRegistryDelete } from '../../app/_server/registry-delete.ts'
import { openRegistryDoor } from '../../app/_server/registry-door.ts'
import { answerRegistryEvents } from '../../app/_server/registry-events.ts'
import { writeRegistryConfiguration } from '../../cli/parts/others.ts'
import { askSocket } from '../../platform/abstract-socket.ts'
import { makeTestEdge, type TestEdge } from './edge.ts'
import { openTestPlatform, type TestPlatform, type TestServers } from './platform.ts'
import { freePort } from './registry.ts'
import { until } from './until.ts'
import { startWorkerAndEdge } from './worker-and-edge.ts'

export interface RegistryStack extends TestPlatform {
  /** Such as localhost:40123: what images are called after. */
  host: string
  /** Processes that an image's bytes go through: Distribution's, and HAProxy's that work. */
  pids(): { registry: number; edge: number[] }
  /** Ends Distribution at once, and starts it again. */
  restartRegistry(): Promise<void>
  /** Kills the worker, and starts the next one after `meanwhile`. */
  restartWorker(meanwhile: () => Promise<void>): Promise<void>
  /** While false, the web app answers nothing: what the registry tells is lost. */
  setWeb(isUp: boolean): void
  /** Asks the edge with a token for these scopes. */
  ask(path: string, init?: RequestInit & { as?: string; scopes?: string[] }): Promise<Response>
}

/** @param withWorker a worker as a process of its own, and the edge that it configures: what is deployed is served. */
export async function startRegistryStack(
  servers: TestServers,
  { withWorker = false }: { withWorker?: boolean } = {},
): Promise<RegistryStack> {
  let platform: TestPlatform['platform'] | undefined
  let isUp = true
  const web = serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request: Request) => {
      const { pathname } = new URL(request.url)
      if (platform === undefined || !isUp) return new Response(null, { status: 503 })
      if (pathname === '/api/registry/events') return answerRegistryEvents(platform, request)
      if (pathname.startsWith('/v2/') && request.method === 'DELETE')
        return answerRegistryDelete(platform, request)
      return new Response(null, { status: 404 })
    },
  }) as Server
  if (!web.listening) await once(web, 'listening')
  const webPort = (web.address() as AddressInfo).port
  const port = await freePort()
  const berth = await openTestPlatform(servers, { port, webPort, registryKey: true })
  platform = berth.platform
  const closeDoor = await openRegistryDoor(platform)
  const { config, environment } = berth
  await mkdir(join(config.home, 'registry'), { recursive: true })
  const settings = {
    port,
    webPort,
    domain: null,
    ownHttps: false,
    hostId: config.hostId,
    createdAt: '',
    welcomed: true,
  }
  const file = writeRegistryConfiguration({ home: config.home, settings, env: environment })
  let registry: ChildProcess | null = null
  let edge: TestEdge | null = null

  async function startRegistry(): Promise<void> {
    registry = spawn('docker-registry', ['serve', file], { stdio: 'ignore' })
    await until('the registry answers', async () => {
      const { status } = await askSocket(config.registrySocket, '/v2/', {
        signal: AbortSignal.timeout(5_000),
      })
      return status === 401
    })
  }

  async function stopRegistry(): Promise<void> {
    if (registry === null || registry.exitCode !== null) return
    const exited = once(registry, 'exit')
    registry.kill('SIGKILL')
    await exited
  }

  await startRegistry()
  const worker = withWorker ? await startWorkerAndEdge(berth) : null
  if (worker === null) {
    edge = await makeTestEdge({
      port,
      webPort,
      registrySocket: config.registrySocket,
      registryTokenSocket: config.registryTokenSocket,
    })
    await edge.edge.sync()
    await edge.start()
  }
  const host = `localhost:${port}`
  return {
    ...berth,
    host,
    pids() {
      const master = edge?.pid()
      if (master === undefined || registry?.pid === undefined) throw new Error('they do not run')
      const children = readFileSync(`/proc/${master}/task/${master}/children`, 'utf8')
      return { registry: registry.pid, edge: children.trim().split(' ').map(Number) }
    },
    async restartRegistry() {
      await stopRegistry()
      await startRegistry()
    },
    setWeb(up) {
      isUp = up
    },
    async ask(path, { as, scopes = [], ...init } = {}) {
      const query = scopes.map((scope) => `&scope=${encodeURIComponent(scope)}`).join('')
      const basic: Record<string, string> =
        as === undefined ? {} : { authorization: `Basic ${btoa(`any:${as}`)}` }
      const answered = await fetch(`http://${host}/api/registry/token?service=berth-registry${query}`, {
        headers: basic,
      })
      const { token } = (await answered.json()) as { token?: string }
      return fetch(path.startsWith('http') ? path : `http://${host}${path}`, {
        ...init,
        headers: { ...init.headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      })
    },
    async restartWorker(meanwhile) {
      await worker?.restart(meanwhile)
    },
    async close() {
      await worker?.close()
      await edge?.close()
      await stopRegistry()
      web.close()
      closeDoor()
      await berth.close()
    },
  }
}

const run = promisify(execFile)

export interface ClientResult {
  ok: boolean
  /** Both streams, as a person would see them. */
  said: string
}

/** A client's command; that it fails is an answer too. */
export async function client(
  file: string,
  args: string[],
  options: { env?: Record<string, string>; timeoutMs?: number } = {},
): Promise<ClientResult> {
  const { env = {}, timeoutMs = 90_000 } = options
  try {
    const { stdout, stderr } = await run(file, args, {
      env: { ...process.env, ...env },
      timeout: timeoutMs,
      maxBuffer: 2 ** 24,
    })
    return { ok: true, said: stdout + stderr }
  } catch (error) {
    const {
      stdout = '',
      stderr = '',
      message,
    } = error as { stdout?: string; stderr?: string; message: string }
    return { ok: false, said: `${stdout}${stderr}` || message }
  }
}
