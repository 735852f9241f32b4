/** A real HAProxy, started as the supervisor starts it, and apps for it to serve. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener, request, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { abstractSocketName } from '../../platform/abstract-socket.ts'
import { createLogger } from '../../platform/log.ts'
import { requestLogVariable } from '../../platform/model/request-log.ts'
import type { DesiredRoute } from '../../platform/worker/desired-routes.ts'
import { type EdgeCertificates, noCertificates } from '../../worker/edge/certificates.ts'
import { createEdge, type Edge } from '../../worker/edge/edge.ts'
import { openRequestLog } from '../../worker/edge/request-log.ts'
import type { EdgeSettings } from '../../worker/edge/settings.ts'
import { freePort } from './registry.ts'
import { until } from './until.ts'

/** With its sockets and the pipe of its notes in `run/` of a home. When it ends by itself, it is told what it said. */
export function spawnHaproxy(home: string): ChildProcess {
  const descriptor = openRequestLog(home)
  const child = spawn(
    'haproxy',
    ['-W', '-S', join(home, 'run/edge-master.sock'), '-f', join(home, 'edge/haproxy.cfg')],
    {
      env: { ...process.env, [requestLogVariable]: '3' },
      stdio: ['ignore', 'ignore', 'pipe', descriptor],
    },
  )
  closeSync(descriptor)
  let said = ''
  child.stderr?.on('data', (bytes: Buffer) => {
    said = (said + bytes).slice(-4_096)
  })
  child.once('exit', (code, signal) => {
    if (!child.killed) console.error(`HAProxy ended by itself with ${code ?? signal}:\n${said}`)
  })
  return child
}

export interface TestEdge {
  home: string
  settings: EdgeSettings
  edge: Edge
  /** What the edge is to do at its next sync. */
  routes: DesiredRoute[]
  certificates: EdgeCertificates
  start(): Promise<void>
  /** HAProxy's master process, while it runs. */
  pid(): number | undefined
  /** Ends HAProxy, all its processes. */
  stop(): Promise<void>
  /** Throws with HAProxy's words when it does not like the file. */
  checkConfiguration(): Promise<void>
  close(): Promise<void>
}

export async function makeTestEdge(settings: Partial<EdgeSettings> = {}): Promise<TestEdge> {
  const home = await mkdtemp(join(tmpdir(), 'berth-edge-'))
  await mkdir(join(home, 'run'))
  const all: EdgeSettings = {
    port: await freePort(),
    httpsPort: null,
    dashboardHost: 'localhost',
    dashboardToHttps: false,
    webPort: await freePort(),
    registrySocket: abstractSocketName('registry', home),
    registryTokenSocket: abstractSocketName('registry-token', home),
    gitSocket: `berth-git-test-${process.pid}`,
    folder: join(home, 'edge'),
    masterSocket: join(home, 'run/edge-master.sock'),
    statsSocket: join(home, 'run/edge.sock'),
    maxConnections: 1_000,
    dropPrivileges: process.getuid?.() === 0,
    answerTimeoutMs: 60_000,
    ...settings,
  }
  const configuration = join(all.folder, 'haproxy.cfg')
  let child: ChildProcess | null = null
  const test: TestEdge = {
    home,
    settings: all,
    routes: [],
    certificates: noCertificates,
    edge: createEdge({
      settings: all,
      readRoutes: async () => test.routes,
      readCertificates: async () => test.certificates,
      log: createLogger({ level: 'error', part: 'test' }),
    }),
    async start() {
      child = spawnHaproxy(home)
      await until('HAProxy answers', async () => (await get(all.port, 'nobody.example')).status === 404)
    },
    pid: () => child?.pid,
    async stop() {
      if (child === null) return
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
      child = null
    },
    async checkConfiguration() {
      await promisify(execFile)('haproxy', ['-c', '-f', configuration])
    },
    async close() {
      await test.stop()
      await rm(home, { recursive: true, force: true })
    },
  }
  return test
}

export interface TestApp {
  port: number
  server: Server
  close(): Promise<void>
}

/** An app on a loopback address that answers every request with its name. */
export async function serveApp(name: string, listener?: RequestListener): Promise<TestApp> {
  const server = createServer(listener ?? ((_, response) => response.end(name)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    server,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

/** One request over a connection of its own. */
export async function get(
  port: number,
  host: string,
  options: { method?: string; path?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const { method = 'GET', path = '/', headers = {} } = options
  request(
    { host: '127.0.0.1', port, method, path, agent: false, headers: { host, ...headers } },
    (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      )
    },
  )
    .on('error', reject)
    .end()
  return promise
}
