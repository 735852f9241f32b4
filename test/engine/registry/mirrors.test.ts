import { afterEach, expect, test } from 'vitest'
import { digestOf as sha256 } from '../../../engine/oci/digest.ts'
import { createRegistryClient } from '../../../engine/registry/client.ts'
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

const limits = { firstWaitMs: 5, tries: 3 }
const bytes = Buffer.from('{"schemaVersion":2}')
const reference = { registry: 'docker.io', repository: 'library/app', tag: '1', digest: null }
const pinned = { ...reference, digest: sha256(bytes) }
const honest = () => started((_request, response) => response.end(bytes))
const answering = (status: number) => started((_request, response) => response.writeHead(status).end())

const clientOf = (
  origin: HostileRegistry,
  mirrors: { url: string; credentials?: { kind: 'bearer'; token: string } }[],
) => createRegistryClient({ limits, registries: { 'docker.io': { url: `http://${origin.host}`, mirrors } } })

test('a mirror is asked first, told what for, and keeps the registry out of it', async () => {
  const [origin, mirror] = [await honest(), await honest()]
  const client = clientOf(origin, [{ url: `http://${mirror.host}/hub/` }])
  await client.fetchManifest(reference)
  expect(mirror.seen.map(({ path }) => path)).toEqual(['/v2/hub/library/app/manifests/1?ns=docker.io'])
  expect(origin.seen).toEqual([])
  client.close()
})

test('what one mirror lacks or fails at is asked of the next, and of the registry at last', async () => {
  const nobody = { host: `127.0.0.1:${await freePort()}` }
  const mirrors = [await answering(404), await answering(503), await answering(403), nobody]
  const origin = await honest()
  const client = clientOf(
    origin,
    mirrors.map(({ host }) => ({ url: `http://${host}` })),
  )
  expect((await client.fetchManifest(reference)).digest).toBe(pinned.digest)
  expect(origin.seen).toHaveLength(1)
  // Who was down is left out for a while; who only lacked something is not.
  const [lacking, down] = mirrors as [HostileRegistry, HostileRegistry]
  expect(down.seen).toHaveLength(2)
  await client.fetchManifest(reference)
  expect([lacking.seen.length, down.seen.length]).toEqual([2, 2])
  client.close()
})

test('when all fail, the registry itself has the word and the mirrors are named', async () => {
  const [origin, mirror] = [await answering(404), await answering(500)]
  const client = clientOf(origin, [{ url: `http://${mirror.host}` }])
  await expect(client.fetchManifest(reference)).rejects.toMatchObject({
    kind: 'not-found',
    message: `docker.io has no image docker.io/library/app:1 (before that: ${mirror.host} failed with 500 for image docker.io/library/app:1)`,
  })
  client.close()
})

test('a mirror that answers wrong bytes is told, not passed over', async () => {
  const origin = await honest()
  const liar = await started((_request, response) => response.end('{"schemaVersion":2,"other":true}'))
  const client = clientOf(origin, [{ url: `http://${liar.host}` }])
  await expect(client.fetchManifest(pinned)).rejects.toMatchObject({
    kind: 'corrupt',
    message: expect.stringContaining(liar.host),
  })
  await expect(client.fetchDocument(reference, { digest: pinned.digest, size: 19 })).rejects.toMatchObject({
    kind: 'corrupt',
  })
  expect(origin.seen).toEqual([])
  client.close()
})

test("a mirror gets its own credentials and never the registry's", async () => {
  const origin = await honest()
  const open = await answering(404)
  const closed = await started((_request, response) =>
    response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
  )
  const token = { kind: 'bearer' as const, token: 'for-mirror' }
  const client = clientOf(origin, [
    { url: `http://${open.host}`, credentials: token },
    { url: `http://${closed.host}` },
  ])
  await client.fetchManifest(reference, { credentials: { kind: 'bearer', token: 'for-registry' } })
  const sent = [open, closed, origin].map(({ seen }) => seen.map(({ authorization }) => authorization))
  expect(sent).toEqual([['Bearer for-mirror'], [undefined], ['Bearer for-registry']])
  client.close()
})

test('a blob whose mirror goes away in the middle is gone on with at the registry', async () => {
  const blob = Buffer.from(Array.from({ length: 2 ** 20 }, (_, index) => index % 251))
  const send = (limit: number) => (request: { headers: { range?: string } }) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    return { from, bytes: blob.subarray(from, Math.max(from, limit)) }
  }
  const half = send(2 ** 19)
  const mirror = await started((request, response) => {
    const { from, bytes } = half(request)
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': blob.length - from,
      ...(from > 0 ? { 'content-range': `bytes ${from}-${blob.length - 1}/${blob.length}` } : {}),
    })
    response.write(bytes, () => request.socket.destroy())
    response.flushHeaders()
  })
  const rest = send(blob.length)
  const origin = await started((request, response) => {
    const { from, bytes } = rest(request)
    response.writeHead(206, { 'content-range': `bytes ${from}-${blob.length - 1}/${blob.length}` }).end(bytes)
  })
  const client = clientOf(origin, [{ url: `http://${mirror.host}` }])
  const { stream } = await client.openBlob(reference, { digest: sha256(blob), size: blob.length })
  expect(sha256(Buffer.concat(await stream.toArray()))).toBe(sha256(blob))
  expect(origin.seen.map(({ range }) => range)).toEqual([expect.stringMatching(/^bytes=[1-9]\d*-$/)])
  client.close()
})

test('an address that is none is refused when the client is made', () => {
  for (const url of ['registry.example', 'ftp://registry.example', 'http://u:p@registry.example'])
    expect(() => createRegistryClient({ registries: { 'a.example': { url } } })).toThrow(/registry/)
})
