/** Layers that mean harm. Each is refused or made harmless, and nothing outside of it changes. */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import zlib from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { unpackLayer } from '../../../engine/images/unpack.ts'
import { digestOf } from '../../../engine/oci/digest.ts'
import { resolveUser } from '../../../engine/runtime/user.ts'
import { openImageStore } from '../../support/image-store.ts'
import { makeTar, pushImage } from '../../support/images.ts'
import { type LayerImages, openLayerImages, serveLayer } from '../../support/layer-images.ts'
import { makeLayer, type Part, pax } from '../../support/layers.ts'
import { leavesAlone, reachableFrom } from '../../support/world.ts'

let made: LayerImages
const outside = mkdtempSync(join(tmpdir(), 'berth-outside-'))
beforeAll(async () => {
  made = await openLayerImages()
})
afterAll(async () => {
  await made?.close()
  rmSync(outside, { recursive: true, force: true })
})

/** Runs work of which nothing may be seen outside of the layer that it unpacks: not in other layers either. */
function nothingOutsideChanges<T>(work: () => Promise<T>): Promise<T> {
  writeFileSync(join(outside, 'secret'), 'secret')
  return leavesAlone([outside, ...reachableFrom(made.store.stateDir)], work)
}

/** The same of layers that are taken in: those below them stay as they are, and one more is there. */
async function nothingButLayersChanges<T>(work: () => Promise<T>): Promise<T> {
  writeFileSync(join(outside, 'secret'), 'secret')
  const { stateDir, layersOnDisk } = made.store
  const others = layersOnDisk().map((name) => join(stateDir, 'layers', name))
  const folder = join(stateDir, 'layers')
  const elsewhere = reachableFrom(stateDir).filter((path) => path !== folder)
  return leavesAlone([outside, ...elsewhere, ...others], work)
}

/** Symbolic links, each to the next, more of them than the kernel follows. */
const chain = Array.from(
  { length: 50 },
  (_, index): Part => ({ name: `c${index}`, type: 'symlink', linkname: `c${index + 1}` }),
)

test.each<[string, string, Part[]]>([
  ['a path that leads up', 'corrupt', [{ name: '../../../../../../tmp/x', content: 'x' }]],
  ['a hard link that leads up', 'corrupt', [{ name: 'x', type: 'link', linkname: '../../../../etc/passwd' }]],
  ['a hard link to what is not there', 'corrupt', [{ name: 'x', type: 'link', linkname: '/etc/passwd' }]],
  [
    'a hard link through a link that leads out',
    'corrupt',
    [
      { name: 'way', type: 'symlink', linkname: outside },
      { name: 'x', type: 'link', linkname: 'way/secret' },
      { name: 'x', content: 'written through' },
      { name: 'y', type: 'link', linkname: 'way/secret' },
    ],
  ],
  [
    'links without end',
    'corrupt',
    [...chain, { name: 'c50', type: 'symlink', linkname: 'c0' }, { name: 'c0/x' }],
  ],
  ['a whiteout of the folder above', 'corrupt', [{ name: 'a/.wh...', content: '' }]],
  ['a whiteout of the folder itself', 'corrupt', [{ name: 'a/.wh..', content: '' }]],
  ['a whiteout of nothing', 'corrupt', [{ name: '.wh.', content: '' }]],
  ['a whiteout by a path that leads up', 'corrupt', [{ name: '../.wh.secret', content: '' }]],
  ['a path without end', 'corrupt', [{ name: `${'d/'.repeat(1_000)}x`, content: '' }]],
  [
    'a hard link to a folder',
    'corrupt',
    [
      { name: 'a', type: 'directory' },
      { name: 'b', type: 'link', linkname: 'a' },
    ],
  ],
  [
    'a link to itself on the way',
    'corrupt',
    [
      { name: 'a', type: 'symlink', linkname: 'a' },
      { name: 'a/b', content: 'x' },
    ],
  ],
  ['an owner that cannot be', 'corrupt', [pax({ uid: '4294967295' }), { name: 'a', content: 'x' }]],
  [
    'a size that cannot be',
    'limit-exceeded',
    [pax({ size: String(2n ** 63n) }), { name: 'a', content: 'x' }],
  ],
  [
    'folders without end that it does not list',
    'limit-exceeded',
    Array.from({ length: 100 }, (_, i) => ({ name: `${i}/${'deep/'.repeat(250)}x`, content: '' })),
  ],
])('%s is refused, and nothing of it is left', async (_what, kind, entries) => {
  const diffId = digestOf(await makeLayer(entries))
  await nothingOutsideChanges(() =>
    expect(made.pull(entries)).rejects.toMatchObject({
      kind,
      message: expect.stringMatching(new RegExp(`^layer ${diffId} `)),
    }),
  )
  expect(made.store.halfMade()).toEqual([])
})

test('a link out of the layer leads nowhere: what is written through it stays inside', async () => {
  const image = await nothingButLayersChanges(() =>
    made.pull([
      { name: 'way', type: 'symlink', linkname: outside },
      { name: 'way/planted', content: 'x' },
      { name: 'way/.wh.secret', content: '' },
      { name: 'way/.wh..wh..opq', content: '' },
      { name: 'way', type: 'directory', mode: 0o777, uid: 99 },
      { name: 'dev', type: 'symlink', linkname: outside },
      { name: 'node', type: 'block-device', devmajor: 8, devminor: 0 },
      { name: '/absolute', content: 'x' },
      { name: 'back', type: 'directory' },
      { name: 'here', type: 'symlink', linkname: 'back' },
      { name: 'here/one', content: '1' },
      { name: 'here', content: 'a file now' },
    ]),
  )
  await made.store.mounted(image.layers, (root) => {
    expect(lstatSync(join(root, 'dev')).isDirectory()).toBe(true)
    expect(existsSync(join(root, 'node'))).toBe(false)
    expect(readFileSync(join(root, 'absolute'), 'utf8')).toBe('x')
    expect(readFileSync(join(root, 'back/one'), 'utf8')).toBe('1')
    expect(readFileSync(join(root, 'here'), 'utf8')).toBe('a file now')
  })
})

test('a device of an image is none, also one that would hide what is below', async () => {
  const image = await nothingButLayersChanges(() =>
    made.pull(
      [{ name: 'seen', content: 'below' }],
      [
        { name: 'seen', type: 'character-device', devmajor: 0, devminor: 0 },
        { name: 'memory', type: 'character-device', devmajor: 1, devminor: 1 },
      ],
    ),
  )
  await made.store.mounted(image.layers, (root) => {
    expect(readFileSync(join(root, 'seen'), 'utf8')).toBe('below')
    expect(existsSync(join(root, 'memory'))).toBe(false)
  })
})

const app = 'app:x:7:7::/:\n'

test.each<[string, () => Part[]]>([
  ['a FIFO', () => [{ name: 'etc/passwd', type: 'fifo' }]],
  ['a folder', () => [{ name: 'etc/passwd', type: 'directory' }]],
  ['larger than any', () => [{ name: 'etc/passwd', content: app.padEnd(2 ** 20 + 1, '#') }]],
  [
    'a link out of the image',
    () => [{ name: 'etc/passwd', type: 'symlink', linkname: join(outside, 'passwd') }],
  ],
  ['a link to itself', () => [{ name: 'etc/passwd', type: 'symlink', linkname: 'passwd' }]],
  ['below a link out of the image', () => [{ name: 'etc', type: 'symlink', linkname: outside }]],
])("an image's /etc/passwd that is %s is read as none", async (_what, parts) => {
  writeFileSync(join(outside, 'passwd'), app)
  const image = await made.pull(parts())
  const root = join(made.store.stateDir, 'layers', (image.layers[0] ?? '').slice(7))
  expect(() => resolveUser(root, 'app')).toThrow(/user app, which its \/etc\/passwd .* does not have/)
  expect(resolveUser(root, '7')).toMatchObject({ uid: 7, gid: 0 })
  rmSync(join(outside, 'passwd'))
})

test.each([
  ['cut short in gzip', (tar: Buffer) => zlib.gzipSync(tar).subarray(0, -40)],
  ['cut short in zstd', (tar: Buffer) => zlib.zstdCompressSync(tar).subarray(0, -40)],
  ['no tar at all', () => Buffer.from('hello '.repeat(1_000))],
  ['a tar that ends in a file', (tar: Buffer) => tar.subarray(0, 700)],
])('%s: refused as corrupt', async (_what, spoil) => {
  const tar = await makeTar([
    { name: 'a', content: Buffer.from(Array.from({ length: 1_000 }, (_, i) => i * 7)) },
  ])
  const bytes = spoil(tar)
  const plain = bytes[0] === 0x1f || bytes[0] === 0x28 ? tar : bytes
  const server = await serveLayer(bytes, plain)
  await nothingOutsideChanges(() =>
    expect(made.store.images.pull(`${server.host}/team/spoilt:1`)).rejects.toMatchObject({
      kind: 'corrupt',
      message: expect.stringMatching(new RegExp(`^layer ${digestOf(plain)} `)),
    }),
  )
  expect(made.store.halfMade()).toEqual([])
  server.close()
})

const zeros = Buffer.alloc(64 * 2 ** 20)

test.each<[string, string, () => Promise<{ bytes: Buffer; limits: object }>]>([
  [
    'a gzip bomb behind the end of the archive',
    'larger than',
    async () => ({
      bytes: zlib.gzipSync(Buffer.concat([await makeTar([]), zeros])),
      limits: { maxBytes: 2 ** 24 },
    }),
  ],
  [
    'a zstd bomb in a file',
    'more than',
    async () => ({
      bytes: zlib.zstdCompressSync(await makeTar([{ name: 'bomb', content: zeros }])),
      limits: { maxBytes: 2 ** 24 },
    }),
  ],
  [
    'more entries than it may have',
    'entries',
    async () => ({
      bytes: zlib.gzipSync(
        await makeTar(Array.from({ length: 2_001 }, (_, index) => ({ name: `f${index}` }))),
      ),
      limits: { maxEntries: 2_000 },
    }),
  ],
  [
    'more entries than any layer may have, in half a megabyte',
    '2000000 entries',
    async () => {
      const thousand = await makeTar(Array.from({ length: 1_000 }, () => ({ name: './' })))
      const frame = zlib.zstdCompressSync(thousand.subarray(0, -1_024))
      return { bytes: Buffer.concat(Array.from({ length: 2_001 }, () => frame)), limits: {} }
    },
  ],
  [
    'hard links without end to one file of a layer below',
    'folders, or targets',
    async () => ({
      bytes: zlib.gzipSync(
        await makeTar(
          Array.from({ length: 20_000 }, (_, index) => ({
            name: `${index}${'n'.repeat(240)}`,
            type: 'link' as const,
            linkname: 'below',
          })),
        ),
      ),
      limits: {},
    }),
  ],
])('%s is stopped at the limit', async (_what, message, make) => {
  const { bytes, limits } = await make()
  const place = mkdtempSync(join(tmpdir(), 'berth-bomb-'))
  const [folder, neighbour] = [join(place, 'staging/layer'), join(place, 'staging/neighbour')]
  for (const path of [folder, neighbour]) mkdirSync(path, { recursive: true })
  writeFileSync(join(neighbour, 'file'), 'of another layer')
  const file = join(place, 'packed')
  writeFileSync(file, bytes)
  const blob = await open(file, 'r')
  await leavesAlone([file, neighbour], () =>
    nothingOutsideChanges(() =>
      expect(unpackLayer(blob, `sha256:${'0'.repeat(64)}`, folder, undefined, limits)).rejects.toMatchObject({
        kind: 'limit-exceeded',
        message: expect.stringMatching(new RegExp(`^layer sha256:0+ .*${message}`)),
      }),
    ),
  )
  await blob.close()
  rmSync(place, { recursive: true })
})

test('bytes that are not those of the diffID are refused, and the layer is named', async () => {
  const other = Buffer.from('other')
  const server = await serveLayer(zlib.gzipSync(await makeTar([{ name: 'a', content: 'x' }])), other)
  await nothingOutsideChanges(() =>
    expect(made.store.images.pull(`${server.host}/team/lie:1`)).rejects.toMatchObject({
      kind: 'corrupt',
      message: expect.stringMatching(new RegExp(`^layer ${digestOf(other)} .*is not what its digest says`)),
    }),
  )
  expect(made.store.halfMade()).toEqual([])
  server.close()
})

test('links in a chain, hard and symbolic, reach nothing outside', async () => {
  const image = await nothingButLayersChanges(() =>
    made.pull([
      { name: 'one', type: 'symlink', linkname: '../../../../../..' },
      { name: 'two', type: 'symlink', linkname: `one${outside}` },
      { name: 'two/planted', content: 'x' },
      { name: 'three', type: 'symlink', linkname: '/proc/self/root' },
      { name: `three${outside}/planted`, content: 'x' },
      { name: 'four', type: 'symlink', linkname: `${outside}/secret` },
      { name: 'five', type: 'link', linkname: 'four' },
      { name: 'five', content: 'written through' },
    ]),
  )
  await made.store.mounted(image.layers, (root) => {
    expect(readFileSync(join(root, 'five'), 'utf8')).toBe('written through')
  })
})

test('what a layer brings below a link of a layer below stays in the image', async () => {
  await nothingButLayersChanges(() =>
    made.pull([{ name: 'way', type: 'symlink', linkname: outside }], [{ name: 'way/planted', content: 'x' }]),
  )
  const taken: Part[] = [{ name: 'taken', type: 'link', linkname: 'way/passwd' }]
  const diffId = digestOf(await makeLayer(taken))
  await nothingButLayersChanges(() =>
    expect(made.pull([{ name: 'way', type: 'symlink', linkname: '/etc' }], taken)).rejects.toMatchObject({
      kind: 'corrupt',
      message: expect.stringMatching(new RegExp(`^layer ${diffId} .*way/passwd`)),
    }),
  )
})

test('a layer that would fill the disk is refused before it does', async () => {
  const small = mkdtempSync(join(tmpdir(), 'berth-small-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'berth-small', small])
  try {
    const layers = [await makeTar([{ name: 'large', content: Buffer.alloc(100 * 2 ** 20) }])]
    const { reference } = await pushImage(made.registry, 'team/large:1', { bare: true, layers })
    const there = await openImageStore(small)
    const diffId = digestOf(layers[0] ?? '')
    await nothingOutsideChanges(() =>
      expect(there.images.pull(reference)).rejects.toMatchObject({
        kind: 'disk-full',
        message: expect.stringContaining(diffId),
      }),
    )
    expect(there.halfMade()).toEqual([])
    await there.close()
    // Looked at before the file is begun, not noticed when the disk is full.
    const folder = join(small, 'code/layer')
    mkdirSync(folder, { recursive: true })
    const packed = mkdtempSync(join(tmpdir(), 'berth-large-'))
    writeFileSync(join(packed, 'tar'), layers[0] ?? '')
    const blob = await open(join(packed, 'tar'), 'r')
    await nothingOutsideChanges(() =>
      expect(unpackLayer(blob, diffId, folder)).rejects.toMatchObject({
        kind: 'disk-full',
        message: expect.stringContaining(diffId),
      }),
    )
    expect(readdirSync(folder)).toEqual([])
    await blob.close()
    rmSync(packed, { recursive: true })
  } finally {
    execFileSync('umount', [small])
    rmSync(small, { recursive: true, force: true })
  }
})
