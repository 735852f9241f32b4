import { createServer, request as httpRequest } from 'node:http'
import https from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createRegistryClient } from '../../../engine/registry/client.ts'
import { makeCertificates } from '../../support/certificates.ts'
import { serve } from '../../support/hostile-registry.ts'

const undo: (() => void)[] = []
afterEach(() => {
  for (const step of undo.splice(0)) step()
})

const certificates = makeCertificates()
const limits = { firstWaitMs: 5, tries: 2 }
const reference = { registry: 'registry.example', repository: 'app', tag: '1', digest: null }

/** Of all TLS servers here. */
let connections = 0

async function serveTls(listener: https.ServerOptions & Parameters<typeof https.createServer>[1]) {
  const server = https.createServer({ cert: certificates.cert, key: certificates.key }, listener)
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  undo.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** A proxy that takes everything to where it stands for: CONNECT, and whole addresses. */
async function startProxy(to: number) {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    const { pathname, search } = new URL(request.url ?? '')
    httpRequest(
      { host: '127.0.0.1', port: to, path: pathname + search, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers)
        answer.pipe(response)
      },
    ).end()
  })
  server.on('connect', (request, socket) => {
    seen.push(`${request.method} ${request.url}`)
    const there = connect(to, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      there.pipe(socket).pipe(there)
    })
    for (const end of [there, socket]) end.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  undo.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test('a registry whose authority is given is trusted; without it, the sentence says what to give', async () => {
  const port = await serveTls((_request, response) => void response.end('{}'))
  const url = `https://localhost:${port}`
  const client = createRegistryClient({
    limits,
    registries: { 'registry.example': { url, ca: certificates.ca }, 'other.example': { url } },
  })
  expect((await client.fetchManifest(reference)).bytes.toString()).toBe('{}')
  const before = connections
  const slow = createRegistryClient({ registries: { 'other.example': { url } } })
  await expect(slow.fetchManifest({ ...reference, registry: 'other.example' })).rejects.toMatchObject({
    kind: 'unavailable',
    message: `could not reach other.example for image other.example/app:1: its certificate is signed by nobody known here; give its authority as \`ca\``,
  })
  // Trust does not come by trying again.
  expect(connections).toBe(before + 1)
  for (const each of [client, slow]) each.close()
})

test('a registry that does not speak TLS is spoken to in the clear only when its address says so', async () => {
  const server = await serve((_request, response) => void response.end('{}'))
  undo.push(() => server.close())
  const client = createRegistryClient({
    limits,
    registries: {
      'secure.example': { url: `https://${server.host}` },
      'listed.example': { url: `http://${server.host}` },
    },
  })
  await expect(client.fetchManifest({ ...reference, registry: 'secure.example' })).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('list it with an http:// address'),
  })
  expect(server.seen).toEqual([])
  await client.fetchManifest({ ...reference, registry: 'listed.example' })
  client.close()
})

test('a redirect from TLS to plain HTTP is refused, unless it is the registry that does not know better', async () => {
  const plain = await serve((_request, response) => void response.end('{}'))
  undo.push(() => plain.close())
  const port: number = await serveTls((request, response) => {
    if (request.url?.endsWith('/1'))
      return void response
        .writeHead(307, { location: `http://127.0.0.1:${plain.host.split(':')[1]}/x` })
        .end()
    if (request.url?.endsWith('/2'))
      return void response.writeHead(307, { location: `http://localhost:${port}/ok` }).end()
    response.end('{}')
  })
  const registries = { 'registry.example': { url: `https://localhost:${port}`, ca: certificates.ca } }
  const client = createRegistryClient({ limits, registries })
  await expect(client.fetchManifest(reference)).rejects.toThrow(/to plain HTTP: refused/)
  expect(plain.seen).toEqual([])
  await client.fetchManifest({ ...reference, tag: '2' })
  client.close()
})

test('proxies from settings are used, for http and https, and not for hosts that are excepted', async () => {
  const plain = await serve((_request, response) => void response.end('{}'))
  undo.push(() => plain.close())
  const tlsPort = await serveTls((_request, response) => void response.end('{}'))
  const [http, secure] = await Promise.all([
    startProxy(Number(plain.host.split(':')[1])),
    startProxy(tlsPort),
  ])
  const client = createRegistryClient({
    limits,
    proxy: { http: http.url, https: secure.url, noProxy: 'direct.example,127.0.0.1' },
    registries: {
      'plain.example': { url: 'http://plain.example' },
      'secure.example': { url: 'https://localhost', ca: certificates.ca },
      'direct.example': { url: `http://${plain.host}` },
    },
  })
  for (const registry of ['plain.example', 'secure.example', 'direct.example'])
    await client.fetchManifest({ ...reference, registry })
  expect(http.seen).toEqual(['GET http://plain.example/v2/app/manifests/1'])
  expect(secure.seen).toEqual(['CONNECT localhost:443'])
  client.close()
})

test('services of this machine are not asked as registries where only listed ones may be', async () => {
  const service = await serve((_request, response) => void response.end('{}'))
  undo.push(() => service.close())
  const port = service.host.split(':')[1]
  const listed = { [`localhost:${port}`]: { url: `http://${service.host}` } }
  const client = createRegistryClient({ limits, registries: listed, onlyListedLoopback: true })
  for (const registry of [`127.0.0.1:${port}`, `[::1]:${port}`, `x.localhost:${port}`])
    await expect(client.fetchManifest({ ...reference, registry })).rejects.toMatchObject({
      kind: 'access-denied',
    })
  expect(service.seen).toEqual([])
  await client.fetchManifest({ ...reference, registry: `localhost:${port}` })
  expect(service.seen).toHaveLength(1)
  client.close()
})

test('a registry at a Unix socket is spoken to there, whatever proxy there is, and whom it names elsewhere is not', async () => {
  const elsewhere = await serve((_request, response) => void response.end('{}'))
  undo.push(() => elsewhere.close())
  const proxy = await startProxy(Number(elsewhere.host.split(':')[1]))
  const seen: (string | undefined)[] = []
  const registry = createServer((request, response) => {
    seen.push(request.url)
    if (!request.url?.endsWith('/2')) return void response.end('{}')
    response.writeHead(307, { location: `http://${elsewhere.host}/x` }).end()
  })
  const socketPath = `\0berth-test-registry-${process.pid}`
  await new Promise<void>((resolve) => registry.listen(socketPath, resolve))
  undo.push(() => {
    registry.closeAllConnections()
    registry.close()
  })
  const client = createRegistryClient({
    limits,
    proxy: { http: proxy.url, noProxy: '127.0.0.1' },
    registries: { 'registry.example': { url: 'http://localhost', socketPath } },
  })
  await client.fetchManifest(reference)
  expect([seen, elsewhere.seen]).toEqual([['/v2/app/manifests/1'], []])
  await client.fetchManifest({ ...reference, tag: '2' })
  expect(seen).toHaveLength(2)
  expect(elsewhere.seen).toHaveLength(1)
  expect(proxy.seen).toEqual([])
  client.close()
})
