import type { ServerResponse } from 'node:http'
import { afterAll, expect, test } from 'vitest'
import { type AnswerBlob, type HostileRegistry, serve, serveImage } from '../../support/hostile-registry.ts'
import { type ImageStore, openImageStore, removeImageStores } from '../../support/image-store.ts'
import { type BuiltImage, buildImage } from '../../support/images.ts'
import { leavesAlone, reachableFrom } from '../../support/world.ts'

afterAll(removeImageStores)

const credentials = { kind: 'basic' as const, username: 'u', password: 'p' }
const basic = `Basic ${Buffer.from('u:p').toString('base64')}`

/** Lends an image store and closes what the test has served. */
async function withStore(
  servers: HostileRegistry[],
  work: (store: ImageStore) => Promise<void>,
): Promise<void> {
  const store = await openImageStore()
  try {
    await work(store)
  } finally {
    for (const server of servers) server.close()
    await store.close()
  }
}

test('a download that is cut off goes on where it stopped', async () => {
  const image = await buildImage({})
  let cuts = 0
  const server = await serveImage(image, (_digest, bytes, from) =>
    bytes.length > 400_000 && cuts++ === 0
      ? { bytes: bytes.subarray(0, 400_000), ending: 'cut' }
      : { bytes: bytes.subarray(from) },
  )
  await withStore([server], async (store) => {
    await store.images.pull(`${server.host}/team/cut:1`)
    const ranges = server.seen.map(({ range }) => range).filter((range) => range !== undefined)
    expect(ranges).toEqual([expect.stringMatching(/^bytes=[1-9]\d*-$/)])
  })
})

const y = await buildImage({ bare: true, files: { '/x': 'y' } })
const z = await buildImage({ bare: true, files: { '/x': 'z' } })
const layerOf = (image: BuiltImage) => JSON.parse(image.manifest.toString()).layers[0]
const yLayer = y.layers[0]?.digest ?? ''
const withLayer = (image: BuiltImage, layer: object): BuiltImage => ({
  ...image,
  manifest: Buffer.from(JSON.stringify({ ...JSON.parse(image.manifest.toString()), layers: [layer] })),
})

/** What it pulls, what is said of it at last, and what is sent of its layer, where that is not the layer. */
const lies: [string, BuiltImage, string, AnswerBlob | undefined][] = [
  [
    'wrong bytes',
    y,
    `blob ${yLayer} is not what its digest says`,
    (digest, bytes) => ({ bytes: digest === yLayer ? Buffer.alloc(bytes.length) : bytes }),
  ],
  [
    'a layer that is not what its diffID says',
    withLayer({ ...y, blobs: new Map([...y.blobs, ...z.blobs]) }, layerOf(z)),
    `layer ${y.layers[0]?.diffId} cannot be unpacked`,
    undefined,
  ],
  [
    'a layer that is longer than its manifest says',
    withLayer(y, { ...layerOf(y), size: 10 }),
    `bytes as layer ${yLayer} of `,
    undefined,
  ],
  [
    'a layer that is shorter than its manifest says',
    withLayer(y, { ...layerOf(y), size: layerOf(y).size + 1 }),
    `bytes as layer ${yLayer} of `,
    undefined,
  ],
]

test.each(lies)(
  '%s: refused as corrupt, and nothing of it is left',
  async (_what, image, message, answer) => {
    const server = await serveImage(image, answer)
    await withStore([server], async (store) => {
      await leavesAlone(reachableFrom(store.stateDir), () =>
        expect(store.images.pull(`${server.host}/team/lie:1`)).rejects.toMatchObject({
          kind: 'corrupt',
          message: expect.stringContaining(message),
        }),
      )
      expect(await store.images.list()).toEqual([])
      expect(store.layersOnDisk()).toEqual([])
      expect(store.halfMade()).toEqual([])
    })
  },
)

const [yBytes = Buffer.alloc(0)] = [y.blobs.get(yLayer)]

test.each<[string, string, (response: ServerResponse) => void]>([
  [
    'a length that is too large',
    'corrupt',
    (response) => response.writeHead(200, { 'content-length': 2 ** 50 }).write(yBytes),
  ],
  [
    'a length that is too small',
    'corrupt',
    (response) => response.writeHead(200, { 'content-length': 5 }).end(yBytes.subarray(0, 5)),
  ],
  [
    'more bytes than it should, without a length',
    'corrupt',
    (response) => {
      response.write(yBytes)
      response.end(yBytes)
    },
  ],
  [
    'a pause for longer than we wait',
    'rate-limited',
    (response) => response.writeHead(429, { 'retry-after': '3600' }).end(),
  ],
  [
    'a redirect to a file',
    'invalid',
    (response) => response.writeHead(307, { location: 'file:///etc/passwd' }).end(),
  ],
  [
    "a redirect to a cloud's metadata",
    'invalid',
    (response) => response.writeHead(307, { location: 'http://169.254.169.254/' }).end(),
  ],
  ['nothing', 'not-found', (response) => response.writeHead(404).end()],
])('to %s as its layer an image is refused, with the name of that layer', async (_what, kind, answer) => {
  const server = await serve(({ url = '' }, response) => {
    if (url.includes('/manifests/')) response.end(y.manifest)
    else if (url.endsWith(yLayer)) answer(response)
    else response.end(y.blobs.get(url.split('/').at(-1) ?? ''))
  })
  await withStore([server], async (store) => {
    await leavesAlone(reachableFrom(store.stateDir), () =>
      expect(store.images.pull(`${server.host}/team/lie:1`)).rejects.toMatchObject({
        kind,
        message: expect.stringContaining(`layer ${yLayer} of `),
      }),
    )
    expect([await store.images.list(), store.layersOnDisk(), store.halfMade()]).toEqual([[], [], []])
  })
})

test('credentials go to the registry and its token server, and not to where it redirects', async () => {
  const elsewhere = await serveImage(y)
  const tokens = await serve((_request, response) => response.end(JSON.stringify({ token: 'the-token' })))
  const front = await serve((request, response) => {
    if (request.headers.authorization !== 'Bearer the-token')
      return void response
        .writeHead(401, { 'www-authenticate': `Bearer realm="http://${tokens.host}/token",service="s,x"` })
        .end()
    if (request.url?.includes('/manifests/')) return void response.end(y.manifest)
    response.writeHead(307, { location: `http://${elsewhere.host}${request.url}` }).end()
  })
  await withStore([front, tokens, elsewhere], async (store) => {
    await store.images.pull(`${front.host}/team/private:1`, { credentials })
    expect(tokens.seen.map(({ authorization }) => authorization)).toEqual([basic])
    expect(tokens.seen[0]?.path).toBe(
      '/token?service=s%2Cx&scope=repository%3Ateam%2Fprivate%3Apull&account=u',
    )
    const [first, ...rest] = front.seen.map(({ authorization }) => authorization)
    expect(first).toBeUndefined()
    expect(new Set(rest)).toEqual(new Set(['Bearer the-token']))
    expect(new Set(elsewhere.seen.map(({ authorization }) => authorization))).toEqual(new Set([undefined]))
  })
})

test('one basic login serves pulls that begin at once, and a wrong password is said to be one', async () => {
  const server = await serve((request, response) => {
    if (request.headers.authorization !== basic)
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm="here"' }).end()
    if (request.url?.includes('/manifests/')) return void response.end(y.manifest)
    response.end(y.blobs.get(request.url?.split('/').at(-1) ?? ''))
  })
  await withStore([server], async (store) => {
    const pull = (tag: string, password = 'p') =>
      store.images.pull(`${server.host}/team/app:${tag}`, { credentials: { ...credentials, password } })
    await Promise.all(['1', '2', '3'].map((tag) => pull(tag)))
    await expect(pull('4', 'wrong')).rejects.toMatchObject({
      kind: 'access-denied',
      message: expect.stringContaining('does not accept these credentials'),
    })
    await expect(store.images.pull(`${server.host}/team/app:5`)).rejects.toMatchObject({
      kind: 'access-denied',
      message: expect.stringContaining('wants credentials'),
    })
  })
})

test('a given token is used as it is', async () => {
  const server = await serveImage(y)
  await withStore([server], async (store) => {
    await store.images.pull(`${server.host}/team/app:1`, { credentials: { kind: 'bearer', token: 't' } })
    expect(new Set(server.seen.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer t']))
  })
})

test.each([
  ['an answer that breaks off', 'unavailable', /closed the connection|broke off/],
  ['a manifest without end', 'limit-exceeded', /larger than 4194304 bytes/],
  ['a redirect to nowhere', 'invalid', /redirects .* to no address/],
  ['a token server that is none', 'invalid', /names "not a url" as its token server/],
  ['500', 'unavailable', /failed with 500 .*it burns/],
])('%s is told as such', async (what, kind, message) => {
  const server = await serve((request, response) => {
    switch (what) {
      case 'an answer that breaks off':
        response.writeHead(200, { 'content-length': '1000' }).write('{', () => request.socket.destroy())
        break
      case 'a manifest without end':
        response.end(Buffer.alloc(5 * 2 ** 20, ' '))
        break
      case 'a redirect to nowhere':
        response.writeHead(307, { location: 'file:///etc/passwd' }).end()
        break
      case 'a token server that is none':
        response.writeHead(401, { 'www-authenticate': 'Bearer realm="not a url"' }).end()
        break
      default:
        response.writeHead(500).end(JSON.stringify({ errors: [{ message: 'it burns' }] }))
    }
  })
  await withStore([server], async (store) => {
    await expect(store.images.pull(`${server.host}/team/app:1`)).rejects.toMatchObject({
      name: 'EngineError',
      kind,
      message: expect.stringMatching(message),
    })
  })
})

test('a pull that is called off ends at once', async () => {
  const server = await serveImage(y, (_digest, bytes) => ({ bytes: bytes.subarray(0, 1), ending: 'stall' }))
  await withStore([server], async (store) => {
    const abort = new AbortController()
    const pull = store.images.pull(`${server.host}/team/slow:1`, { signal: abort.signal })
    setImmediate(() => abort.abort(new Error('called off')))
    await expect(pull).rejects.toThrow('called off')
  })
})
