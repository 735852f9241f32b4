import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LayerProgress } from '../../../engine/images/images.ts'
import { openImageStore, removeImageStores } from '../../support/image-store.ts'
import { pushImage } from '../../support/images.ts'
import { startRegistry, type TestRegistry } from '../../support/registry.ts'

let registry: TestRegistry

beforeAll(async () => {
  registry = await startRegistry()
})

afterAll(async () => {
  await registry.stop()
  removeImageStores()
})

test('a pulled image is verified, described and mounted with the ids of its container', async () => {
  const { reference, digest } = await pushImage(registry, 'team/app:1', {
    entrypoint: ['/bin/sh'],
    command: ['-c', 'true'],
    env: ['PATH=/bin', 'A=b=c'],
    exposedPorts: [8080, 80],
    user: 'app',
    compress: 'zstd',
  })
  const store = await openImageStore()
  const seen: LayerProgress[][] = []
  const image = await store.images.pull(reference, { onProgress: (layers) => seen.push(layers) })
  expect(image).toMatchObject({
    digest,
    references: [reference],
    config: {
      entrypoint: ['/bin/sh'],
      command: ['-c', 'true'],
      environment: { PATH: '/bin', A: 'b=c' },
      exposedPorts: [80, 8080],
      user: 'app',
      stopSignal: 'SIGTERM',
    },
  })
  expect(seen.at(-1)?.map(({ state }) => state)).toEqual(['done'])
  const found = await store.mounted(image.layers, (root) => ({
    root: statSync(root).uid,
    busybox: statSync(join(root, 'bin/busybox')).uid,
    home: statSync(join(root, 'home/app')).uid,
    tmp: statSync(join(root, 'tmp')).mode & 0o7777,
    output: execFileSync(join(root, 'bin/busybox'), ['echo', 'runs']).toString(),
  }))
  expect(found).toEqual({ root: 300_000, busybox: 300_000, home: 301_000, tmp: 0o1777, output: 'runs\n' })
  expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(store.stateDir)
  await store.close()
})

test('what is here is not fetched again, also after a restart, and goes when it is removed', async () => {
  const { reference, digest } = await pushImage(registry, 'team/again:1', { files: { '/one': 'again' } })
  const first = await openImageStore()
  await Promise.all([first.images.pull(reference), first.images.pull(reference)])
  await first.close()
  const second = await openImageStore(first.stateDir)
  const seen: LayerProgress[][] = []
  await second.images.pull(reference, { onProgress: (layers) => seen.push(layers) })
  expect(seen.flat().every(({ state }) => state === 'exists')).toBe(true)
  expect(second.layersOnDisk()).toHaveLength(2)
  const { reference: sibling } = await pushImage(registry, 'team/sibling:1', {
    files: { '/two': 'sibling' },
  })
  await second.images.pull(sibling)
  expect(second.layersOnDisk()).toHaveLength(3)
  expect(await second.images.remove(digest)).toEqual({ untagged: [reference], deleted: digest })
  expect(second.layersOnDisk()).toHaveLength(2)
  await expect(second.images.inspect(digest)).rejects.toMatchObject({ kind: 'not-found' })
  expect(await second.images.inspect(sibling)).toMatchObject({ references: [sibling] })
  await second.close()
})
