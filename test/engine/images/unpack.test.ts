import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import zlib from 'node:zlib'
import koffi from 'koffi'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeTar } from '../../support/images.ts'
import { type LayerImages, openLayerImages, serveLayer } from '../../support/layer-images.ts'
import { pax } from '../../support/layers.ts'

let made: LayerImages
const outside = mkdtempSync(join(tmpdir(), 'berth-outside-'))
beforeAll(async () => {
  made = await openLayerImages()
})
afterAll(async () => {
  await made?.close()
  rmSync(outside, { recursive: true, force: true })
})

/** A zstd frame that carries no data of the stream. */
const skippable = Buffer.concat([Buffer.from('502a4d1804000000', 'hex'), Buffer.from('note')])

const libc = koffi.load('libc.so.6')
const lgetxattr = libc.func('long lgetxattr(const char*, const char*, void*, size_t)')

function attribute(path: string, name: string): string | null {
  const value = Buffer.alloc(256)
  const length = Number(lgetxattr(path, name, value, value.length))
  return length < 0 ? null : value.toString('hex', 0, length)
}

test('whiteouts, opaque folders and implied parents come out as one tree', async () => {
  const image = await made.pull(
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
  const tree = await made.store.mounted(image.layers, (root) => ({
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
  const image = await made.pull([
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
  await made.store.mounted(image.layers, (root) => {
    const suid = statSync(join(root, 'folder/suid'))
    expect([suid.mode & 0o7777, suid.uid, suid.gid]).toEqual([0o4755, 300_005, 300_006])
    expect(statSync(join(root, 'folder')).mode & 0o7777).toBe(0o1777)
    expect(statSync(join(root, 'folder')).mtimeMs).toBe(1_000_000_000_000)
    expect(statSync(join(root, 'capable')).mtimeMs).toBe(1_234_567_890_500)
    expect(statSync(join(root, 'sly')).uid).toBe(360_000)
  })
  const layer = join(made.store.stateDir, 'layers', (image.layers[0] ?? '').slice(7))
  expect(attribute(join(layer, 'capable'), 'security.capability')).toBe(capability.toString('hex'))
  expect(attribute(join(layer, 'capable'), 'user.note')).toBe(Buffer.from('ü').toString('hex'))
  expect(attribute(join(layer, 'sly'), 'trusted.overlay.opaque')).toBeNull()
  expect(attribute(join(layer, 'sly'), 'security.selinux')).toBeNull()
  expect(attribute(join(layer, 'plain'), 'user.note')).toBeNull()
})

test('a hard link to a file of a layer below makes them one file, with all the names that it has', async () => {
  const image = await made.pull(
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
  await made.store.mounted(image.layers, (root) => {
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
  const image = await made.pull(
    [
      { name: 'usr/bin', type: 'directory', mode: 0o711, mtime: new Date(1_000_000_000_000) },
      { name: 'usr/bin/old', content: 'old' },
      { name: 'bin', type: 'symlink', linkname: 'usr/bin' },
    ],
    [{ name: 'bin/new', content: 'new' }],
  )
  await made.store.mounted(image.layers, (root) => {
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
  const [a, b] = [tar.subarray(0, 100_000), tar.subarray(100_000)].map((part) => zlib.zstdCompressSync(part))
  const bytes = Buffer.concat(arrange(a ?? tar, b ?? tar))
  const server = await serveLayer(bytes, tar)
  const image = await made.store.images.pull(`${server.host}/team/frames:1`)
  await made.store.mounted(image.layers, (root) => {
    expect(readFileSync(join(root, 'last'), 'utf8')).toBe('y')
  })
  server.close()
})

test('a folder that the archive replaced by a link takes nothing from the layers below', async () => {
  const target = join(outside, 'target')
  mkdirSync(target)
  const before = statSync(target)
  const path = target.slice(1)
  await made.pull(
    [{ name: `a/${path}`, type: 'directory', mode: 0o777, uid: 99, gid: 99 }],
    [
      // Implies the folder `a/<target>`, then turns `a` into a link to the host's root.
      { name: `a/${path}/x`, content: 'x' },
      { name: 'a', type: 'symlink', linkname: '/' },
    ],
  )
  expect([statSync(target).uid, statSync(target).mode]).toEqual([before.uid, before.mode])
})
