import { afterEach, expect, test, vi } from 'vitest'
import { digestOf as sha256 } from '../../../engine/oci/digest.ts'
import { createRegistryClient } from '../../../engine/registry/client.ts'
import { checkRealm } from '../../../engine/registry/realm.ts'
import { type HostileRegistry, serve } from '../../support/hostile-registry.ts'
import { startTokenServer, type TokenServer } from '../../support/token-server.ts'

const servers: HostileRegistry[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})
const opened = <T extends HostileRegistry>(server: T): T => {
  servers.push(server)
  return server
}

const basic = { kind: 'basic' as const, username: 'u', password: 'p' }
const quick = { firstWaitMs: 5, tries: 3 }
const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2 }))
const large = Buffer.alloc(6 * 2 ** 20, 'x')
const blob = { digest: sha256(large), size: large.length }

/** Serves one manifest, and one blob in ranges, to whom the token server admits. */
async function guarded(
  tokens: TokenServer,
  scopeOf = (path: string) => `repository:${path.split('/')[2]}:pull`,
) {
  return opened(
    await serve((request, response) => {
      const path = request.url ?? ''
      if (!tokens.admits(request, response, scopeOf(path))) return
      if (path.includes('/manifests/')) return void response.end(bytes)
      const [, from = 0, to] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? []
      const end = to ? Number(to) : large.length - 1
      response.writeHead(206, { 'content-range': `bytes ${from}-${end}/${large.length}` })
      response.end(large.subarray(Number(from), end + 1))
    }),
  )
}

const referenceOf = (host: string, repository = 'app') => ({
  registry: host,
  repository,
  tag: '1',
  digest: null,
})

test('one token serves every request of its scope; another repository needs another one', async () => {
  const tokens = opened(await startTokenServer())
  const { host, seen } = await guarded(tokens)
  const client = createRegistryClient()
  await Promise.all([1, 2, 3, 4].map(() => client.fetchManifest(referenceOf(host))))
  await client.fetchManifest(referenceOf(host))
  expect(tokens.asked).toEqual(['GET - service=here&scope=repository%3Aapp%3Apull'])
  const before = seen.length
  await client.fetchManifest(referenceOf(host, 'other'))
  expect(tokens.asked).toHaveLength(2)
  // A token goes to nothing that it was not given for.
  expect(seen[before]?.authorization).toBeUndefined()
  await client.fetchManifest(referenceOf(host), { credentials: basic })
  expect(tokens.asked[2]).toMatch(/^GET Basic .*account=u/)
  client.close()
})

test.each([
  ['renewed before it ends', undefined],
  ['renewed when the registry no longer takes it, whatever was said of its life', 3_600],
])('a token that ends in the middle of a long download is %s', async (_how, saysSeconds) => {
  const tokens = opened(await startTokenServer({ livesMs: 200, saysSeconds }))
  const { host } = await guarded(tokens)
  const client = createRegistryClient({ limits: { ...quick, rangeBytes: 2 ** 18, rangesAtOnce: 2 } })
  const { stream } = await client.openBlob(referenceOf(host), blob, { credentials: basic })
  const got: Buffer[] = []
  for await (const chunk of stream) {
    got.push(chunk)
    // Slower than a token lives.
    if (got.length % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 80))
  }
  expect(sha256(Buffer.concat(got))).toBe(blob.digest)
  expect(tokens.asked.length).toBeGreaterThan(1)
  client.close()
})

test('a token is renewed shortly before its end, so that the registry refuses none', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  try {
    const tokens = opened(await startTokenServer({ livesMs: 60_000 }))
    const { host, seen } = await guarded(tokens)
    const client = createRegistryClient()
    await client.fetchManifest(referenceOf(host))
    for (const [afterMs, fetched] of [
      [44_000, 1],
      [2_000, 2],
      [44_000, 2],
      [12_000, 3],
    ] as const) {
      vi.setSystemTime(Date.now() + afterMs)
      await client.fetchManifest(referenceOf(host))
      expect(tokens.asked).toHaveLength(fetched)
    }
    // The first question alone met a challenge.
    expect(seen.map(({ authorization }) => authorization !== undefined)).toEqual([
      false,
      ...Array(5).fill(true),
    ])
    client.close()
  } finally {
    vi.useRealTimers()
  }
})

test('a scope that the registry misses is asked for once, and what is not given then is denied', async () => {
  const tokens = opened(await startTokenServer())
  const { host, seen } = await guarded(tokens, () => 'repository:app:pull,special')
  const client = createRegistryClient({ limits: quick })
  await client.fetchManifest(referenceOf(host))
  expect(tokens.asked).toHaveLength(2)
  expect(tokens.asked[1]).toContain('special')
  expect(seen).toHaveLength(3)
  client.close()

  const meagre = opened(await startTokenServer({ gives: () => ['repository:app:pull'] }))
  const front = await guarded(meagre, () => 'repository:app:pull,special')
  const other = createRegistryClient({ limits: quick })
  await expect(other.fetchManifest(referenceOf(front.host))).rejects.toMatchObject({
    kind: 'access-denied',
    message: expect.stringContaining('refuses access to image'),
  })
  expect(front.seen).toHaveLength(3)
  other.close()
})

test('an identity token is exchanged by POST, and the next one that comes with a token is used next', async () => {
  const tokens = opened(
    await startTokenServer({
      livesMs: 20,
      adds: (form) => ({ refresh_token: `${form.get('refresh_token')}+` }),
    }),
  )
  const { host } = await guarded(tokens)
  const client = createRegistryClient({ limits: quick })
  const credentials = { kind: 'identity' as const, token: 'me' }
  for (let round = 0; round < 3; round++) {
    await client.fetchManifest(referenceOf(host), { credentials })
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  const form = (identity: string) =>
    `POST - grant_type=refresh_token&service=here&client_id=berth&scope=repository%3Aapp%3Apull&refresh_token=${identity}`
  expect(tokens.asked.map((line) => decodeURIComponent(line))).toEqual(
    ['me', 'me+', 'me++'].map((identity) => decodeURIComponent(form(identity))),
  )
  client.close()
})

test('a token server that says no, wants a pause, or redirects is told as such', async () => {
  const client = createRegistryClient({ limits: quick })
  for (const [status, kind] of [
    [401, 'access-denied'],
    [429, 'rate-limited'],
    [503, 'unavailable'],
    [302, 'invalid'],
  ] as const) {
    const tokens = opened(await startTokenServer({ status }))
    const { host } = await guarded(tokens)
    const failing = client.fetchManifest(referenceOf(host), { credentials: basic })
    await expect(failing, String(status)).rejects.toMatchObject({
      kind,
      message: expect.stringContaining('a token for repository:app:pull'),
    })
  }
  client.close()
})

test('credentials are not sent again to a registry that was left by a redirect and come back to', async () => {
  const away = opened(
    await serve((request, response) =>
      response.writeHead(307, { location: `http://${front.host}/back${request.url}` }).end(),
    ),
  )
  const front: HostileRegistry = opened(
    await serve((request, response) => {
      if (request.url?.startsWith('/back')) return void response.end(bytes)
      if (!request.headers.authorization)
        return void response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
      response.writeHead(307, { location: `http://${away.host}${request.url}` }).end()
    }),
  )
  const client = createRegistryClient()
  await client.fetchManifest(referenceOf(front.host), { credentials: basic })
  const back = front.seen.filter(({ path }) => path.startsWith('/back'))
  expect(back.map(({ authorization }) => authorization)).toEqual([undefined])
  expect(away.seen.map(({ authorization }) => authorization)).toEqual([undefined])
  client.close()
})

const policy = {
  host: 'registry.example',
  origin: 'https://registry.example',
  allowLoopback: false,
  tokenServers: [],
  isSecret: true,
}
test.each([
  ['https://auth.example/token', policy, true],
  ['http://registry.example/token', policy, false],
  ['http://auth.example/token', { ...policy, isSecret: false }, false],
  ['http://auth.example/token', { ...policy, tokenServers: ['http://auth.example'] }, true],
  ['https://169.254.169.254/token', policy, false],
  ['https://localhost/token', policy, false],
  ['https://[::1]/token', policy, false],
  ['https://u:p@auth.example/token', policy, false],
  ['ftp://auth.example/token', policy, false],
  ['http://registry.example:81/token', { ...policy, origin: 'http://registry.example' }, true],
  ['http://other.example/token', { ...policy, origin: 'http://registry.example' }, false],
  ['http://other.example/token', { ...policy, origin: 'http://registry.example', isSecret: false }, true],
  ['http://127.0.0.1:9/token', { ...policy, origin: 'http://localhost:5000', allowLoopback: true }, true],
])('whether %s may be the token server of a registry', (realm, given, isAllowed) => {
  const check = () => checkRealm(realm, given).href
  if (isAllowed) expect(check()).toBe(realm)
  else expect(check).toThrow(/token server|refused/)
})
