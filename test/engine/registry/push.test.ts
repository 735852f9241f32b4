import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestOf } from '../../../engine/oci/digest.ts'
import { mediaTypes } from '../../../engine/oci/manifest.ts'
import { createRegistryClient } from '../../../engine/registry/client.ts'
import { type PushContents, type PushProgress, pushContents } from '../../../engine/registry/push.ts'
import type { BlobSource } from '../../../engine/registry/registry.ts'
import { startCuttingProxy } from '../../support/cutting-proxy.ts'
import { serve } from '../../support/hostile-registry.ts'
import { startRegistry, type TestRegistry } from '../../support/registry.ts'

let registry: TestRegistry
beforeAll(async () => {
  registry = await startRegistry()
})
afterAll(async () => {
  await registry.stop()
})

const limits = { firstWaitMs: 5, tries: 4, uploadChunkBytes: 300_000 }

function source(bytes: Buffer): BlobSource & { opened: number[] } {
  const opened: number[] = []
  return {
    digest: digestOf(bytes),
    size: bytes.length,
    opened,
    open(offset) {
      opened.push(offset)
      return Readable.from(slices(bytes.subarray(offset)))
    },
  }
}

function* slices(bytes: Buffer) {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000)
}

const referenceOf = (host: string, repository: string, tag: string | null = '1') => ({
  registry: host,
  repository,
  tag,
  digest: null,
})

function imageOf(...layers: BlobSource[]) {
  const config = Buffer.from(JSON.stringify({ salt: randomBytes(8).toString('hex') }))
  const descriptor = ({ digest, size }: BlobSource, mediaType: string) => ({ mediaType, digest, size })
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: descriptor(source(config), 'application/vnd.oci.image.config.v1+json'),
      layers: layers.map((layer) => descriptor(layer, 'application/vnd.oci.image.layer.v1.tar+gzip')),
    }),
  )
  return { blobs: [source(config), ...layers], document: { mediaType: mediaTypes.ociManifest, bytes } }
}

test('blobs arrive whole, in one request when small and in chunks when large; an empty one as well', async () => {
  const client = createRegistryClient({ limits })
  const reference = referenceOf(registry.host, 'push/blobs')
  for (const size of [0, 1, 300_000, 300_001, 1_000_000]) {
    const bytes = randomBytes(size)
    const blob = source(bytes)
    expect(await client.blobExists(reference, blob.digest)).toBe(false)
    const told: number[] = []
    await client.uploadBlob(reference, blob, { onBytes: (done) => told.push(done) })
    expect(await client.blobExists(reference, blob.digest)).toBe(true)
    expect(told.at(-1)).toBe(size)
    expect(blob.opened).toEqual(
      size === 0 ? [] : size <= 300_000 ? [0] : expect.arrayContaining([0, 300_000]),
    )
    const { stream } = await client.openBlob(reference, blob)
    expect(digestOf(Buffer.concat(await stream.toArray()))).toBe(blob.digest)
  }
  client.close()
})

test('an upload that is cut off between its chunks is gone on with, not begun again', async () => {
  let patches = 0
  const isThird = (chunk: Buffer) => chunk.subarray(0, 5).toString() === 'PATCH' && ++patches === 3
  const proxy = await startCuttingProxy(registry.port, (chunk) => (isThird(chunk) ? 0 : chunk.length))
  const client = createRegistryClient({ limits })
  const blob = source(randomBytes(1_000_000))
  await client.uploadBlob(referenceOf(proxy.host, 'push/cut'), blob)
  expect(proxy.cuts).toBe(1)
  expect(await client.blobExists(referenceOf(registry.host, 'push/cut'), blob.digest)).toBe(true)
  expect(blob.opened.filter((offset) => offset === 0)).toHaveLength(1)
  client.close()
  proxy.close()
})

test('an upload that is cut off inside a chunk arrives whole, also where the registry loses it', async () => {
  let seen = 0
  // Distribution 2.8 knows an upload no more whose request broke off: its address holds the length it had before.
  const proxy = await startCuttingProxy(registry.port, (chunk) => {
    const [before, after] = [seen, seen + chunk.length]
    seen = after
    return before < 700_000 && after >= 700_000 ? 700_000 - before : chunk.length
  })
  const client = createRegistryClient({ limits })
  const blob = source(randomBytes(1_000_000))
  await client.uploadBlob(referenceOf(proxy.host, 'push/lost'), blob)
  expect(proxy.cuts).toBe(1)
  const { stream } = await client.openBlob(referenceOf(registry.host, 'push/lost'), blob)
  expect(digestOf(Buffer.concat(await stream.toArray()))).toBe(blob.digest)
  client.close()
  proxy.close()
})

test('an upload that is cut off inside a chunk is gone on with where the registry keeps what it got', async () => {
  let got = Buffer.alloc(0)
  let cuts = 0
  const starts: number[] = []
  const server = await serve(async (request, response) => {
    if (request.method === 'HEAD') return void response.writeHead(404).end()
    const range = { location: '/upload', range: `0-${Math.max(0, got.length - 1)}` }
    if (request.method === 'GET') return void response.writeHead(204, range).end()
    if (request.method === 'POST') return void response.writeHead(202, { location: '/upload' }).end()
    if (request.method === 'PUT') return void response.writeHead(201).end()
    starts.push(Number(String(request.headers['content-range']).split('-')[0]))
    try {
      for await (const chunk of request) {
        got = Buffer.concat([got, chunk])
        if (got.length > 400_000 && cuts++ === 0) return void request.socket.destroy()
      }
    } catch {
      return
    }
    response.writeHead(202, { location: '/upload', range: `0-${got.length - 1}` }).end()
  })
  const client = createRegistryClient({ limits })
  const bytes = randomBytes(1_000_000)
  const told: number[] = []
  await client.uploadBlob(referenceOf(server.host, 'a'), source(bytes), {
    onBytes: (done) => told.push(done),
  })
  expect(got.equals(bytes)).toBe(true)
  expect(starts.filter((start) => start === 0)).toHaveLength(1)
  expect(starts.some((start) => start % 300_000 !== 0)).toBe(true)
  expect(told.at(-1)).toBe(bytes.length)
  client.close()
  server.close()
})

test('a blob of another repository is mounted; what is not there is not', async () => {
  const client = createRegistryClient({ limits })
  const blob = source(randomBytes(1_000))
  await client.uploadBlob(referenceOf(registry.host, 'push/here'), blob)
  const there = referenceOf(registry.host, 'push/there')
  expect(await client.mountBlob(there, digestOf('nothing'), 'push/here')).toBe(false)
  expect(await client.mountBlob(there, blob.digest, 'push/here')).toBe(true)
  expect(await client.blobExists(there, blob.digest)).toBe(true)
  client.close()
})

test('bytes that are not what their digest says are refused', async () => {
  const client = createRegistryClient({ limits })
  const blob = { ...source(randomBytes(1_000)), digest: digestOf('something else') }
  await expect(client.uploadBlob(referenceOf(registry.host, 'push/lie'), blob)).rejects.toMatchObject({
    kind: 'corrupt',
    message: expect.stringContaining('digest'),
  })
  const short = { ...source(randomBytes(1_000)), size: 2_000 }
  await expect(client.uploadBlob(referenceOf(registry.host, 'push/lie'), short)).rejects.toMatchObject({
    kind: 'corrupt',
    message: expect.stringContaining('1000 of 2000 bytes on this host'),
  })
  client.close()
})

test('a push sends what is missing, the manifest last, and tells how it goes', async () => {
  const [shared, own, large] = [randomBytes(2_000), randomBytes(3_000), randomBytes(900_000)].map(source)
  if (!shared || !own || !large) throw new Error('three')
  const client = createRegistryClient({ limits })
  const elsewhere = referenceOf(registry.host, 'push/base')
  await client.uploadBlob(elsewhere, shared)
  const image = imageOf(shared, own, large)
  const contents: PushContents = {
    blobs: [...image.blobs.map((blob) => ({ ...blob, mountFrom: ['push/base'] })), { ...own }],
    top: image.document,
  }
  const reference = referenceOf(registry.host, 'push/app')
  let last: PushProgress[] = []
  const onProgress = (blobs: PushProgress[]) => {
    last = blobs
  }
  const digest = await pushContents(client, reference, contents, { onProgress })
  expect(digest).toBe(digestOf(image.document.bytes))
  expect(last.map(({ state }) => state)).toEqual(['done', 'mounted', 'done', 'done'])
  expect(last.every(({ doneBytes, totalBytes }) => doneBytes === totalBytes)).toBe(true)
  expect(await client.resolve(reference)).toBe(digest)
  expect((await client.fetchManifest(reference)).mediaType).toBe(mediaTypes.ociManifest)

  await pushContents(client, reference, contents, { onProgress })
  expect(last.map(({ state }) => state)).toEqual(['exists', 'exists', 'exists', 'exists'])
  client.close()
})

test('an index comes after the manifests that it lists', async () => {
  const [one, two] = [imageOf(source(randomBytes(10))), imageOf(source(randomBytes(20)))]
  const manifests = [one, two].map(({ document }, index) => ({
    mediaType: document.mediaType,
    digest: digestOf(document.bytes),
    size: document.bytes.length,
    platform: { os: 'linux', architecture: ['amd64', 'arm64'][index] },
  }))
  const top = {
    mediaType: mediaTypes.ociIndex,
    bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests })),
  }
  const client = createRegistryClient({ limits })
  const reference = referenceOf(registry.host, 'push/index')
  const contents = { blobs: [...one.blobs, ...two.blobs], manifests: [one.document, two.document], top }
  const digest = await pushContents(client, reference, contents)
  expect(await client.resolve(reference)).toBe(digest)
  for (const { digest: inner } of manifests)
    expect((await client.fetchManifest({ ...reference, digest: inner })).digest).toBe(inner)
  client.close()
})

test('a push that fails changes nothing of what the name means, ends the other uploads, and says which blob', async () => {
  const client = createRegistryClient({ limits })
  const reference = referenceOf(registry.host, 'push/kept')
  const before = imageOf(source(randomBytes(10)))
  const digest = await pushContents(client, reference, { blobs: before.blobs, top: before.document })
  const isUnderWay = Promise.withResolvers<void>()
  const bad = {
    ...{ digest: digestOf('bad'), size: 10 },
    // Not before the other upload has something to end.
    open: () =>
      Readable.from(
        (async function* () {
          await isUnderWay.promise
          yield randomBytes(10)
        })(),
      ),
  }
  let isEnded = false
  const endless = {
    digest: digestOf('endless'),
    size: 2 ** 40,
    open: () =>
      new Readable({
        read() {
          isUnderWay.resolve()
          setImmediate(() => this.push(Buffer.alloc(1_000)))
        },
        destroy(error, done) {
          isEnded = true
          done(error)
        },
      }),
  }
  const after = imageOf(bad, endless)
  const contents = { blobs: after.blobs, top: after.document }
  await expect(pushContents(client, reference, contents)).rejects.toThrow(`blob ${bad.digest}`)
  expect(isEnded).toBe(true)
  expect(await client.resolve(reference)).toBe(digest)
  client.close()
})

test('a registry that keeps less than it got is sent the rest; where it sends the upload, no credentials go along', async () => {
  const bytes = randomBytes(500_000)
  let got = Buffer.alloc(0)
  const store = await serve(async (request, response) => {
    const body = Buffer.concat(await request.toArray())
    if (request.method === 'PUT') {
      got = Buffer.concat([got, body])
      return void response.writeHead(201).end()
    }
    // Keeps 200,000 bytes of each request.
    got = Buffer.concat([got, body.subarray(0, 200_000)])
    response.writeHead(202, { location: '/more', range: `0-${got.length - 1}` }).end()
  })
  const front = await serve((request, response) => {
    if (!request.headers.authorization)
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
    response.writeHead(202, { location: `http://${store.host}/upload` }).end()
  })
  const client = createRegistryClient({ limits })
  const credentials = { kind: 'basic' as const, username: 'u', password: 'p' }
  await client.uploadBlob(referenceOf(front.host, 'a'), source(bytes), { credentials })
  expect(got.equals(bytes)).toBe(true)
  expect(new Set(store.seen.map(({ authorization }) => authorization))).toEqual(new Set([undefined]))
  client.close()
  store.close()
  front.close()
})

test('an upload is sent where the registry said at first, and nowhere else by a redirect', async () => {
  const elsewhere = await serve((_request, response) => response.writeHead(201).end())
  const front = await serve((request, response) => {
    if (request.method === 'HEAD') return void response.writeHead(404).end()
    if (request.method === 'POST') return void response.writeHead(202, { location: '/upload' }).end()
    request.resume()
    response.writeHead(307, { location: `http://${elsewhere.host}/upload` }).end()
  })
  const client = createRegistryClient({ limits })
  for (const bytes of [randomBytes(1_000), randomBytes(500_000)])
    await expect(client.uploadBlob(referenceOf(front.host, 'a'), source(bytes))).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringMatching(/redirects the upload of blob sha256:.*: refused/),
    })
  expect(elsewhere.seen).toEqual([])
  client.close()
  front.close()
  elsewhere.close()
})

test('a registry that takes nothing more is given up on', async () => {
  const server = await serve((request, response) => {
    if (request.method === 'HEAD') return void response.writeHead(404).end()
    if (request.method === 'POST') response.writeHead(202, { location: '/upload' }).end()
    if (request.method === 'GET') response.writeHead(204, { range: '0-0' }).end()
  })
  const client = createRegistryClient({
    limits: { ...limits, tries: 2, stallMs: 100, uploadChunkBytes: 2 ** 30 },
  })
  const blob = source(Buffer.alloc(20 * 2 ** 20))
  await expect(client.uploadBlob(referenceOf(server.host, 'a'), blob)).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringMatching(/takes nothing more for blob sha256/),
  })
  client.close()
  server.close()
})
