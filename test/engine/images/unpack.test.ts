import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import zlib from 'node:zlib'
import koffi from 'koffi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { unpackLayer } from '../../../engine/images/unpack.ts'
import { digestOf } from '../../../engine/oci/digest.ts'
import { type HostileRegistry, serveImage } from '../../support/hostile-registry.ts'
import { type ImageStore, openImageStore, removeImageStores } from '../../support/image-store.ts'
import { makeTar, pushImage } from '../../support/images.ts'
import { makeLayer, type Part, pax } from '../../support/layers.ts'
import { startRegistry, type TestRegistry } from '../../support/registry.ts'

let registry: TestRegistry
let store: ImageStore
const outside = mkdtempSync(join(tmpdir(), 'berth-outside-'))

beforeAll(async () => {
  registry = await startRegistry()
  store = await openImageStore()
})

afterAll(async () => {
  await store.close()
  await registry.stop()
  rmSync(outside, { recursive: true, force: true })
  removeImageStores()
})

let images = 0

/** Pulls an image of layers of these entries, lowest first. */
async function pull(...parts: Part[][]) {
  const layers = await Promise.all(parts.map(makeLayer))
  const { reference } = await pushImage(registry, `team/layers-${++images}:1`, { bare: true, layers })
  return store.images.pull(reference)
}

/** Serves an image of one layer: these bytes, said to unpack to those. */
function serveLayer(bytes: Buffer, plain: Buffer): Promise<HostileRegistry> {
  const blob = digestOf(bytes)
  const config = Buffer.from(JSON.stringify({ rootfs: { type: 'layers', diff_ids: [digestOf(plain)] } }))
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      config: { digest: digestOf(config), size: config.length },
      layers: [{ digest: blob, size: bytes.length }],
    }),
  )
  const blobs = new Map([
    [blob, bytes],
    [digestOf(config), config],
  ])
  return serveImage({ digest: digestOf(manifest), manifest, blobs, layers: [] })
}

/** A zstd frame that carries no data of the stream. */
const skippable = Buffer.concat([Buffer.from('502a4d1804000000', 'hex'), Buffer.from('note')])

const libc = koffi.load('libc.so.6')
const lgetxattr = libc.func('long lgetxattr(const char*, const char*, void*, size_t)')

function attribute(path: string, name: string): string | null {
  const value = Buffer.alloc(256)
  const length = Number(lgetxattr(path, name, value, value.length))
  return length < 0 ? null : value.toString('hex', 0, length)
}

describe('what an image says', () => {
  test('whiteouts, opaque folders and implied parents come out as one tree', async () => {
    const image = await pull(
      [
        { name: 'keep', type: 'directory', mode: 0o750, uid: 7, gid: 8 },
        { name: 'keep/old', content: 'old' },
        { name: 'gone', content: 'gone' },
        { name: 'full', type: 'directory' },
        { name: 'full/below', content: 'below' },
        { name: 'swap', type: 'directory', mode: 0o700 },
        { name: 'swap/inside', content: 'x' },
      ],
      [
        { name: 'keep/new', content: 'new' },
        { name: '.wh.gone', content: '' },
        { name: 'full/above', content: 'above' },
        { name: 'full/.wh..wh..opq', content: '' },
        { name: '.wh.swap', content: '' },
        { name: 'swap/other', content: 'y' },
        { name: 'hard', type: 'link', linkname: 'keep/new' },
      ],
    )
    const tree = await store.mounted(image.layers, (root) => ({
      names: readdirSync(root, { recursive: true })
        .map(String)
        .filter((name) => !/^(dev|proc|sys|etc)/.test(name))
        .sort(),
      keep: [statSync(join(root, 'keep')).mode & 0o7777, statSync(join(root, 'keep')).uid - 300_000],
      swap: statSync(join(root, 'swap')).mode & 0o7777,
      hard: readFileSync(join(root, 'hard'), 'utf8'),
      links: statSync(join(root, 'hard')).nlink,
    }))
    expect(tree).toEqual({
      names: ['full', 'full/above', 'hard', 'keep', 'keep/new', 'keep/old', 'swap', 'swap/other'],
      keep: [0o750, 7],
      // The old one is gone, so its mode is nobody's model.
      swap: 0o755,
      hard: 'new',
      links: 2,
    })
  })

  test('modes, times, owners and attributes are kept, those of PAX headers too', async () => {
    // cap_setuid+ep: 0x80 is not text in any encoding that a tar reader might take it for.
    const capability = Buffer.from('0100000280000000000000000000000000000000', 'hex')
    const image = await pull([
      { name: 'folder', type: 'directory', mode: 0o1777, mtime: new Date(1_000_000_000_000) },
      { name: 'folder/suid', content: 'x', mode: 0o4755, uid: 5, gid: 6 },
      pax({
        'SCHILY.xattr.security.capability': capability,
        'SCHILY.xattr.user.note': 'ü',
        mtime: '1234567890.5',
      }),
      { name: 'capable', content: 'x', mode: 0o755 },
      pax({ 'SCHILY.xattr.trusted.overlay.opaque': 'y', 'SCHILY.xattr.security.selinux': 'x', uid: '60000' }),
      { name: 'sly', type: 'directory' },
      { name: 'plain', content: 'x' },
    ])
    await store.mounted(image.layers, (root) => {
      const suid = statSync(join(root, 'folder/suid'))
      expect([suid.mode & 0o7777, suid.uid, suid.gid]).toEqual([0o4755, 300_005, 300_006])
      expect(statSync(join(root, 'folder')).mode & 0o7777).toBe(0o1777)
      expect(statSync(join(root, 'folder')).mtimeMs).toBe(1_000_000_000_000)
      expect(statSync(join(root, 'capable')).mtimeMs).toBe(1_234_567_890_500)
      expect(statSync(join(root, 'sly')).uid).toBe(360_000)
    })
    const layer = join(store.stateDir, 'layers', (image.layers[0] ?? '').slice(7))
    expect(attribute(join(layer, 'capable'), 'security.capability')).toBe(capability.toString('hex'))
    expect(attribute(join(layer, 'capable'), 'user.note')).toBe(Buffer.from('ü').toString('hex'))
    expect(attribute(join(layer, 'sly'), 'trusted.overlay.opaque')).toBeNull()
    expect(attribute(join(layer, 'sly'), 'security.selinux')).toBeNull()
    expect(attribute(join(layer, 'plain'), 'user.note')).toBeNull()
  })

  test('a hard link to a file of a layer below makes them one file, with all the names that it has', async () => {
    const image = await pull(
      [
        { name: 'data', type: 'directory', mode: 0o751, uid: 3, gid: 4, mtime: new Date(1_000_000_000_000) },
        pax({ 'SCHILY.xattr.user.note': 'kept', mtime: '1234567890.123456789' }),
        { name: 'data/file', content: 'below', mode: 0o4711, uid: 5, gid: 6 },
        { name: 'data/again', type: 'link', linkname: 'data/file' },
        { name: 'other', content: 'other' },
      ],
      [{ name: 'unrelated', content: 'x' }],
      [
        { name: 'name', type: 'link', linkname: 'data/file' },
        { name: 'chained', type: 'link', linkname: 'name' },
        // The link is to what was there before.
        { name: 'moved', type: 'link', linkname: 'other' },
        { name: '.wh.other', content: '' },
      ],
    )
    await store.mounted(image.layers, (root) => {
      const all = ['data/file', 'data/again', 'name', 'chained'].map((name) =>
        statSync(join(root, name), { bigint: true }),
      )
      expect(new Set(all.map(({ ino }) => ino)).size).toBe(1)
      expect(all[0]).toMatchObject({
        nlink: 4n,
        uid: 300_005n,
        gid: 300_006n,
        mtimeNs: 1_234_567_890_123_456_789n,
      })
      expect(Number(all[0]?.mode) & 0o7777).toBe(0o4711)
      expect(attribute(join(root, 'name'), 'user.note')).toBe(Buffer.from('kept').toString('hex'))
      const folder = statSync(join(root, 'data'))
      expect([folder.mode & 0o7777, folder.uid, folder.mtimeMs]).toEqual([0o751, 300_003, 1_000_000_000_000])
      expect(readFileSync(join(root, 'moved'), 'utf8')).toBe('other')
      expect(existsSync(join(root, 'other'))).toBe(false)
    })
  })

  test('what a layer brings below a link to a folder goes into that folder', async () => {
    const image = await pull(
      [
        { name: 'usr/bin', type: 'directory', mode: 0o711, mtime: new Date(1_000_000_000_000) },
        { name: 'usr/bin/old', content: 'old' },
        { name: 'bin', type: 'symlink', linkname: 'usr/bin' },
      ],
      [{ name: 'bin/new', content: 'new' }],
    )
    await store.mounted(image.layers, (root) => {
      expect(lstatSync(join(root, 'bin')).isSymbolicLink()).toBe(true)
      expect(readdirSync(join(root, 'bin')).sort()).toEqual(['new', 'old'])
      expect(statSync(join(root, 'usr/bin')).mode & 0o7777).toBe(0o711)
      expect(statSync(join(root, 'usr/bin')).mtimeMs).toBe(1_000_000_000_000)
    })
  })

  test.each([
    ['two frames', (a: Buffer, b: Buffer) => [a, b]],
    ['frames without data around', (a: Buffer, b: Buffer) => [skippable, a, skippable, b, skippable]],
  ])('a zstd layer of %s is whole', async (_what, arrange) => {
    const tar = await makeTar([
      { name: 'file', content: 'x'.repeat(500_000) },
      { name: 'last', content: 'y' },
    ])
    const [a, b] = [tar.subarray(0, 100_000), tar.subarray(100_000)].map((part) =>
      zlib.zstdCompressSync(part),
    )
    const bytes = Buffer.concat(arrange(a ?? tar, b ?? tar))
    const server = await serveLayer(bytes, tar)
    const image = await store.images.pull(`${server.host}/team/frames:1`)
    await store.mounted(image.layers, (root) => {
      expect(readFileSync(join(root, 'last'), 'utf8')).toBe('y')
    })
    server.close()
  })

  test('a folder that the archive replaced by a link takes nothing from the layers below', async () => {
    const target = join(outside, 'target')
    mkdirSync(target)
    const before = statSync(target)
    const path = target.slice(1)
    await pull(
      [{ name: `a/${path}`, type: 'directory', mode: 0o777, uid: 99, gid: 99 }],
      [
        // Implies the folder `a/<target>`, then turns `a` into a link to the host's root.
        { name: `a/${path}/x`, content: 'x' },
        { name: 'a', type: 'symlink', linkname: '/' },
      ],
    )
    expect([statSync(target).uid, statSync(target).mode]).toEqual([before.uid, before.mode])
  })
})

describe('a hostile layer', () => {
  test.each<[string, string, Part[]]>([
    ['a path that leads up', 'corrupt', [{ name: '../../../../../../tmp/x', content: 'x' }]],
    [
      'a hard link that leads up',
      'corrupt',
      [{ name: 'x', type: 'link', linkname: '../../../../etc/passwd' }],
    ],
    ['a hard link to what is not there', 'corrupt', [{ name: 'x', type: 'link', linkname: '/etc/passwd' }]],
    ['a whiteout of the folder above', 'corrupt', [{ name: 'a/.wh...', content: '' }]],
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
    const before = store.layersOnDisk()
    await expect(pull(entries)).rejects.toMatchObject({
      kind,
      message: expect.stringMatching(/^layer sha256:/),
    })
    expect(store.layersOnDisk()).toEqual(before)
    expect(store.halfMade()).toEqual([])
  })

  test('a link out of the layer leads nowhere: what is written through it stays inside', async () => {
    const image = await pull([
      { name: 'way', type: 'symlink', linkname: outside },
      { name: 'way/planted', content: 'x' },
      { name: 'dev', type: 'symlink', linkname: outside },
      { name: 'node', type: 'block-device', devmajor: 8, devminor: 0 },
      { name: '/absolute', content: 'x' },
      { name: 'back', type: 'directory' },
      { name: 'here', type: 'symlink', linkname: 'back' },
      { name: 'here/one', content: '1' },
      { name: 'here', content: 'a file now' },
    ])
    expect(readdirSync(outside).filter((name) => name !== 'target')).toEqual([])
    await store.mounted(image.layers, (root) => {
      expect(lstatSync(join(root, 'dev')).isDirectory()).toBe(true)
      expect(existsSync(join(root, 'node'))).toBe(false)
      expect(readFileSync(join(root, 'absolute'), 'utf8')).toBe('x')
      expect(readFileSync(join(root, 'back/one'), 'utf8')).toBe('1')
      expect(readFileSync(join(root, 'here'), 'utf8')).toBe('a file now')
    })
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
    await expect(store.images.pull(`${server.host}/team/spoilt:1`)).rejects.toMatchObject({ kind: 'corrupt' })
    expect(store.halfMade()).toEqual([])
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
    const file = join(outside, 'bomb')
    writeFileSync(file, bytes)
    const folder = join(mkdtempSync(join(outside, 'bomb-')), 'staging/layer')
    mkdirSync(folder, { recursive: true })
    const blob = await open(file, 'r')
    await expect(
      unpackLayer(blob, `sha256:${'0'.repeat(64)}`, folder, undefined, limits),
    ).rejects.toMatchObject({
      kind: 'limit-exceeded',
      message: expect.stringMatching(new RegExp(`^layer sha256:0+ .*${message}`)),
    })
    await blob.close()
    for (const name of readdirSync(outside))
      if (name.startsWith('bomb')) rmSync(join(outside, name), { recursive: true })
  })

  test('bytes that are not those of the diffID are refused, and the layer is named', async () => {
    const server = await serveLayer(
      zlib.gzipSync(await makeTar([{ name: 'a', content: 'x' }])),
      Buffer.from('other'),
    )
    await expect(store.images.pull(`${server.host}/team/lie:1`)).rejects.toMatchObject({
      kind: 'corrupt',
      message: expect.stringMatching(/^layer sha256:.* is not what its digest says/),
    })
    expect(store.halfMade()).toEqual([])
    server.close()
  })

  test('links in a chain, hard and symbolic, reach nothing outside', async () => {
    writeFileSync(join(outside, 'secret'), 'secret')
    const image = await pull([
      { name: 'one', type: 'symlink', linkname: '../../../../../..' },
      { name: 'two', type: 'symlink', linkname: `one${outside}` },
      { name: 'two/planted', content: 'x' },
      { name: 'three', type: 'symlink', linkname: '/proc/self/root' },
      { name: `three${outside}/planted`, content: 'x' },
      { name: 'four', type: 'symlink', linkname: `${outside}/secret` },
      { name: 'five', type: 'link', linkname: 'four' },
      { name: 'five', content: 'written through' },
    ])
    expect(readdirSync(outside).filter((name) => name === 'planted')).toEqual([])
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret')
    await store.mounted(image.layers, (root) => {
      expect(readFileSync(join(root, 'five'), 'utf8')).toBe('written through')
    })
    rmSync(join(outside, 'secret'))
  })

  test('what a layer brings below a link of a layer below stays in the image', async () => {
    const before = readdirSync(outside)
    await pull([{ name: 'way', type: 'symlink', linkname: outside }], [{ name: 'way/planted', content: 'x' }])
    expect(readdirSync(outside)).toEqual(before)
    await expect(
      pull(
        [{ name: 'way', type: 'symlink', linkname: '/etc' }],
        [{ name: 'taken', type: 'link', linkname: 'way/passwd' }],
      ),
    ).rejects.toMatchObject({
      kind: 'corrupt',
      message: expect.stringMatching(/^layer sha256:.*way\/passwd/),
    })
  })

  test('a layer that would fill the disk is refused before it does', async () => {
    const small = mkdtempSync(join(tmpdir(), 'berth-small-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'berth-small', small])
    try {
      const layers = [await makeTar([{ name: 'large', content: Buffer.alloc(100 * 2 ** 20) }])]
      const { reference } = await pushImage(registry, 'team/large:1', { bare: true, layers })
      const there = await openImageStore(small)
      await expect(there.images.pull(reference)).rejects.toMatchObject({
        kind: 'disk-full',
        message: expect.stringContaining('disk'),
      })
      expect(there.halfMade()).toEqual([])
      await there.close()
    } finally {
      execFileSync('umount', [small])
      rmSync(small, { recursive: true, force: true })
    }
  })
})
