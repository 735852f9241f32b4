/** Berth's edge and a bare HAProxy before the same origin, with as many apps as are asked for. */
import { chmodSync, closeSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../cli/processes.ts'
import { freePort } from '../../cli/settings.ts'
import { createLogger } from '../../platform/log.ts'
import { requestLogVariable } from '../../platform/model/request-log.ts'
import { parseRequestNote } from '../../worker/edge/counted.ts'
import { createEdge } from '../../worker/edge/edge.ts'
import { openRequestLog, readRequestNotes } from '../../worker/edge/request-log.ts'
import type { EdgeSettings } from '../../worker/edge/settings.ts'
import type { BenchContext } from '../bench.ts'
import { startPart } from './part.ts'

export interface Origin {
  port: number
}

export const hostOf = (app: number) => `app${app}.bench.localhost`

/** Answers everything with a short text, faster than any app would: another HAProxy. */
export async function startOrigin(context: BenchContext): Promise<Origin> {
  const port = await freePort()
  const answer = '    http-request return status 200 content-type text/plain string "hello from the app"'
  const lines = [...usual, 'frontend origin', `    bind 127.0.0.1:${port}`, answer]
  await startHaproxy(context, 'origin', port, lines)
  return { port }
}

/** What somebody would write by hand: a map from names to backends of one server each. */
export async function startBare(context: BenchContext, origin: Origin, apps: number): Promise<Origin> {
  const port = await freePort()
  const map = join(context.folder, `bare-${apps}.map`)
  const all = Array.from({ length: apps }, (_, app) => app)
  writeFileSync(map, all.map((app) => `${hostOf(app)} app${app}\n`).join(''))
  const frontend = ['frontend public', `    bind 127.0.0.1:${port}`]
  const choice = `    use_backend %[req.hdr(host),host_only,lower,map(${map})]`
  const backends = all.flatMap((app) => [`backend app${app}`, `    server one 127.0.0.1:${origin.port}`])
  await startHaproxy(context, `bare-${apps}`, port, [...usual, ...frontend, choice, ...backends])
  return { port }
}

export interface BenchEdge extends Origin {
  /** Sends an app's traffic to another server, as a deployment does. */
  switchOver(app: number): Promise<void>
}

export async function startEdge(context: BenchContext, origin: Origin, apps: number): Promise<BenchEdge> {
  const folder = join(context.folder, `edge-${apps}`)
  mkdirSync(join(folder, 'run'), { recursive: true })
  // HAProxy is nobody when it reads what is in it.
  for (const path of [context.folder, folder]) chmodSync(path, 0o755)
  const settings: EdgeSettings = {
    port: await freePort(),
    httpsPort: null,
    dashboardHost: 'localhost',
    dashboardToHttps: false,
    webPort: origin.port,
    registrySocket: 'berth-registry-bench',
    registryTokenSocket: 'berth-registry-token-bench',
    gitSocket: 'berth-git-bench',
    folder: join(folder, 'edge'),
    masterSocket: join(folder, 'master.sock'),
    statsSocket: join(folder, 'stats.sock'),
    maxConnections: 1_000,
    dropPrivileges: process.getuid?.() === 0,
    answerTimeoutMs: 60_000,
  }
  const generations = new Map<number, number>()
  const edge = createEdge({
    settings,
    readRoutes: async () =>
      Array.from({ length: apps }, (_, app) => ({
        hostname: hostOf(app),
        appId: `app${app}`,
        state: 'running' as const,
        servers: [
          { containerId: `dep${generations.get(app) ?? 0}-0`, address: '127.0.0.1', port: origin.port },
        ],
      })),
    log: createLogger({ level: 'error', part: 'bench' }),
  })
  await edge.sync()
  const notes = openRequestLog(folder)
  // As the worker does, for whom the edge notes every request.
  const read = setInterval(() => readRequestNotes(notes, parseRequestNote), 250)
  context.defer(() => {
    clearInterval(read)
    closeSync(notes)
  })
  await startPart(context, {
    env: { [requestLogVariable]: '3' },
    descriptor: notes,
    argv: ['haproxy', '-W', '-S', settings.masterSocket, '-f', join(settings.folder, 'haproxy.cfg')],
    log: join(folder, 'log'),
    isReady: () => answers(settings.port),
  })
  return {
    port: settings.port,
    async switchOver(app) {
      generations.set(app, (generations.get(app) ?? 0) + 1)
      await edge.sync()
    },
  }
}

const usual = [
  'global',
  '    nbthread 2',
  '    maxconn 1000',
  'defaults',
  '    mode http',
  '    timeout connect 5s',
  '    timeout client 60s',
  '    timeout server 60s',
]

async function startHaproxy(context: BenchContext, name: string, port: number, lines: string[]) {
  const file = join(context.folder, `${name}.cfg`)
  writeFileSync(file, `${lines.join('\n')}\n`)
  await startPart(context, {
    argv: ['haproxy', '-W', '-f', file],
    log: join(context.folder, `${name}.log`),
    isReady: () => answers(port),
  })
}

async function answers(port: number): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}/`)).status > 0
}

export interface Measured {
  requestsPerSecond: number
  p99Ms: number
}

/** By wrk: 32 kept connections, for so long. Throws when an answer was not good. */
export async function measure(
  { port }: Origin,
  app: number,
  seconds: number,
  { signal }: Pick<BenchContext, 'signal'>,
): Promise<Measured> {
  const load = ['-t', '1', '-c', '32', '-d', `${seconds}s`, '--latency', '-H', `Host: ${hostOf(app)}`]
  const output = await run(['wrk', ...load, `http://127.0.0.1:${port}/`], { signal })
  return parseWrk(output)
}

export function parseWrk(output: string): Measured {
  const bad = /Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)/.exec(output)
  if (bad !== null) throw new Error(`not every answer was good: ${bad[0]}`)
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]
  const [, p99, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(output) ?? []
  if (rate === undefined || p99 === undefined) throw new Error(`wrk said something else:\n${output}`)
  const scale = { us: 0.001, ms: 1, s: 1_000 }[unit ?? 'ms'] ?? 1
  return { requestsPerSecond: Number(rate), p99Ms: Number(p99) * scale }
}
