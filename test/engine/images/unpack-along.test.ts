import { randomBytes } from 'node:crypto'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { bringLayers } from '../../../engine/images/bring-layers.ts'
import { unpackLayer } from '../../../engine/images/unpack.ts'
import type { Came } from '../../../engine/images/unpack-child.ts'
import { digestOf } from '../../../engine/oci/digest.ts'
import { type HostileRegistry, serve } from '../../support/hostile-registry.ts'
import { openImageStore, removeImageStores } from '../../support/image-store.ts'
import { type BuiltImage, buildImage, makeTar } from '../../support/images.ts'
import { until } from '../../support/until.ts'

afterAll(removeImageStores)

const fileBytes = 2 * 2 ** 20
const lastBytes = 3 * fileBytes

/**
 * One layer of two files that can't be packed. Of three quarters of it the first file is a third: what comes is told of,
 * inflated and written in pieces of up to a mebibyte, so that the end of what has come is not on disk yet.
 */
function twoFiles(): Promise<BuiltImage> {
  const files = { '/first': randomBytes(fileBytes), '/last': randomBytes(lastBytes) }
  return buildImage({ bare: true, files })
}

/** Serves three quarters of the layer, and the rest once it is told how it ends. */
async function serveSlowly(
  image: BuiltImage,
): Promise<{ server: HostileRegistry; goOn(change?: (rest: Buffer) => Buffer): void }> {
  const { promise, resolve } = Promise.withResolvers<(rest: Buffer) => Buffer>()
  const server = await serve(async ({ url = '' }, response) => {
    if (url.includes('/manifests/')) return void response.end(image.manifest)
    const whole = image.blobs.get(url.split('/').at(-1) ?? '') ?? Buffer.alloc(0)
    response.writeHead(200, { 'content-length': String(whole.length) })
    if (whole.length < fileBytes) return void response.end(whole)
    const cut = Math.floor(whole.length * 0.75)
    response.write(whole.subarray(0, cut))
    const change = await promise
    response.end(change(whole.subarray(cut)))
  })
  return { server, goOn: (change = (rest) => rest) => resolve(change) }
}

test('a layer is unpacked while it comes, and seen by nobody until all of it is verified', async () => {
  const image = await twoFiles()
  const { server, goOn } = await serveSlowly(image)
  const store = await openImageStore()
  const states = new Set<string>()
  const pull = store.images.pull(`${server.host}/team/along:1`, {
    onProgress: ([layer]) => layer && states.add(layer.state),
  })
  await until('the first file is there', () => staged(store.stateDir, 'first') === fileBytes)
  expect([...states]).toEqual(['waiting', 'downloading'])
  expect(staged(store.stateDir, 'last')).toBeLessThan(lastBytes)
  expect(store.layersOnDisk()).toEqual([])
  expect(await store.images.list()).toEqual([])
  goOn()
  const { layers } = await pull
  expect([...states]).toEqual(['waiting', 'downloading', 'verifying', 'unpacking', 'done'])
  await store.mounted(layers, (root) => {
    const sizes = ['first', 'last'].map((name) => statSync(join(root, name)).size)
    expect(sizes).toEqual([fileBytes, lastBytes])
  })
  expect(store.halfMade()).toEqual([])
  server.close()
  await store.close()
})

test('what was unpacked goes when the blob turns out not to be what its digest says', async () => {
  const image = await twoFiles()
  const { server, goOn } = await serveSlowly(image)
  const store = await openImageStore()
  const pull = store.images.pull(`${server.host}/team/along:1`)
  await until('the first file is there', () => staged(store.stateDir, 'first') === fileBytes)
  goOn((rest) => Buffer.alloc(rest.length))
  await expect(pull).rejects.toMatchObject({
    kind: 'corrupt',
    message: expect.stringMatching(/^blob sha256:.* is not what its digest says/),
  })
  expect(store.layersOnDisk()).toEqual([])
  expect(store.halfMade()).toEqual([])
  server.close()
  await store.close()
})

test.each([
  ['under way', 0.75],
  ['done', 1],
])(
  'when its source fails, a layer whose unpacking is %s is gone by the time that is told',
  async (_what, part) => {
    const image = await twoFiles()
    const { digest = '', diffId = '' } = image.layers[0] ?? {}
    const whole = image.blobs.get(digest) ?? Buffer.alloc(0)
    const packed = join(mkdtempSync(join(tmpdir(), 'berth-packed-')), 'layer')
    writeFileSync(packed, whole)
    const { parts, stateDir, halfMade, layersOnDisk, close } = await openImageStore()
    const bringing = bringLayers(
      {
        ...parts,
        keepBlobs: true,
        onProgress: () => {},
        signal: new AbortController().signal,
        async fetch(_layer, _tell, _signal, along) {
          along.begin(await open(packed, 'r'))
          if (part < 1) along.came(Math.floor(part * whole.length))
          else along.cameWhole()
          await until('so much is unpacked', () => staged(stateDir, part < 1 ? 'first' : 'last') >= fileBytes)
          if (part === 1) await until('its process has ended', () => !isUnpacking())
          throw new Error('the cable was cut')
        },
      },
      [{ digest, size: whole.length }],
      [diffId],
    )
    await expect(bringing).rejects.toThrow('the cable was cut')
    expect(halfMade()).toEqual([])
    expect(layersOnDisk()).toEqual([])
    await close()
    rmSync(dirname(packed), { recursive: true })
  },
)

test('a layer is unpacked whose process had answered and was gone when it was told once more that all is there', async () => {
  await using packed = await packedLayer([{ name: 'a', content: 'x' }])
  const watch = (listener: (came: Came) => void) => {
    listener({ bytes: 0, isAll: true })
    // Nothing of its answer is read meanwhile.
    for (const untilMs = Date.now() + 30_000; isUnpacking(); ) expect(Date.now()).toBeLessThan(untilMs)
    listener({ bytes: 0, isAll: true })
  }
  const found = await unpackLayer({ fd: packed.fd, watch }, packed.diffId, packed.folder)
  expect(found).toEqual({ implied: [], opaque: [], links: [] })
  expect(statSync(join(packed.folder, 'a')).size).toBe(1)
})

test('it is told each time that many small files were written, so that the disk can begin with them', async () => {
  const entries = (count: number, content: Buffer) =>
    Array.from({ length: count }, (_, index) => ({ name: `${content.length}/${index}`, content }))
  // Large files go their own way to the disk.
  await using packed = await packedLayer([
    ...entries(5, randomBytes(200_000)),
    ...entries(9_998, Buffer.from('x')),
  ])
  let told = 0
  const onManySmallFiles = () => void told++
  await unpackLayer({ fd: packed.fd }, packed.diffId, packed.folder, undefined, { onManySmallFiles })
  expect(told).toBe(1)
})

/** A layer in a file, and an empty folder for it, which are gone at the end of the block. */
async function packedLayer(entries: Parameters<typeof makeTar>[0]) {
  const tar = await makeTar(entries)
  const place = mkdtempSync(join(tmpdir(), 'berth-told-'))
  const folder = join(place, 'staging/layer')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(place, 'packed'), gzipSync(tar))
  const file = await open(join(place, 'packed'), 'r')
  return {
    fd: file.fd,
    diffId: digestOf(tar),
    folder,
    async [Symbol.asyncDispose]() {
      await file.close()
      rmSync(place, { recursive: true })
    },
  }
}

/** Whether a process of ours unpacks something. */
function isUnpacking(): boolean {
  const children = globSync('/proc/self/task/*/children').flatMap((path) =>
    readFileSync(path, 'utf8').trim().split(' '),
  )
  return children.some(
    (pid) => pid !== '' && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('unpack-child'),
  )
}

/** Size of a file of the layer that is being unpacked; 0 before it is there. */
function staged(stateDir: string, name: string): number {
  const [path] = globSync(join(stateDir, 'staging/*', name))
  return path === undefined ? 0 : statSync(path).size
}
