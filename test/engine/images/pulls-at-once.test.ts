import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serve, serveImage } from '../../support/hostile-registry.ts'
import { openImageStore, removeImageStores } from '../../support/image-store.ts'
import { buildImage, pushImage } from '../../support/images.ts'
import { startRegistry, type TestRegistry } from '../../support/registry.ts'
import { until } from '../../support/until.ts'

let registry: TestRegistry

beforeAll(async () => {
  registry = await startRegistry()
})

afterAll(async () => {
  await registry.stop()
  removeImageStores()
})

const push = async (name: string) => {
  const { reference } = await pushImage(registry, `team/${name}:1`, { files: { '/name': name } })
  return reference
}

test('images that share layers can be pulled at once, each by its own credentials', async () => {
  const references = await Promise.all(['a', 'b', 'c', 'd'].map(push))
  const store = await openImageStore()
  const pulled = await Promise.all([
    ...references.map((reference) => store.images.pull(reference)),
    ...['one', 'two'].map((token) =>
      store.images.pull(references[0] ?? '', { credentials: { kind: 'bearer', token } }),
    ),
  ])
  expect(new Set(pulled.map(({ layers }) => layers[0])).size).toBe(1)
  expect(store.layersOnDisk()).toHaveLength(5)
  expect(store.halfMade()).toEqual([])
  await store.close()
})

test('an image that goes takes no layer from a pull under way', async () => {
  const [old = '', next = ''] = await Promise.all(['old', 'next'].map(push))
  const store = await openImageStore()
  const { digest } = await store.images.pull(old)
  const [image] = await Promise.all([
    store.images.pull(next, {
      onProgress: (layers) => {
        // The shared layer was found here: now it must stay.
        if (layers.some(({ state }) => state === 'exists')) void store.images.remove(digest).catch(() => {})
      },
    }),
  ])
  await until('the old image is gone', async () => (await store.images.list()).length === 1)
  await expect(store.images.remove(digest)).rejects.toMatchObject({ kind: 'not-found' })
  expect(store.layersOnDisk().sort()).toEqual(image.layers.map((diffId) => diffId.slice(7)).sort())
  await store.mounted(image.layers, () => {})
  await store.close()
})

test('who leaves a shared pull ends it for nobody else, also who began it', async () => {
  const image = await buildImage({})
  const goOn = Promise.withResolvers<void>()
  const server = await serve(async ({ url = '' }, response) => {
    if (url.includes('/manifests/')) return void response.end(image.manifest)
    const bytes = image.blobs.get(url.split('/').at(-1) ?? '') ?? Buffer.alloc(0)
    response.writeHead(200, { 'content-length': String(bytes.length) })
    response.write(bytes.subarray(0, 100_000))
    if (bytes.length > 100_000) await goOn.promise
    response.end(bytes.subarray(100_000))
  })
  const store = await openImageStore()
  const reference = `${server.host}/team/shared:1`
  const leaves = new AbortController()
  const first = store.images.pull(reference, { signal: leaves.signal })
  const seen = new Set<string>()
  let bytes = 0
  const second = store.images.pull(reference, {
    signal: new AbortController().signal,
    onProgress: (layers) => {
      for (const { state, doneBytes } of layers) {
        seen.add(state)
        bytes = Math.max(bytes, doneBytes)
      }
    },
  })
  await until('the layer is coming', () => bytes > 0)
  leaves.abort(new Error('leaves'))
  await expect(first).rejects.toThrow('leaves')
  goOn.resolve()
  expect((await second).digest).toBe(image.digest)
  expect(seen).toContain('done')
  const asked = server.seen.map(({ path }) => path)
  expect(asked.toSorted()).toEqual([...new Set(asked)].sort())
  server.close()
  await store.close()
})

test('the last one who leaves a shared pull ends it, and what came is gone on with', async () => {
  const image = await buildImage({})
  let isHeld = true
  const server = await serveImage(image, (_digest, bytes, from) =>
    isHeld && bytes.length > 100_000
      ? { bytes: bytes.subarray(from, 100_000), ending: 'stall' }
      : { bytes: bytes.subarray(from) },
  )
  const store = await openImageStore()
  const reference = `${server.host}/team/left:1`
  let bytes = 0
  const pulls = ['one', 'another'].map((name) => {
    const { signal, abort } = abortable()
    const pull = store.images.pull(reference, {
      signal,
      onProgress: (layers) => {
        bytes = Math.max(bytes, ...layers.map(({ doneBytes }) => doneBytes))
      },
    })
    return { name, pull, abort }
  })
  await until('the layer is coming', () => bytes > 0)
  for (const { name, pull, abort } of pulls) {
    abort(new Error(`${name} leaves`))
    await expect(pull).rejects.toThrow(`${name} leaves`)
  }
  await until('nothing is unpacked any more', () =>
    store.halfMade().every((file) => file.startsWith('content/ingest/')),
  )
  isHeld = false
  await store.images.pull(reference)
  expect(server.seen.some(({ range }) => /^bytes=[1-9]\d*-$/.test(range ?? ''))).toBe(true)
  server.close()
  await store.close()
})

function abortable() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: (reason: Error) => controller.abort(reason) }
}

test('a pull that was killed leaves nothing to be seen, and the next one goes on where it stopped', async () => {
  const image = await buildImage({ files: { '/small': 'x' } })
  let isKilled = false
  const server = await serveImage(image, (_digest, bytes, from) =>
    !isKilled && bytes.length > 100_000
      ? { bytes: bytes.subarray(from, 300_000), ending: 'stall' }
      : { bytes: bytes.subarray(from) },
  )
  const store = await openImageStore()
  await store.close()
  const reference = `${server.host}/team/killed:1`
  const script = fileURLToPath(new URL('../../support/pull-child.ts', import.meta.url))
  const child = spawn(process.execPath, [script, reference, store.stateDir], { stdio: 'ignore' })
  await until('the small layer is unpacked and the large one is coming', () => {
    const left = store.halfMade()
    return ['staging/', 'content/ingest/'].every((folder) => left.some((name) => name.startsWith(folder)))
  })
  child.kill('SIGKILL')
  await once(child, 'exit')
  isKilled = true
  const again = await openImageStore(store.stateDir)
  expect(await again.images.list()).toEqual([])
  expect(again.layersOnDisk()).toEqual([])
  expect(again.halfMade().filter((name) => name.startsWith('staging/'))).toEqual([])
  await again.images.pull(reference)
  expect(server.seen.some(({ range }) => /^bytes=[1-9]\d*-$/.test(range ?? ''))).toBe(true)
  expect(again.halfMade()).toEqual([])
  server.close()
  await again.close()
})
