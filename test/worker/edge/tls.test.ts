import { readdir, stat } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { rootCertificate, signLeaf } from '../../../platform/certificates/authority.ts'
import type { DesiredRoute } from '../../../platform/worker/desired-routes.ts'
import { certificatesFolder } from '../../../worker/edge/certificates.ts'
import { haproxyAt } from '../../../worker/edge/haproxy.ts'
import { get, makeTestEdge, serveApp, type TestApp, type TestEdge } from '../../support/edge.ts'
import { openTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { freePort } from '../../support/registry.ts'
import {
  getSecurely,
  handshake,
  makeAuthority,
  openHttp2,
  openKept,
  type TestAuthority,
} from '../../support/tls-edge.ts'
import { until } from '../../support/until.ts'

let berth: TestPlatform
let authority: TestAuthority
let edge: TestEdge
let shop: TestApp
let held: ServerResponse[]

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  const { platform } = berth
  authority = await makeAuthority((names) => signLeaf(platform, names), await rootCertificate(platform))
})
afterAll(() => berth?.close())
beforeEach(async () => {
  edge = await makeTestEdge({ httpsPort: await freePort() })
  held = []
  shop = await serveApp('shop', (request, response) => {
    if (request.url === '/hold') held.push(response)
    else response.end(JSON.stringify(request.headers))
  })
  edge.routes = [route('shop.test')]
})
afterEach(async () => {
  await edge.close()
  await shop.close()
})

function route(hostname: string, more: Partial<DesiredRoute> = {}): DesiredRoute {
  const servers = [{ containerId: 'dep_1-0', address: '127.0.0.1', port: shop.port }]
  return { hostname, appId: 'app_shop', state: 'running', servers, ...more }
}

async function start(): Promise<number> {
  await edge.edge.sync()
  await edge.checkConfiguration()
  await edge.start()
  return edge.settings.httpsPort ?? 0
}

async function reloads(): Promise<number> {
  const haproxy = haproxyAt(edge.settings, (error) => expect(error).toBeNull())
  return (await haproxy.processes()).length
}

test('each name is shown its own certificate, whoever asks for another that of Berth, and keys are root’s alone', async () => {
  const own = await authority.issue('localhost')
  const [exact, wildcard] = [await authority.issue('shop.test'), await authority.issue('*.shop.test')]
  edge.certificates = authority.certificates(own, [exact, wildcard])
  const port = await start()
  const shown = async (name: string | null) => (await handshake(port, name)).fingerprint
  expect(await shown('shop.test')).toBe(exact.fingerprint)
  expect(await shown('a.shop.test')).toBe(wildcard.fingerprint)
  for (const other of ['localhost', 'b.a.shop.test', 'elsewhere.example', null])
    expect([other, await shown(other)]).toEqual([other, own.fingerprint])
  expect(await handshake(port, 'shop.test')).toMatchObject({ protocol: 'TLSv1.3', alpn: 'h2' })
  expect(await handshake(port, 'shop.test', { maxVersion: 'TLSv1.2', alpn: ['http/1.1'] })).toMatchObject({
    protocol: 'TLSv1.2',
    alpn: 'http/1.1',
  })
  await expect(handshake(port, 'shop.test', { maxVersion: 'TLSv1.1' })).rejects.toThrow(/alert|version/i)

  const folder = certificatesFolder(edge.settings)
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  const files = await readdir(folder)
  expect(files).toHaveLength(3)
  for (const file of files) expect((await stat(`${folder}/${file}`)).mode & 0o777).toBe(0o600)
})

test('what came by HTTPS says so to the app, and nobody can forge it', async () => {
  edge.certificates = authority.certificates(await authority.issue('localhost'), [
    await authority.issue('shop.test'),
  ])
  const port = await start()
  const forged = { 'X-Forwarded-Proto': 'http', 'X-Forwarded-For': '203.0.113.9' }
  const secure = JSON.parse(
    (await getSecurely(port, 'shop.test', { ca: authority.ca, headers: forged })).body,
  )
  expect(secure).toMatchObject({
    'x-forwarded-proto': 'https',
    'x-forwarded-port': String(port),
    'x-forwarded-for': '127.0.0.1',
  })
  const plain = { 'X-Forwarded-Proto': 'https' }
  const answer = JSON.parse((await get(edge.settings.port, 'shop.test', { headers: plain })).body)
  expect(answer['x-forwarded-proto']).toBe('http')
})

test('where Berth is to be asked by HTTPS its pages send there, and programs, challenges and addresses go on by HTTP', async () => {
  await edge.close()
  const name = 'berth.test'
  edge = await makeTestEdge({ httpsPort: await freePort(), dashboardHost: name, dashboardToHttps: true })
  edge.routes = [route('shop.test')]
  const { port: plain } = edge.settings
  // Before there is a certificate nobody is sent where nothing answers.
  await edge.edge.sync()
  await edge.start()
  expect((await get(plain, name)).status).toBe(503)
  edge.certificates = authority.certificates(await authority.issue(name), [])
  await edge.edge.sync()
  const port = edge.settings.httpsPort ?? 0
  const sent = await get(plain, name, { path: '/join?token=x' })
  expect([sent.status, sent.headers.location]).toEqual([308, `https://${name}:${port}/join?token=x`])
  for (const path of ['/api/v1/me', '/v2/', '/v2', '/git/team/app', '/.well-known/acme-challenge/x'])
    expect([path, (await get(plain, name, { path })).status]).not.toEqual([path, 308])
  expect((await get(plain, '127.0.0.1')).status).toBe(503)
  expect((await get(plain, 'shop.test')).status).toBe(200)
  expect((await getSecurely(port, name, { ca: authority.ca })).status).toBe(503)
})

test('certificates come, are renewed and go without a reload; a large one comes by one', async () => {
  const own = await authority.issue('localhost')
  edge.certificates = authority.certificates(own, [])
  const port = await start()
  const shown = async (name: string) => (await handshake(port, name)).fingerprint
  const kept = openKept(port, 'localhost', authority.ca)
  await kept.get()
  const first = await authority.issue('shop.test')
  edge.certificates = authority.certificates(own, [first])
  await edge.edge.sync()
  expect(await shown('shop.test')).toBe(first.fingerprint)
  const second = await authority.issue('shop.test')
  edge.certificates = authority.certificates(own, [second])
  await edge.edge.sync()
  expect(await shown('shop.test')).toBe(second.fingerprint)
  edge.certificates = authority.certificates(own, [])
  await edge.edge.sync()
  expect(await shown('shop.test')).toBe(own.fingerprint)
  expect(await readdir(certificatesFolder(edge.settings))).toEqual([`${own.fingerprint}.pem`])
  // The open connection would have kept a process that was replaced.
  expect(await reloads()).toBe(1)

  const large = await authority.issue('shop.test', { paddingBytes: 30_000 })
  edge.certificates = authority.certificates(own, [large])
  await edge.edge.sync()
  expect(await shown('shop.test')).toBe(large.fingerprint)
  expect(await reloads()).toBe(2)
  kept.close()
})

test('a name that wants HTTPS sends visitors there but challenges, and tells browsers by HTTPS alone', async () => {
  edge.certificates = authority.certificates(await authority.issue('localhost'), [
    await authority.issue('shop.test'),
  ])
  edge.routes = [
    route('shop.test', { toHttps: true, hstsSeconds: 86_400 }),
    route('shop.test', { pathPrefix: '/open' }),
    route('halted.test', {
      appId: 'app_halted',
      state: 'stopped',
      servers: [],
      toHttps: true,
      hstsSeconds: 60,
    }),
  ]
  const port = await start()
  const plain = edge.settings.port
  const sent = await get(plain, `SHOP.test:${plain}`, { path: '/a/b?c=d%20e' })
  expect(sent).toMatchObject({
    status: 308,
    headers: { location: `https://shop.test:${port}/a/b?c=d%20e` },
  })
  expect(sent.headers['strict-transport-security']).toBeUndefined()
  expect(await get(plain, 'shop.test', { path: '/open/x' })).toMatchObject({ status: 200 })
  // Nothing answers at the dashboard's port here; what counts is that it is asked.
  const challenge = await get(plain, 'shop.test', { path: '/.well-known/berth-challenge/dom_1' })
  expect(challenge.status).toBe(503)

  const secure = await getSecurely(port, 'shop.test', { ca: authority.ca })
  expect(secure).toMatchObject({ status: 200, headers: { 'strict-transport-security': 'max-age=86400' } })
  const open = await getSecurely(port, 'shop.test', { ca: authority.ca, path: '/open' })
  expect(open.headers['strict-transport-security']).toBeUndefined()
  await expect(getSecurely(port, 'halted.test', { ca: authority.ca })).rejects.toThrow(
    /altname|does not match/i,
  )
  // A page of the edge's own says it too.
  edge.certificates = authority.certificates(await authority.issue('localhost'), [
    await authority.issue('halted.test'),
  ])
  await edge.edge.sync()
  expect(await getSecurely(port, 'halted.test', { ca: authority.ca })).toMatchObject({
    status: 503,
    headers: { 'strict-transport-security': 'max-age=60' },
  })
})

test('connections that were open before a reload go on, and what they ask still counts as HTTPS', async () => {
  edge.certificates = authority.certificates(await authority.issue('localhost'), [
    await authority.issue('shop.test'),
  ])
  const port = await start()
  const kept = openKept(port, 'shop.test', authority.ca)
  await kept.get()
  const http2 = openHttp2(port, 'shop.test', authority.ca)
  expect(JSON.parse(await http2.get())).toMatchObject({ 'x-forwarded-proto': 'https' })
  const underWay = http2.get('/hold')
  await until('the app has it', () => held.length === 1)
  const other = route('other.test', { appId: 'app_other', state: 'stopped', servers: [] })
  edge.routes = [...edge.routes, other]
  await edge.edge.sync()
  const { body, isSame } = await kept.get()
  expect(isSame).toBe(true)
  expect(JSON.parse(body)).toMatchObject({ 'x-forwarded-proto': 'https', 'x-forwarded-for': '127.0.0.1' })
  for (const response of held) response.end('held')
  expect(await underWay).toBe('held')
  kept.close()
  http2.session.destroy()
})
