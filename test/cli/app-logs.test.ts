import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createApi } from '../../app/api/v1/_routes/api.ts'
import { paramsOf } from '../../cli/commands/app-logs.ts'
import type { App } from '../../platform/model/resources.ts'
import { until } from '../support/until.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

let host: TestHost
let app: App
let name = ''
let api: ReturnType<typeof serve>
let way: Awaited<ReturnType<typeof startWay>>
const started = new Set<ChildProcess>()

/** To the API, until it is cut. */
async function startWay(port: () => number) {
  const ends = new Set<Socket>()
  const server = createServer((client) => {
    const there = connect(port(), '127.0.0.1')
    for (const end of [client, there]) ends.add(end.on('error', () => {}))
    client.pipe(there).pipe(client)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      for (const end of ends) end.destroy()
      ends.clear()
    },
    close: () => server.close(),
  }
}

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  await host.startWorker()
  api = serve({ fetch: createApi(host.berth.platform).fetch, port: 0, hostname: '127.0.0.1' })
  way = await startWay(() => (api.address() as AddressInfo).port)
  app = await host.makeApp(
    await host.push('ticker', {
      entrypoint: [
        '/bin/sh',
        '-c',
        `trap "exit 0" TERM
         echo '{"level":"error","msg":"no luck"}' >&2
         (n=0; while sleep 0.02; do n=$((n + 1)); echo "tick $n"; done) &
         httpd -f -p $PORT -h /www & wait`,
      ],
    }),
  )
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  const { db } = host.berth.platform
  const project = await db.project.findUniqueOrThrow({ where: { id: app.projectId } })
  const team = await db.team.findUniqueOrThrow({ where: { id: app.teamId } })
  name = `${team.slug}/${project.slug}/${app.slug}`
})
afterAll(async () => {
  for (const child of started) child.kill('SIGKILL')
  way?.close()
  api?.close()
  await host?.close()
})

function berthLogs(args: string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['cli/main.ts', 'logs', ...args], {
    cwd: join(import.meta.dirname, '../..'),
    env: {
      ...process.env,
      XDG_CONFIG_HOME: host.berth.config.home,
      BERTH_URL: way.url,
      BERTH_TOKEN: host.berth.config.readSecret('operator.token'),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started.add(child)
  const output = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].on('data', (chunk) => {
      output[stream] += chunk
    })
  const ended = once(child, 'close').then(([code]) => {
    started.delete(child)
    return code as number | null
  })
  return { child, output, ended }
}

async function finished(args: string[], environment?: Record<string, string>) {
  const { output, ended } = berthLogs(args, environment)
  return { code: await ended, ...output, lines: output.stdout.split('\n').slice(0, -1) }
}

test('it shows the last lines of an app, and those that match, as text or as JSON', async () => {
  await until('lines are kept', async () => (await finished([name, '-n', '5'])).lines.length === 5)
  const last = await finished([name, '-n', '5'])
  expect(last).toMatchObject({ code: 0, stderr: '' })
  for (const line of last.lines) expect(line).toMatch(/^\d{4}-\S+Z web\.1 tick \d+$/)
  const found = await finished([
    name,
    '--grep',
    'level:error',
    '--stream',
    'stderr',
    '--process',
    'web',
    '--json',
  ])
  expect(found.lines.map((line) => JSON.parse(line))).toMatchObject([
    { number: 1, stream: 'stderr', text: '{"level":"error","msg":"no luck"}' },
  ])
  const all = await finished([name, '--since', '1h', '--deployment', '1'])
  expect(all.lines.length).toBeGreaterThan(5)
  expect(all.lines[0]).toContain('no luck')
  expect(
    (await finished([name, '--since', '2026-01-01T00:00:00Z', '--until', '2026-01-02T00:00:00Z'])).lines,
  ).toEqual([])
})

test('a connection that is lost, again and again, costs no line and repeats none', async () => {
  const { child, output, ended } = berthLogs([name, '-f', '-n', '1'])
  const ticks = () => [...output.stdout.matchAll(/tick (\d+)\n/g)].map(([, number]) => Number(number))
  for (const cuts of [1, 2, 3]) {
    const before = ticks().length
    await until(`it follows before cut ${cuts}`, () => ticks().length > before + 20)
    way.cut()
  }
  const before = ticks().length
  await until('it follows after the last', () => ticks().length > before + 20)
  child.kill('SIGINT')
  await ended
  const seen = ticks()
  expect(seen).toEqual(seen.map((_, index) => (seen[0] ?? 0) + index))
  expect(output.stderr).toContain('the connection is lost; trying again')
})

test('what is wrong is said, and the exit code tells a refusal from nobody being there', async () => {
  expect(await finished(['acme/nowhere/at-all'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^berth: There is no app acme\/nowhere\/at-all that you see at /),
  })
  expect(await finished([name, '--grep', 'level:terrible'])).toMatchObject({ code: 1, stdout: '' })
  expect((await finished([name, '--grep', '"open'])).stderr).toBe(
    'berth: A quotation mark is opened and not closed.\n',
  )
  expect((await finished([name], { BERTH_TOKEN: 'berth_wrong' })).code).toBe(1)
  const away = await finished([name], { BERTH_URL: 'http://127.0.0.1:9' })
  expect(away).toMatchObject({ code: 2, stderr: expect.stringContaining('does not answer') })
})

test('times are moments or so long ago; what is no time, or contradicts itself, is refused', () => {
  const now = Date.parse('2026-05-01T12:00:00Z')
  expect(paramsOf({ since: '15m', replica: 2, grep: 'x' }, now)).toEqual({
    query: 'x',
    replica: '1',
    since: '2026-05-01T11:45:00.000Z',
  })
  expect(() => paramsOf({ since: 'yesterday' }, now)).toThrow('--since must be a time such as')
  expect(() => paramsOf({ until: '1h', follow: true }, now)).toThrow('--until ends where -f goes on')
})
