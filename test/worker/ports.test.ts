import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { getApp, startApp, stopApp } from '../../platform/apps.ts'
import { rollbackTo } from '../../platform/deployments.ts'
import type { AppSettingsInput } from '../../platform/model/app-settings.ts'
import type { Port, PublishPortInput } from '../../platform/model/ports.ts'
import type { App } from '../../platform/model/resources.ts'
import { changePort, listPorts, publishPort, removePort } from '../../platform/ports/ports.ts'
import { scaleApp } from '../../platform/scale.ts'
import { nodeImage } from '../support/node-image.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { quickSettings, startTestHost, type TestHost } from '../support/worker.ts'

/** Ports of the host that lead to apps, beside HTTP. */
let host: TestHost
const images: string[] = []
const askLine = join(import.meta.dirname, '../support/ask-line.ts')
const graceMs = 4_000

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  const spec = await nodeImage({
    'server.mjs': readFileSync(join(import.meta.dirname, '../support/port-server.mjs'), 'utf8'),
  })
  for (const version of ['v1', 'v2'])
    images.push(
      await host.push(`ports:${version}`, {
        ...{ ...spec, entrypoint: ['/bin/node', '/server.mjs'], env: [`VERSION=${version}`] },
      }),
    )
  await host.startWorker()
})
afterAll(() => host?.close())

const limits = { memoryBytes: 256 * 2 ** 20, cpuMillis: 1_000, pids: 64 }
const make = (settings: Partial<AppSettingsInput> = {}) =>
  host.makeApp(images[0] ?? '', { ...quickSettings, limits, stopGraceMs: graceMs, ...settings })
const publish = (app: App, input: Partial<PublishPortInput> = {}) =>
  publishPort(host.berth.platform, operator, app.id, { containerPort: 7000, ...input })
const live = async (app: App, image?: string) =>
  host.untilStatus((await host.deploy(app.id, image)).id, 'live')

async function scaled(app: App, process: string, replicas: number): Promise<void> {
  const { platform } = host.berth
  await scaleApp(platform, operator, app.id, { process, replicas })
  await until('it is scaled', async () => {
    const { scale } = await getApp(platform, operator, app.id)
    return scale?.isPending === false
  })
}

/** What is said there; null: nobody answers. */
async function ask({ protocol, hostPort }: Port, ownPort = 0): Promise<string | null> {
  const argv = [askLine, protocol, '127.0.0.1', String(hostPort), String(ownPort)]
  return promisify(execFile)(process.execPath, argv).then(
    ({ stdout }) => stdout.trim(),
    () => null,
  )
}

/** Connects, reads, sends, reads and ends, again and again. */
function startClients({ hostPort }: Port, count: number) {
  const answered = new Map<string, number>()
  const failures: string[] = []
  let isOver = false
  async function once_(): Promise<void> {
    const socket = connect(hostPort, '127.0.0.1').setTimeout(5_000)
    let text = ''
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.on('timeout', () => socket.destroy(new Error('no answer')))
    socket.on('error', (error) => {
      failures.push(error.message)
      resolve()
    })
    socket.on('close', resolve)
    socket.on('data', (bytes) => {
      const isFirst = text === ''
      text += bytes
      if (isFirst) socket.write('echo\n')
      else socket.end()
    })
    await promise
    const [said = '', echo] = text.split('\n')
    if (echo === 'echo') answered.set(said, (answered.get(said) ?? 0) + 1)
    else if (failures.length === 0) failures.push(`it said ${JSON.stringify(text)}`)
  }
  const clients = Array.from({ length: count }, async () => {
    while (!isOver) await once_()
  })
  return {
    answered,
    failures,
    async stop() {
      isOver = true
      await Promise.all(clients)
    },
  }
}

/** Stays connected, and says something now and then. */
function stay({ hostPort }: Port) {
  const socket = connect(hostPort, '127.0.0.1')
  const stays = { said: '', error: null as Error | null, isOver: false, endedAt: 0 }
  socket.on('data', (bytes) => {
    stays.said += bytes
  })
  socket.on('error', (error) => {
    stays.error = error
  })
  socket.on('close', () => {
    stays.isOver = true
    stays.endedAt = Date.now()
  })
  return stays
}

test('three deployments, a rollback, scaling and a killed worker refuse and cut no client of a port', async () => {
  const process = {
    command: [],
    entrypoint: ['/bin/node', '/server.mjs'],
    limits,
    healthCheck: { observationMs: 300 },
  }
  const app = await make({ replicas: 2, processes: { relay: process } })
  const tcp = await publish(app)
  const udp = await publish(app, { protocol: 'udp' })
  const relay = await publish(app, { process: 'relay', containerPort: 7001 })
  expect(await ask(tcp)).toBeNull()
  const first = await live(app)
  expect([await ask(tcp), await ask(udp), await ask(relay)]).toEqual(['v1 web', 'v1 web', 'v1 relay'])
  const clients = [startClients(tcp, 3), startClients(relay, 1)]
  for (const version of ['v2', 'v1', 'v2']) {
    const long = [stay(tcp), stay(relay)]
    await until('it is greeted', () => long.every(({ said }) => said.includes('v')))
    const answers = () =>
      clients.map(({ answered }, at) => answered.get(`${version} ${['web', 'relay'][at]}`) ?? 0)
    const before = answers()
    const { id } = await host.deploy(app.id, images[version === 'v1' ? 0 : 1])
    await until('the new ones answer', () => answers().every((count, at) => count > (before[at] ?? 0)))
    const answeredAt = Date.now()
    await host.untilStatus(id, 'live')
    // From one port of the client's, which the kernel remembers.
    expect([await ask(tcp), await ask(udp, 40_017), await ask(relay)]).toEqual([
      `${version} web`,
      `${version} web`,
      `${version} relay`,
    ])
    // Then the app told it goodbye; nothing cut it.
    await until('they were told goodbye', () => long.every(({ isOver }) => isOver))
    // What was open was left alone for the grace, which began a moment before that.
    for (const { endedAt } of long) expect(endedAt - answeredAt).toBeGreaterThan(graceMs / 2)
    for (const { said, error } of long) expect([said.includes('goodbye'), error]).toEqual([true, null])
  }
  await host.untilStatus((await rollbackTo(host.berth.platform, operator, first.id)).id, 'live')
  expect(await ask(tcp)).toBe('v1 web')
  await scaled(app, 'web', 3)
  for (const replicas of [2, 1]) await scaled(app, 'relay', replicas)
  await host.stopWorker('SIGKILL')
  expect(await ask(tcp)).toBe('v1 web')
  await host.startWorker()
  for (const each of clients) await each.stop()
  expect(clients.flatMap(({ failures }) => failures)).toEqual([])
  for (const each of clients) for (const count of each.answered.values()) expect(count).toBeGreaterThan(10)
  expect([...(clients[0]?.answered.keys() ?? [])].sort()).toEqual(['v1 web', 'v2 web'])
}, 240_000)

test('a port comes and goes with deployments, also by rollback, and leads nowhere while the app is stopped', async () => {
  const { platform } = host.berth
  const app = await make()
  const port = await publish(app, { sources: ['192.0.2.0/24'] })
  const first = await live(app)
  expect(await ask(port)).toBeNull()
  await changePort(platform, operator, app.id, port.name, { sources: ['192.0.2.0/24', '127.0.0.0/8'] })
  expect(await ask(port)).toBeNull()
  const second = await live(app)
  expect(await ask(port)).toBe('v1 web')
  await stopApp(platform, operator, app.id)
  await until('it leads nowhere', async () => (await ask(port)) === null)
  await startApp(platform, operator, app.id)
  await until('it leads there again', async () => (await ask(port)) === 'v1 web')
  await removePort(platform, operator, app.id, port.name)
  await live(app)
  expect(await ask(port)).toBeNull()
  await host.untilStatus((await rollbackTo(platform, operator, second.id)).id, 'live')
  expect(await ask(port)).toBe('v1 web')
  await host.untilStatus((await rollbackTo(platform, operator, first.id)).id, 'live')
  expect(await ask(port)).toBeNull()
}, 180_000)

test('a port that a program of the host has is refused at the field; taken later, the deployment fails and says so', async () => {
  const { platform } = host.berth
  const app = await make()
  const before = await publish(app)
  await live(app)
  const { hostPort, name } = await publish(app)
  const squatter = await listen(hostPort)
  try {
    const other = await make()
    const { hostPort: free, name: freeName } = await publish(other)
    await removePort(platform, operator, other.id, freeName)
    const second = await listen(free)
    await expect(publish(other, { hostPort: free })).rejects.toMatchObject({
      code: 'conflict',
      fields: [
        { path: 'hostPort', message: expect.stringMatching(/^is taken by a program that runs on the host/) },
      ],
    })
    second.close()
    const failed = await host.untilStatus((await host.deploy(app.id)).id, 'failed')
    expect(failed.failure).toMatchObject({
      ...{ code: 'port-taken', step: 'start' },
      message: expect.stringMatching(/^Port \d+\/tcp of the host.*listens there.*deploy again/s),
      facts: { port: `${hostPort}/tcp` },
    })
    expect(await ask(before)).toBe('v1 web')
  } finally {
    squatter.close()
    await once(squatter, 'close')
  }
  await live(app)
  expect(await ask({ ...before, hostPort, name })).toBe('v1 web')
}, 120_000)

test('a port that somebody takes while the app is stopped leads nowhere, says why, and comes back by itself', async () => {
  const { platform } = host.berth
  const app = await make()
  const port = await publish(app)
  await live(app)
  const problem = async () => (await listPorts(platform, operator, app.id)).data[0]?.problem
  expect(await problem()).toBeNull()
  await stopApp(platform, operator, app.id)
  await until('it leads nowhere', async () => (await ask(port)) === null)
  const squatter = await listen(port.hostPort)
  await startApp(platform, operator, app.id)
  await until('that is said', async () =>
    /a process of this host listens there/.test((await problem()) ?? ''),
  )
  expect(await ask(port)).toBe('squatter')
  expect((await host.ask(app)).status).toBe(200)
  squatter.close()
  await until('it leads to the app', async () => (await ask(port)) === 'v1 web')
  await until('nothing is wrong with it', async () => (await problem()) === null)
}, 120_000)

async function listen(port: number): Promise<Server> {
  const server = createServer((socket) => socket.end('squatter\n')).listen(port)
  await once(server, 'listening')
  return server
}
