import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { abstractSocketName } from '../../../platform/abstract-socket.ts'
import type { DesiredRoute } from '../../../platform/worker/desired-routes.ts'
import { haproxyAt } from '../../../worker/edge/haproxy.ts'
import type { EdgeSettings } from '../../../worker/edge/settings.ts'
import { get, makeTestEdge, serveApp, type TestApp, type TestEdge } from '../../support/edge.ts'
import { leadSocket } from '../../support/lead-socket.ts'
import { until } from '../../support/until.ts'

let edge: TestEdge
let open: { close(): Promise<void> }[]

beforeEach(async () => {
  edge = await makeTestEdge()
  open = []
})

afterEach(async () => {
  await edge.close()
  await Promise.all(open.map((each) => each.close()))
})

async function replaceEdge(settings: Partial<EdgeSettings>): Promise<void> {
  await edge.close()
  edge = await makeTestEdge(settings)
}

async function app(...parameters: Parameters<typeof serveApp>): Promise<TestApp> {
  const served = await serveApp(...parameters)
  open.push(served)
  return served
}

/** Answers the name of a socket at which the edge finds it. */
async function socketOf(what: string, { port }: TestApp): Promise<string> {
  const name = abstractSocketName(what, edge.home)
  open.push({ close: await leadSocket(name, port) })
  return name
}

function route(
  name: string,
  servers: Record<string, TestApp>,
  state: DesiredRoute['state'] = 'running',
): DesiredRoute {
  return {
    hostname: `${name}.localhost`,
    appId: `app_${name}`,
    state,
    servers: Object.entries(servers).map(([containerId, { port }]) => ({
      containerId,
      address: '127.0.0.1',
      port,
    })),
  }
}

async function syncAndStart(): Promise<void> {
  await edge.edge.sync()
  await edge.checkConfiguration()
  await edge.start()
}

test('names lead to apps, the dashboard and the registry; the rest to pages with true statuses', async () => {
  const seen = await app('seen', (request, response) => response.end(JSON.stringify(request.headers)))
  const web = await app('web')
  const registrySocket = await socketOf('registry', await app('registry'))
  const registryTokenSocket = await socketOf('tokens', await app('tokens'))
  await replaceEdge({ webPort: web.port, registrySocket, registryTokenSocket })
  edge.routes = [
    route('shop', { 'dep_1-0': seen }),
    route('halted', {}, 'stopped'),
    route('coming', {}, 'deploying'),
    route('broken', {}, 'failed'),
  ]
  await syncAndStart()
  const { port } = edge.settings
  const bodyOf = async (host: string, path = '/') => (await get(port, host, { path })).body
  expect(await bodyOf('localhost')).toBe('web')
  expect(await bodyOf(`127.0.0.1:${port}`)).toBe('web')
  expect(await bodyOf('[::1]:80')).toBe('web')
  expect(await bodyOf('localhost', '/v2/')).toBe('registry')
  expect(await bodyOf('localhost', '/v2/a/manifests/b')).toBe('registry')
  expect(await bodyOf('localhost', '/v20')).toBe('web')
  expect(await bodyOf('localhost', '/api/registry/token?service=berth-registry')).toBe('tokens')
  expect(await bodyOf('localhost', '/api/registry/events')).toBe('web')

  const forged = { 'X-Berth-Edge': 'no', 'X-Forwarded-For': '203.0.113.9', Forwarded: 'for=203.0.113.9' }
  const headers = JSON.parse(
    (await get(port, `SHOP.localhost.:${port}`, { path: '/v2/', headers: forged })).body,
  )
  expect(headers).toMatchObject({
    'x-berth-edge': '1',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': `SHOP.localhost.:${port}`,
    'x-forwarded-port': String(port),
  })
  expect(headers.forwarded).toBeUndefined()

  const expected = {
    'nobody.localhost': 404,
    'halted.localhost': 503,
    'coming.localhost': 503,
    'broken.localhost': 503,
  }
  for (const [host, status] of Object.entries(expected)) {
    const answer = await get(port, host)
    expect([host, answer.status]).toEqual([host, status])
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.body).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/)
  }
  expect((await get(port, 'coming.localhost')).body).toContain('http-equiv="refresh"')
  const languages = {
    'zh-CN,zh;q=0.9,en;q=0.8': 'zh-CN',
    'en;q=0.5, zh-Hans-CN': 'zh-CN',
    'en-US,en;q=0.9,zh;q=0.5': 'en',
    'fr-FR': 'en',
  }
  for (const [asked, given] of Object.entries(languages)) {
    const { headers, body } = await get(port, 'halted.localhost', { headers: { 'accept-language': asked } })
    expect([asked, headers['content-language']]).toEqual([asked, given])
    expect(headers.vary).toBe('Accept-Language')
    expect(body).toContain(given === 'en' ? 'This app is stopped' : '应用已停止')
  }
})

test('a layer comes through whole and unchanged', async () => {
  const layer = randomBytes(48 * 2 ** 20)
  const registry = await app('registry', (_, response) =>
    response.writeHead(200, { 'content-length': layer.length }).end(layer),
  )
  await replaceEdge({ registrySocket: await socketOf('registry', registry) })
  await syncAndStart()
  const answer = await fetch(`http://localhost:${edge.settings.port}/v2/a/blobs/b`)
  expect(Buffer.from(await answer.arrayBuffer()).equals(layer)).toBe(true)
})

test('an app that refuses connections gets 503, one that breaks off 502, one that is too slow 504', async () => {
  await replaceEdge({ answerTimeoutMs: 300 })
  const rude = await app('rude', (request) => request.socket.destroy())
  const slow = await app('slow', () => {})
  const absent = await serveApp('absent')
  await absent.close()
  edge.routes = [route('rude', { a: rude }), route('slow', { b: slow }), route('absent', { c: absent })]
  await syncAndStart()
  expect(await get(edge.settings.port, 'rude.localhost')).toMatchObject({ status: 502 })
  expect(await get(edge.settings.port, 'slow.localhost')).toMatchObject({ status: 504 })
  expect(await get(edge.settings.port, 'absent.localhost')).toMatchObject({ status: 503 })
  const { body } = await get(edge.settings.port, 'absent.localhost')
  for (const words of ['The app does not answer', '应用无响应']) expect(body).toContain(words)
})

test('no request fails while an app moves from server to server, with and without reloads', async () => {
  const generations = await Promise.all(
    Array.from({ length: 8 }, (_, number) =>
      app(`${number}`, (_, response) => setTimeout(() => response.end(`generation ${number}`), 3)),
    ),
  )
  const [first] = generations
  if (first === undefined) throw new Error('no servers')
  edge.routes = [route('shop', { 'gen-0': first })]
  await syncAndStart()
  const stop = new AbortController()
  const load = Array.from({ length: 8 }, () => hammer(edge.settings.port, 'shop.localhost', stop.signal))
  for (const [number, generation] of generations.entries()) {
    if (number === 0) continue
    // Every other time an app appears too, which takes a reload.
    const neighbours = Array.from({ length: Math.floor(number / 2) }, (_, n) =>
      route(`other${n}`, {}, 'stopped'),
    )
    edge.routes = [route('shop', { [`gen-${number}`]: generation }), ...neighbours]
    await edge.edge.sync()
    expect(await edge.edge.drained([`gen-${number - 1}`], { limitMs: 30_000 })).toBe(true)
    await generations[number - 1]?.close()
    expect((await get(edge.settings.port, 'shop.localhost')).body).toBe(`generation ${number}`)
  }
  stop.abort()
  const results = await Promise.all(load)
  expect(results.flatMap(({ failures }) => failures)).toEqual([])
  for (const { answered } of results) expect(answered).toBeGreaterThan(10)
})

test('each request goes to the replica with the fewest open ones', async () => {
  const held: ServerResponse[] = []
  const busy = await app('busy', (request, response) => {
    if (request.url === '/hold') held.push(response)
    else response.end('busy')
  })
  const idle = await app('idle')
  edge.routes = [route('shop', { 'dep_1-0': busy })]
  await syncAndStart()
  const { port } = edge.settings
  const waiting = Array.from({ length: 4 }, () => get(port, 'shop.localhost', { path: '/hold' }))
  await until('four wait for the busy one', () => held.length === 4)
  edge.routes = [route('shop', { 'dep_1-0': busy, 'dep_1-1': idle })]
  await edge.edge.sync()
  for (let count = 0; count < 8; count++) expect((await get(port, 'shop.localhost')).body).toBe('idle')
  for (const response of held) response.end('held')
  for (const { body } of await Promise.all(waiting)) expect(body).toBe('held')
})

test('a replica that is dead costs no request: what it refused goes to another, whatever it is, and at once', async () => {
  const dead = await serveApp('dead')
  await dead.close()
  edge.routes = [route('shop', { 'dep_1-0': dead, 'dep_1-1': await app('alive') })]
  await syncAndStart()
  const begun = Date.now()
  for (const method of ['GET', 'POST', 'PATCH', 'DELETE'])
    for (let count = 0; count < 4; count++)
      expect(await get(edge.settings.port, 'shop.localhost', { method })).toMatchObject({
        status: 200,
        body: 'alive',
      })
  // One that is asked again costs a second each time.
  expect(Date.now() - begun).toBeLessThan(4_000)
})

test('a server that a request waits to try again is kept until the request is over, and HAProxy with it', async () => {
  const dead = await serveApp('dead')
  await dead.close()
  edge.routes = [route('shop', { 'dep_1-0': dead })]
  await syncAndStart()
  const { port } = edge.settings
  const haproxy = haproxyAt(edge.settings, (error) => expect(error).toBeNull())
  const present = { pid: 0, isOld: false }
  const names = async () => (await haproxy.servers(present)).map(({ name }) => name)
  const waiting = get(port, 'shop.localhost')
  await until('it waits', async () => (await haproxy.assigned(present)).has('app_shop/dep_1-0'))
  expect((await haproxy.connections(present)).get('app_shop/dep_1-0')).toBe(0)
  const alive = await app('alive')
  edge.routes = [route('shop', { 'dep_2-0': alive })]
  await edge.edge.sync()
  expect(await names()).toContain('dep_1-0')
  expect((await get(port, 'shop.localhost')).body).toBe('alive')
  expect([200, 503]).toContain((await waiting).status)
  await edge.edge.sync()
  expect(await names()).not.toContain('dep_1-0')
  expect((await get(port, 'shop.localhost')).body).toBe('alive')
})

test('a replica that breaks off without an answer: what is idempotent is asked of another, nothing else is sent twice', async () => {
  const had: string[] = []
  const dying = await app('dying', (request) => {
    had.push(request.method ?? '')
    request.socket.destroy()
  })
  const alive = await app('alive')
  edge.routes = [route('shop', { 'dep_1-0': dying, 'dep_1-1': alive })]
  await syncAndStart()
  const ask = async (method: string) => (await get(edge.settings.port, 'shop.localhost', { method })).status
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])
    for (let count = 0; count < 4; count++) expect([method, await ask(method)]).toEqual([method, 200])
  had.length = 0
  const statuses = []
  for (const method of ['POST', 'PATCH'])
    for (let count = 0; count < 4; count++) statuses.push(await ask(method))
  expect(had.length).toBeGreaterThan(0)
  expect(statuses.filter((status) => status === 502)).toHaveLength(had.length)
  expect(statuses.filter((status) => status === 200)).toHaveLength(8 - had.length)
})

test('a WebSocket and an event stream live on through reloads and the drain of their server', async () => {
  const streams: { end(text: string): void }[] = []
  const old = await app('old', (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: first\n\n')
    streams.push(response)
  })
  old.server.on('upgrade', (request, socket: Socket) => {
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    socket.on('data', (chunk) => socket.write(chunk)).on('end', () => socket.end())
  })
  edge.routes = [route('shop', { 'dep_1-0': old })]
  await syncAndStart()

  const webSocket = talk(edge.settings.port, [
    'GET / HTTP/1.1',
    'Host: shop.localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ])
  const events = talk(edge.settings.port, ['GET / HTTP/1.1', 'Host: shop.localhost'])
  await until('the WebSocket is open', () => webSocket.text().includes('101 Switching'))
  await until('the first event came at once', () => events.text().includes('data: first'))

  edge.routes = [route('shop', { 'dep_2-0': await app('new') }), route('other', {}, 'stopped')]
  await edge.edge.sync()
  edge.routes = [...edge.routes, route('another', {}, 'stopped')]
  await edge.edge.sync()
  expect((await get(edge.settings.port, 'shop.localhost')).body).toBe('new')
  expect(await edge.edge.drained(['dep_1-0'], { limitMs: 100 })).toBe(false)

  webSocket.socket.write('still here?')
  await until('the WebSocket answers', () => webSocket.text().endsWith('still here?'))
  for (const stream of streams) stream.end('data: last\n\n')
  await until('the last event came', () => events.text().includes('data: last'))
  webSocket.socket.destroy()
  events.socket.destroy()
  expect(await edge.edge.drained(['dep_1-0'], { limitMs: 30_000 })).toBe(true)
})

test('a connection that was open before a reload reaches the new server, not the one that is gone', async () => {
  const old = await app('one')
  edge.routes = [route('shop', { 'dep_1-0': old })]
  await syncAndStart()
  const client = talk(edge.settings.port, ['GET / HTTP/1.1', 'Host: shop.localhost'])
  await until('the first answer came', () => client.text().endsWith('one'))
  edge.routes = [...edge.routes, route('other', {}, 'stopped')]
  await edge.edge.sync()
  edge.routes = [route('shop', { 'dep_2-0': await app('two') }), route('other', {}, 'stopped')]
  await edge.edge.sync()
  await old.close()
  client.socket.write('GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n')
  await until('the second answer came', () => client.text().endsWith('two'))
  client.socket.destroy()
})

test('the files alone bring a HAProxy that starts anew to the present state', async () => {
  edge.routes = [route('shop', { 'dep_1-0': await app('one') })]
  await syncAndStart()
  edge.routes = [route('shop', { 'dep_2-0': await app('two') })]
  await edge.edge.sync()
  await edge.stop()
  edge.routes = [route('shop', { 'dep_3-0': await app('three') })]
  await edge.edge.sync()
  await edge.start()
  expect((await get(edge.settings.port, 'shop.localhost')).body).toBe('three')
  await edge.edge.sync()
  expect((await get(edge.settings.port, 'shop.localhost')).body).toBe('three')
})

test('what HAProxy refuses is reported, and the state before stays in force, on disk too', async () => {
  edge.routes = [route('shop', { 'dep_1-0': await app('one') })]
  await syncAndStart()
  edge.settings.answerTimeoutMs = Number.NaN
  await expect(edge.edge.sync()).rejects.toThrow('HAProxy refused')
  await edge.checkConfiguration()
  expect((await get(edge.settings.port, 'shop.localhost')).body).toBe('one')
})

test('a master whose socket is stuck is made to load anew, and the change arrives', async () => {
  edge.routes = [route('shop', { 'dep_1-0': await app('one') })]
  await syncAndStart()
  await edge.edge.sync()
  // It serves ten at a time; these never finish their command.
  const stuck = Array.from({ length: 12 }, () => connect(edge.settings.masterSocket))
  for (const socket of stuck) socket.on('error', () => {}).write('show')
  await Promise.allSettled(stuck.map((socket) => once(socket, 'connect')))
  edge.routes = [route('shop', { 'dep_2-0': await app('two') }), route('other', {}, 'stopped')]
  await edge.edge.sync()
  expect((await get(edge.settings.port, 'shop.localhost')).body).toBe('two')
  for (const socket of stuck) socket.destroy()
})

test('a stream that the browser leaves is ended towards the app', async () => {
  const left = Promise.withResolvers<void>()
  const source = await app('source', (_, response) => {
    response.write('data: first\n\n')
    response.on('close', () => left.resolve())
  })
  edge.routes = [route('shop', { 'dep_1-0': source })]
  await syncAndStart()
  const events = talk(edge.settings.port, ['GET / HTTP/1.1', 'Host: shop.localhost'])
  await until('the first event came', () => events.text().includes('data: first'))
  events.socket.destroy()
  await left.promise
})

/** Requests one after the other over a kept connection, until told to stop. */
async function hammer(port: number, host: string, signal: AbortSignal) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const failures: string[] = []
  let answered = 0
  while (!signal.aborted) {
    const { promise, resolve } = Promise.withResolvers<void>()
    const sent = request({ host: '127.0.0.1', port, agent, headers: { host } }, (response) => {
      if (response.statusCode !== 200) failures.push(`status ${response.statusCode}`)
      response.resume().on('end', resolve).on('error', resolve)
    })
    sent.on('error', (error) => {
      failures.push(String(error))
      resolve()
    })
    sent.end()
    await promise
    answered += 1
  }
  agent.destroy()
  return { failures, answered }
}

function talk(port: number, lines: string[]): { socket: Socket; text(): string } {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.on('data', (chunk) => {
    received += chunk.toString()
  })
  socket.on('error', () => {})
  void once(socket, 'connect').then(() => socket.write(`${lines.join('\r\n')}\r\n\r\n`))
  return { socket, text: () => received }
}
