import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestHex } from '../../../engine/oci/digest.ts'
import { type ImageStore, openImageStore, removeImageStores } from '../../support/image-store.ts'
import { pushImage } from '../../support/images.ts'
import { startRegistry, type TestRegistry } from '../../support/registry.ts'

let registry: TestRegistry
let store: ImageStore

beforeAll(async () => {
  registry = await startRegistry()
  store = await openImageStore()
})

afterAll(async () => {
  await store.close()
  await registry.stop()
  removeImageStores()
})

async function pull(name: string) {
  const { reference, image } = await pushImage(registry, `team/${name}:1`, { files: { '/name': name } })
  return { reference, built: image, image: await store.images.pull(reference) }
}

test('an image has several names; it goes with the last of them', async () => {
  const { reference, image } = await pull('several')
  const tagged = await store.images.tag(reference, 'mine:2')
  expect(tagged.references).toEqual(['docker.io/library/mine:2', reference].sort())
  expect((await store.images.inspect('mine:2')).digest).toBe(image.digest)
  expect(await store.images.remove(reference)).toEqual({ untagged: [reference], deleted: null })
  await expect(store.images.inspect(reference)).rejects.toMatchObject({ kind: 'not-found' })
  expect(await store.images.remove('mine:2')).toEqual({
    untagged: ['docker.io/library/mine:2'],
    deleted: image.digest,
  })
  await expect(store.images.remove('mine:2')).rejects.toMatchObject({ kind: 'not-found' })
})

test('by its digest an image with several names goes by force only', async () => {
  const { reference, image } = await pull('forced')
  await store.images.tag(image.digest, 'other')
  await expect(store.images.remove(image.digest)).rejects.toThrow(
    'has several names (docker.io/library/other',
  )
  expect(await store.images.remove(image.digest, { force: true })).toEqual({
    untagged: ['docker.io/library/other:latest', reference].sort(),
    deleted: image.digest,
  })
})

test('a name that another image takes leaves the first one without', async () => {
  const [first, second] = [await pull('first'), await pull('second')]
  await store.images.tag(first.reference, second.reference)
  expect((await store.images.inspect(second.image.digest)).references).toEqual([])
  expect((await store.images.inspect(second.reference)).digest).toBe(first.image.digest)
})

test('an image is found by the digests of its documents and by first digits, unless several begin so', async () => {
  const { image, built } = await pull('found')
  const digits = digestHex(image.digest)
  for (const key of [digits.slice(0, 12), `sha256:${digits.slice(0, 12)}`, image.digest])
    expect((await store.images.inspect(key)).digest).toBe(image.digest)
  const config = JSON.parse(built.manifest.toString()).config.digest
  expect((await store.images.inspect(config)).digest).toBe(image.digest)
  await expect(store.images.inspect('sha256:abc')).rejects.toMatchObject({ kind: 'not-found' })
  const twin = `sha256:${digits.slice(0, 20)}${'0'.repeat(44)}`
  store.state.db
    .prepare("INSERT INTO images (digest, config, layers, blobs, size_bytes) VALUES (?, '{}', '[]', '[]', 0)")
    .run(twin)
  await expect(store.images.inspect(digits.slice(0, 12))).rejects.toThrow('several images begin with')
  expect((await store.images.inspect(digits.slice(0, 21))).digest).toBe(image.digest)
  await store.images.remove(twin)
})

test('its documents are kept byte for byte, and its packed layers with them, until it goes', async () => {
  const { image, built } = await pull('documents')
  const { manifest, config } = await store.images.documents(image.digest)
  expect(manifest).toBe(built.manifest.toString())
  expect(config).toBe(built.blobs.get(JSON.parse(manifest).config.digest)?.toString())
  expect(image.blobs).toEqual(built.layers.map(({ digest }) => digest))
  const own = built.layers[1]?.digest ?? ''
  const path = join(store.stateDir, 'content/blobs/sha256', digestHex(own))
  expect(existsSync(path)).toBe(true)
  await store.images.remove(image.digest)
  expect(existsSync(path)).toBe(false)
})

test('an image of an older engine can be pulled again for its documents', async () => {
  const { reference, image } = await pull('older')
  store.state.db.prepare("UPDATE images SET documents = '[]' WHERE digest = ?").run(image.digest)
  await expect(store.images.documents(reference)).rejects.toThrow('pull it again')
  await store.images.pull(reference)
  expect((await store.images.documents(reference)).manifest).toContain('schemaVersion')
})

test('its history is told newest first, with the layer of each step; layers without a step stand at the end', async () => {
  const { reference } = await pushImage(registry, 'team/history:1', {
    files: { '/a': 'a' },
    history: [
      { created: '2026-01-01T00:00:00Z', created_by: 'ADD busybox' },
      { created_by: 'ENV A=b', empty_layer: true, comment: 'nothing in it' },
    ],
  })
  const { layers } = await store.images.pull(reference)
  const found = await store.images.history(reference)
  expect(found.map(({ createdBy, comment, layer }) => [createdBy, comment, layer?.diffId ?? null])).toEqual([
    ['', '', layers[1]],
    ['ENV A=b', 'nothing in it', null],
    ['ADD busybox', '', layers[0]],
  ])
  expect(found[2]).toMatchObject({ createdAt: '2026-01-01T00:00:00Z' })
  expect(found[2]?.layer?.sizeBytes).toBeGreaterThan(100_000)
})

test('an image that somebody works with cannot be removed, and can afterwards', async () => {
  const { image } = await pull('busy')
  await store.images.using(image.digest, async ({ digest }) => {
    await expect(store.images.remove(digest)).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: expect.stringContaining('is being copied, or made into a container'),
    })
  })
  await store.images.remove(image.digest)
  await expect(store.images.using(image.digest, async () => {})).rejects.toMatchObject({ kind: 'not-found' })
})
