import { createServer } from 'node:net'
import { Readable } from 'node:stream'
import { afterEach, expect, test } from 'vitest'
import { digestOf } from '../../../engine/oci/digest.ts'
import { guardedLookup, isForbidden } from '../../../engine/registry/addresses.ts'
import { createRegistryClient } from '../../../engine/registry/client.ts'
import { retryAfterMs } from '../../../engine/registry/retry-after.ts'
import { type HostileRegistry, serve } from '../../support/hostile-registry.ts'
import { freePort } from '../../support/registry.ts'

const servers: HostileRegistry[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})
const started = async (...given: Parameters<typeof serve>) => {
  const server = await serve(...given)
  servers.push(server)
  return server
}

const limits = { firstWaitMs: 5, tries: 3, answerMs: 300, stallMs: 300 }
const fetchManifest = async (host: string, given = limits) => {
  const client = createRegistryClient({ limits: given })
  const reference = { registry: host, repository: 'team/app', tag: '1', digest: null }
  return client.fetchManifest(reference).finally(() => client.close())
}
/** A registry that references call by a name, and that is reached at an address which is nobody's business. */
const named = 'registry.example'
const clientAt = (host: string) =>
  createRegistryClient({ limits, registries: { [named]: { url: `http://${host}` } } })

function* endless() {
  for (;;) yield Buffer.alloc(65_536, ' ')
}

test.each<[string, Parameters<typeof serve>[0], string, string]>([
  [
    'what is not there',
    (_request, response) => response.writeHead(404).end('<html>'),
    'not-found',
    'HOST has no image HOST/team/app:1',
  ],
  [
    'a plain no',
    (_request, response) => response.writeHead(403).end('{"errors":[{"message":"go\\u001b[31m away"}]}'),
    'access-denied',
    'HOST refuses access to image HOST/team/app:1 (go [31m away)',
  ],
  [
    'a 401 that says nothing',
    (_request, response) => response.writeHead(401).end(),
    'access-denied',
    'HOST wants credentials for repository:team/app:pull, and none are set',
  ],
  [
    'a limit for longer than we wait',
    (_request, response) => response.writeHead(429, { 'retry-after': '90' }).end(),
    'rate-limited',
    'HOST limits how often it may be asked for image HOST/team/app:1: try again in 90 s',
  ],
  [
    'a limit without a time',
    (_request, response) => response.writeHead(429).end('garbage'),
    'rate-limited',
    'HOST limits how often it may be asked for image HOST/team/app:1: try again later',
  ],
  [
    'a failure',
    (_request, response) => response.writeHead(502).end('{"errors":"x"}'),
    'unavailable',
    'HOST failed with 502 for image HOST/team/app:1',
  ],
  [
    'an odd status',
    (_request, response) => response.writeHead(418).end(),
    'invalid',
    'HOST answered 418 for image HOST/team/app:1',
  ],
  [
    'a web page',
    (_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<html>'),
    'invalid',
    'HOST answers with a web page for image HOST/team/app:1: it is no registry',
  ],
  [
    'a header without end',
    (_request, response) => response.writeHead(200, { 'x-large': 'x'.repeat(40_000) }).end(),
    'unavailable',
    'could not reach HOST for image HOST/team/app:1: the header of its answer is too large',
  ],
  [
    'redirects in a circle',
    (request, response) => response.writeHead(307, { location: request.url }).end(),
    'invalid',
    'HOST redirects image HOST/team/app:1 more than 5 times',
  ],
  [
    "a redirect to a cloud's metadata",
    (_request, response) => response.writeHead(307, { location: 'http://169.254.169.254/latest/' }).end(),
    'invalid',
    'HOST redirects image HOST/team/app:1 to 169.254.169.254, where no registry is: refused',
  ],
  [
    'a manifest without end, in chunks',
    (_request, response) => void Readable.from(endless()).pipe(response),
    'limit-exceeded',
    'image HOST/team/app:1 is larger than 4194304 bytes at HOST',
  ],
  [
    'a manifest that would have no end, of which nothing comes',
    (_request, response) => response.writeHead(200, { 'content-length': String(2 ** 60) }).flushHeaders(),
    'limit-exceeded',
    'image HOST/team/app:1 is larger than 4194304 bytes at HOST',
  ],
  ['silence', () => {}, 'unavailable', 'HOST did not answer in time for image HOST/team/app:1'],
  [
    'a hang-up',
    (request) => request.socket.destroy(),
    'unavailable',
    'could not reach HOST for image HOST/team/app:1: it closed the connection',
  ],
])('%s is told in a sentence', async (_what, listener, kind, sentence) => {
  const { host } = await started(listener)
  const client = clientAt(host)
  const reference = { registry: named, repository: 'team/app', tag: '1', digest: null }
  await expect(client.fetchManifest(reference)).rejects.toMatchObject({
    kind,
    message: sentence.replaceAll('HOST', named),
  })
  client.close()
})

const repository = { registry: named, repository: 'team/app' }
const blob = { digest: digestOf('x'), size: 1 }
type Client = ReturnType<typeof createRegistryClient>

test.each<[string, Parameters<typeof serve>[0], (client: Client) => Promise<unknown>]>([
  [
    'a layer of another length',
    (_request, response) => response.writeHead(200, { 'content-length': '9' }).end('123456789'),
    (client) => client.openBlob(repository, blob),
  ],
  [
    'a layer that ends early',
    (_request, response) => response.writeHead(200).end(),
    async (client) => (await client.openBlob(repository, blob)).stream.toArray(),
  ],
  [
    'a document of other bytes',
    (_request, response) => response.end('y'),
    (client) => client.fetchDocument(repository, blob),
  ],
  [
    'a token server that is none',
    (_request, response) =>
      response.writeHead(401, { 'www-authenticate': 'Bearer realm="ftp://x",service="s"' }).end(),
    (client) => client.fetchDocument(repository, blob),
  ],
  [
    'an upload that is led away',
    (request, response) =>
      response.writeHead(request.method === 'POST' ? 307 : 404, { location: 'http://169.254.1.1/' }).end(),
    (client) => client.uploadBlob(repository, { ...blob, open: () => Readable.from([Buffer.from('x')]) }),
  ],
])('%s: the sentence has the name of the registry, not where it is reached', async (_what, listener, ask) => {
  const { host } = await started(listener)
  const client = clientAt(host)
  const { message } = await ask(client).then(
    () => ({ message: 'no error' }),
    (error: Error) => error,
  )
  expect(message).toContain(named)
  expect(message).not.toContain(host)
  client.close()
})

test('what is no HTTP, and nobody at all, are told in a sentence', async () => {
  const server = createServer((socket) => void socket.resume().end('SSH-2.0-OpenSSH\r\n'))
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await expect(fetchManifest(`127.0.0.1:${port}`)).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('what it answers is not HTTP'),
  })
  await new Promise((resolve) => server.close(resolve))
  await expect(fetchManifest(`127.0.0.1:${port}`)).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('it refuses the connection'),
  })
  await expect(fetchManifest('registry.invalid')).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringMatching(/its name (is unknown|could not be looked up)/),
  })
})

test("a stranger's words are not passed on", async () => {
  const elsewhere = await started((_request, response) =>
    response.writeHead(500).end('{"errors":[{"message":"a secret of another service"}]}'),
  )
  const { host } = await started((request, response) =>
    response.writeHead(307, { location: `http://${elsewhere.host}${request.url}` }).end(),
  )
  await expect(fetchManifest(host)).rejects.toMatchObject({
    message: expect.not.stringContaining('secret'),
  })
  expect(elsewhere.seen).toHaveLength(3)
})

test('what may pass is tried again after as long as the registry says; what does not pass is not', async () => {
  const times: number[] = []
  const busy = await started((_request, response) => {
    times.push(Date.now())
    if (times.length === 1) return void response.writeHead(429, { 'retry-after': '1' }).end()
    if (times.length === 2) return void response.writeHead(500).end()
    response.end('{}')
  })
  expect((await fetchManifest(busy.host)).bytes.toString()).toBe('{}')
  const [first = 0, second = 0, third = 0] = times
  expect(second - first).toBeGreaterThanOrEqual(990)
  expect(third - second).toBeLessThan(900)

  const no = await started((_request, response) => response.writeHead(404).end())
  await expect(fetchManifest(no.host)).rejects.toThrow()
  expect(no.seen).toHaveLength(1)

  const away = await started((_request, response) => response.writeHead(503, { 'retry-after': '90' }).end())
  await expect(fetchManifest(away.host)).rejects.toMatchObject({ kind: 'unavailable', retryAfterMs: 90_000 })
  expect(away.seen).toHaveLength(1)
})

test('waits double, give or take a quarter', async () => {
  const times: number[] = []
  const { host } = await started((_request, response) => {
    times.push(Date.now())
    response.writeHead(503).end()
  })
  await expect(fetchManifest(host, { ...limits, firstWaitMs: 80, tries: 4 })).rejects.toMatchObject({
    kind: 'unavailable',
  })
  const waits = times.slice(1).map((at, index) => at - (times[index] ?? 0))
  expect(waits).toHaveLength(3)
  for (const [index, wait] of waits.entries()) expect(wait).toBeGreaterThanOrEqual(80 * 2 ** index * 0.75 - 5)
})

test('Retry-After is seconds or a date', () => {
  const now = Date.parse('Fri, 07 Nov 2031 23:59:00 GMT')
  expect(retryAfterMs('120', now)).toBe(120_000)
  expect(retryAfterMs('Fri, 07 Nov 2031 23:59:30 GMT', now)).toBe(30_000)
  expect(retryAfterMs('Fri, 07 Nov 2031 23:00:00 GMT', now)).toBe(0)
  for (const text of [undefined, '', 'soon', '-1e']) expect(retryAfterMs(text, now)).toBeUndefined()
})

test('a name that means this machine or its cloud is no registry', async () => {
  const lookUp = (hostname: string, options: { allowLoopback: boolean; proxies: string[] }) =>
    new Promise((resolve, reject) =>
      guardedLookup(options)(hostname, { all: true }, (error, found) =>
        error ? reject(error) : resolve(found),
      ),
    )
  const here = expect.arrayContaining([expect.objectContaining({ address: expect.any(String) })])
  await expect(lookUp('localhost', { allowLoopback: false, proxies: [] })).rejects.toThrow(
    /no registry|not an address/,
  )
  expect(await lookUp('localhost', { allowLoopback: true, proxies: [] })).toEqual(here)
  expect(await lookUp('localhost', { allowLoopback: false, proxies: ['localhost'] })).toEqual(here)
  for (const address of ['169.254.169.254', 'fe80::1', 'fd00:ec2::254', '::ffff:169.254.169.254'])
    expect(isForbidden(address, { allowLoopback: true }), address).toBe(true)
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '0.0.0.0', '::ffff:127.0.0.1']) {
    expect(isForbidden(address, { allowLoopback: false }), address).toBe(true)
    expect(isForbidden(address, { allowLoopback: true }), address).toBe(false)
  }
  for (const address of ['10.0.0.1', '192.168.1.1', '1.1.1.1', '2606:4700::1111'])
    expect(isForbidden(address, { allowLoopback: false }), address).toBe(false)
})
