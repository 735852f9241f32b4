import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sweepUnneeded } from '../../../engine/images/sweep.ts'
import { digestHex } from '../../../engine/oci/digest.ts'
import { type ImageStore, openImageStore, removeImageStores } from '../../support/image-store.ts'
import { pushImage } from '../../support/images.ts'
import { startRegistry, type TestRegistry } from '../../support/registry.ts'
import { conformsToImages } from './conformance.ts'

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

conformsToImages({ images: () => store.images, registry: () => registry })

test('first digits that several images begin with name none of them', async () => {
  const { image } = await pull('twin')
  const digits = digestHex(image.digest)
  const twin = `sha256:${digits.slice(0, 20)}${'0'.repeat(44)}`
  store.state.db
    .prepare("INSERT INTO images (digest, config, layers, blobs, size_bytes) VALUES (?, '{}', '[]', '[]', 0)")
    .run(twin)
  await expect(store.images.inspect(digits.slice(0, 12))).rejects.toThrow('several images begin with')
  expect((await store.images.inspect(digits.slice(0, 21))).digest).toBe(image.digest)
  await store.images.remove(twin)
})

test('its packed layers are kept until it goes', async () => {
  const { image, built } = await pull('packed')
  const own = built.layers[1]?.digest ?? ''
  const path = join(store.stateDir, 'content/blobs/sha256', digestHex(own))
  expect(existsSync(path)).toBe(true)
  await store.images.remove(image.digest)
  expect(existsSync(path)).toBe(false)
})

test('its layers stay under a container that is made of it, whatever becomes of the image', async () => {
  const { image } = await pull('beneath')
  await store.snapshots.prepare('above', image.layers)
  await store.images.remove(image.digest)
  await sweepUnneeded(store.parts)
  const here = () => image.layers.filter((diffId) => store.layersOnDisk().includes(digestHex(diffId)))
  expect(here()).toEqual(image.layers)
  await store.snapshots.remove('above')
  await sweepUnneeded(store.parts)
  expect(here()).not.toContain(image.layers[1])
})

test('an image of an older engine can be pulled again for its documents', async () => {
  const { reference, image } = await pull('older')
  store.state.db.prepare("UPDATE images SET documents = '[]' WHERE digest = ?").run(image.digest)
  await expect(store.images.documents(reference)).rejects.toThrow('pull it again')
  await store.images.pull(reference)
  expect((await store.images.documents(reference)).manifest).toContain('schemaVersion')
})
