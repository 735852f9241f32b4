/** The same images, unpacked by Berth and by umoci: what comes out is the same. */
import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bothUnpack } from '../../support/both-unpack.ts'
import { type LayerImages, openLayerImages } from '../../support/layer-images.ts'
import { makeLayer, type Part, pax } from '../../support/layers.ts'

const folder = mkdtempSync(join(tmpdir(), 'berth-differential-'))
const root = join(import.meta.dirname, '../../..')
let made: LayerImages
beforeAll(async () => {
  made = await openLayerImages()
})
afterAll(async () => {
  await made?.close()
  rmSync(folder, { recursive: true, force: true })
})

const capability = Buffer.from('0100000280000000000000000000000000000000', 'hex')
const folderAt = (name: string, more: object = {}): Part => ({
  name,
  type: 'directory',
  mtime: new Date(1e12),
  ...more,
})

const cases: [string, (() => Part[])[]][] = [
  [
    'whiteouts of files, folders and links',
    [
      () => [
        folderAt('a'),
        { name: 'a/file', content: 'x' },
        folderAt('a/deep'),
        { name: 'a/deep/er', content: 'y' },
        { name: 'link', type: 'symlink', linkname: 'a' },
        { name: 'kept', content: 'z' },
      ],
      () => [
        { name: 'a/.wh.file', content: '' },
        { name: 'a/.wh.deep', content: '' },
        { name: '.wh.link', content: '' },
      ],
      () => [folderAt('a/deep', { mode: 0o700 }), { name: 'a/deep/new', content: 'n' }],
    ],
  ],
  [
    'opaque folders',
    [
      () => [
        folderAt('a'),
        { name: 'a/one', content: '1' },
        folderAt('a/b'),
        { name: 'a/b/two', content: '2' },
      ],
      () => [
        folderAt('a', { mode: 0o711 }),
        { name: 'a/.wh..wh..opq', content: '' },
        { name: 'a/three', content: '3' },
      ],
      () => [{ name: 'a/four', content: '4' }],
    ],
  ],
  [
    'a file in the place of a folder, and the other way round',
    [
      () => [folderAt('a'), { name: 'a/x', content: 'x' }, { name: 'b', content: 'b' }],
      () => [{ name: 'a', content: 'a file' }, folderAt('b'), { name: 'b/y', content: 'y' }],
    ],
  ],
  [
    'hard links within a layer and across layers',
    [
      () => [
        folderAt('d', { mode: 0o750, uid: 7 }),
        { name: 'd/one', content: 'one', mode: 0o4755, uid: 3, gid: 4 },
        { name: 'd/two', type: 'link', linkname: 'd/one' },
        { name: 'alone', content: 'alone' },
        { name: 'way', type: 'symlink', linkname: 'alone' },
      ],
      () => [
        { name: 'three', type: 'link', linkname: 'd/one' },
        { name: 'four', type: 'link', linkname: 'three' },
        { name: 'd/five', type: 'link', linkname: 'alone' },
        { name: 'way-too', type: 'link', linkname: 'way' },
      ],
      () => [{ name: 'new', content: 'n' }],
    ],
  ],
  [
    'setuid, sticky bits, capabilities and attributes, also binary ones',
    [
      () => [
        folderAt('sticky', { mode: 0o1777 }),
        folderAt('setgid', { mode: 0o2775, gid: 50 }),
        { name: 'suid', content: 'x', mode: 0o6755, uid: 1, gid: 2 },
        { name: 'none', content: 'x', mode: 0 },
        pax({ 'SCHILY.xattr.security.capability': capability }),
        { name: 'capable', content: 'x', mode: 0o755, uid: 0 },
        pax({ 'SCHILY.xattr.user.binary': Buffer.from([0, 255, 10, 61, 0]), 'SCHILY.xattr.user.text': 'ü' }),
        { name: 'noted', content: 'x' },
        pax({ 'SCHILY.xattr.user.folder': 'yes' }),
        folderAt('noted-folder'),
        pax({ uid: '3000000', gid: '4000000' }),
        { name: 'far', content: 'x' },
        pax({ mtime: '1234567890.123456789' }),
        { name: 'precise', content: 'x' },
        { name: 'pipe', type: 'fifo', mode: 0o640, uid: 9, mtime: new Date(1e12) },
      ],
    ],
  ],
  [
    'odd names',
    [
      () => [
        { name: 'new\nline', content: '1' },
        { name: ' blanks ', content: '2' },
        { name: 'quote"\\', content: '3' },
        pax({ path: Buffer.from([0x62, 0xff, 0xfe, 0x80]) }),
        { name: 'bytes', content: '4' },
        pax({ path: Buffer.from([0x62, 0xff, 0xfe, 0x81]), linkpath: Buffer.from([0xff, 0x2f, 0xfe]) }),
        { name: 'bytes-link', type: 'symlink', linkname: 'x' },
        { name: 'n'.repeat(255), content: '5' },
        ...Array.from({ length: 100 }, (_, index) => folderAt('deep/'.repeat(index + 1))),
        { name: `${'deep/'.repeat(100)}end`, content: '6' },
        { name: '日本語', content: '7' },
        folderAt('.//dotted/.'),
        { name: './/dotted/./name', content: '8' },
      ],
    ],
  ],
  [
    'parents that a layer only implies',
    [
      () => [
        folderAt('a', { mode: 0o750, uid: 5, gid: 6 }),
        pax({ 'SCHILY.xattr.user.mark': 'm' }),
        folderAt('a/b', { mode: 0o711 }),
        { name: 'a/b/one', content: '1' },
        folderAt('real', { mode: 0o700 }),
        { name: 'way', type: 'symlink', linkname: 'real' },
        // What the link leads to comes later.
        { name: 'early', type: 'symlink', linkname: 'later/place' },
        { name: 'early/inside', content: 'i' },
        folderAt('later', { mode: 0o701 }),
        folderAt('later/place', { mode: 0o702 }),
      ],
      () => [
        { name: 'a/b/two', content: '2' },
        { name: 'way/three', content: '3' },
      ],
      () => [{ name: 'a/b/.wh.one', content: '' }],
    ],
  ],
]

test.each(cases)('%s', async (_what, layers) => {
  const { berth, umoci } = await bothUnpack(made, await Promise.all(layers.map((make) => makeLayer(make()))))
  expect(umoci.length).toBeGreaterThan(0)
  expect(berth).toEqual(umoci)
})

test('127 layers', async () => {
  const layers = await Promise.all(
    Array.from({ length: 127 }, (_, index) =>
      makeLayer([
        folderAt('shared', { mode: 0o700 + (index % 8) }),
        { name: `shared/${index}`, content: String(index) },
        ...(index % 3 === 2 ? [{ name: `shared/.wh.${index - 1}`, content: '' }] : []),
      ]),
    ),
  )
  const { berth, umoci } = await bothUnpack(made, layers)
  expect(berth.length).toBeGreaterThan(80)
  expect(berth).toEqual(umoci)
})

test('sparse files', async () => {
  const place = join(folder, 'sparse')
  mkdirSync(place)
  execFileSync('truncate', ['-s', '5M', join(place, 'hole')])
  writeFileSync(join(place, 'hole'), 'in the middle', { flag: 'r+' })
  execFileSync(
    'dd',
    ['if=/dev/urandom', `of=${join(place, 'hole')}`, 'bs=4096', 'count=1', 'seek=300', 'conv=notrunc'],
    { stdio: 'ignore' },
  )
  // umoci does not know the old GNU kind.
  for (const flags of [
    ['--format=posix', '--sparse-version=0.1'],
    ['--format=posix', '--sparse-version=1.0'],
  ]) {
    const layer = execFileSync('tar', ['-C', place, '-c', '-S', ...flags, 'hole'], { maxBuffer: 2 ** 26 })
    const { berth, umoci } = await bothUnpack(made, [layer])
    expect(berth).toEqual(umoci)
  }
})

test('what a team deploys: a Debian root, npm packages, an app, and what a later layer takes away', async () => {
  const names = [
    'base-files',
    'bash',
    'coreutils',
    'dash',
    'libc-bin',
    'login',
    'passwd',
    'mount',
    'tar',
    'util-linux',
    'tzdata',
  ]
  const files = execFileSync('dpkg', ['-L', ...names], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.startsWith('/') && !/^\/(\.|dev|proc|run|sys|tmp)(\/|$)/.test(line))
    .filter((line) => lstatSync(line, { throwIfNoEntry: false }))
  const tar = (from: string, ...args: string[]) =>
    execFileSync('tar', ['-C', from, '-c', '--xattrs', '--format=posix', ...args], { maxBuffer: 2 ** 30 })
  const listing = join(folder, 'files')
  writeFileSync(
    listing,
    [...new Set(files)]
      .sort()
      .map((line) => `.${line}`)
      .join('\n'),
  )
  const layers = [
    tar('/', '--no-recursion', '--files-from', listing),
    await makeLayer(['app', 'app/node_modules', 'app/platform'].map((name) => folderAt(name))),
    tar(join(root, 'node_modules'), '--transform=s,^,app/node_modules/,', 'hono', 'zod', 'commander'),
    tar(root, '--transform=s,^,app/,', 'engine', 'platform/model', 'package.json'),
    await makeLayer([
      { name: 'usr/share/.wh.zoneinfo', content: '' },
      { name: 'app/.wh.package.json', content: '' },
    ]),
  ]
  const { berth, umoci } = await bothUnpack(made, layers)
  expect(berth.length).toBeGreaterThan(2_000)
  expect(berth).toEqual(umoci)
})
