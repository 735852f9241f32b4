import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AnswerBlob, type HostileRegistry, serveImage } from '../../support/hostile-registry.ts'
import { type ImageStore, openImageStore, removeImageStores } from '../../support/image-store.ts'
import { type BuiltImage, buildImage, type ImageSpec } from '../../support/images.ts'

let store: ImageStore
const servers: HostileRegistry[] = []

beforeAll(async () => {
  store = await openImageStore()
})
afterAll(async () => {
  await store.close()
  for (const server of servers) server.close()
  removeImageStores()
})

const small = (files: Record<string, string>, more: ImageSpec = {}) =>
  buildImage({ bare: true, files, ...more })

async function serve(image: BuiltImage, answer?: AnswerBlob) {
  const server = await serveImage(image, answer)
  servers.push(server)
  const layers = image.layers.map(({ digest }) => digest)
  return {
    reference: `${server.host}/team/app`,
    /** How many layers it was asked for. */
    asked: () => server.seen.filter(({ path }) => layers.some((digest) => path.endsWith(digest))).length,
  }
}

/** It has the documents, and of the layers nothing. */
const withoutLayers =
  (image: BuiltImage): AnswerBlob =>
  (digest, bytes, from) => ({
    bytes: image.layers.some((layer) => layer.digest === digest)
      ? Buffer.alloc(bytes.length - from)
      : bytes.subarray(from),
  })

const pull = (reference: string, realm: string) => store.images.pull(reference, { realm })

test('what one realm pulled is another’s only once a registry has sent all of it for that as well', async () => {
  const image = await small({ '/secret': 'of a' })
  const honest = await serve(image)
  const { digest } = await pull(`${honest.reference}:1`, 'a')
  expect((await store.images.inspect(digest, { realm: 'a' })).digest).toBe(digest)
  await expect(store.images.inspect(digest, { realm: 'b' })).rejects.toMatchObject({ kind: 'not-found' })

  const liar = await serve(image, withoutLayers(image))
  for (const reference of [`${liar.reference}:1`, `${liar.reference}@${digest}`])
    await expect(pull(reference, 'b')).rejects.toMatchObject({ kind: 'corrupt' })
  await expect(store.images.inspect(digest, { realm: 'b' })).rejects.toMatchObject({ kind: 'not-found' })

  expect((await pull(`${honest.reference}@${digest}`, 'b')).digest).toBe(digest)
  expect(honest.asked()).toBe(2)
  await pull(`${honest.reference}:1`, 'b')
  await pull(`${honest.reference}:1`, 'a')
  expect(honest.asked()).toBe(2)
  expect((await store.images.inspect(digest, { realm: 'b' })).digest).toBe(digest)
})

test('a layer that was sent for a realm is not sent again for another image of it', async () => {
  const [one, two] = await Promise.all([
    small({ '/base': 'shared' }),
    small({ '/base': 'shared' }, { env: ['NAME=two'] }),
  ])
  const [first, second] = await Promise.all([serve(one), serve(two)])
  await pull(`${first.reference}:1`, 'a')
  const { digest } = await pull(`${second.reference}:1`, 'a')
  expect([digest, first.asked(), second.asked()]).toEqual([two.digest, 1, 0])
})

test('a configuration that claims another realm’s layer for its own packed one is refused', async () => {
  const image = await small({ '/secret': 'not for b' })
  const { reference } = await serve(image)
  const { layers } = await pull(`${reference}:1`, 'a')
  const claim = (await small({ '/mine': 'b' })).layers[0]
  const config = [...image.blobs].find(([digest]) => digest !== image.layers[0]?.digest)
  const bytes = (await small({ '/mine': 'b' })).blobs.get(claim?.digest ?? '') ?? Buffer.alloc(0)
  const manifest = image.manifest.toString().replace(image.layers[0]?.digest ?? '', claim?.digest ?? '')
  const evil: BuiltImage = {
    ...image,
    manifest: Buffer.from(manifest.replace(/"size":\d+\}\]/, `"size":${bytes.length}}]`)),
    blobs: new Map([[claim?.digest ?? '', bytes], ...(config ? [config] : [])]),
  }
  const { reference: evilReference } = await serve(evil)
  await expect(pull(`${evilReference}:1`, 'b')).rejects.toMatchObject({ kind: 'corrupt' })
  expect(store.layersOnDisk()).toContain(layers[0]?.slice(7))
})

test('two realms that pull at once are each sent the layer', async () => {
  const honest = await serve(await small({ '/at': 'once' }))
  const [a, b] = await Promise.all([pull(`${honest.reference}:1`, 'a'), pull(`${honest.reference}:1`, 'b')])
  expect([a?.digest === b?.digest, honest.asked()]).toEqual([true, 2])
  expect(store.halfMade()).toEqual([])
})

test('what one realm’s pull was cut off from is not gone on with by another’s', async () => {
  const content = Buffer.alloc(300_000, 'secret of a ').toString('latin1')
  const image = await small({ '/large': content }, { compress: 'none' })
  const cut = await serve(image, (digest, bytes, from) =>
    digest === image.layers[0]?.digest && from === 0
      ? { bytes: bytes.subarray(0, 200_000), ending: 'stall' }
      : { bytes: bytes.subarray(from) },
  )
  const leaves = new AbortController()
  const pulled = store.images.pull(`${cut.reference}:1`, {
    realm: 'a',
    signal: leaves.signal,
    onProgress: ([layer]) => {
      if ((layer?.doneBytes ?? 0) > 100_000) leaves.abort()
    },
  })
  await expect(pulled).rejects.toThrow()
  const other = await serveImage(image)
  servers.push(other)
  await pull(`${other.host}/team/app:1`, 'b')
  const asked = other.seen.filter(({ path }) => path.endsWith(image.layers[0]?.digest ?? ''))
  expect(asked.map(({ range }) => range)).toEqual([undefined])
})
