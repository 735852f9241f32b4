/** The same images, unpacked by Berth and by umoci: what comes out is the same. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readAttributes } from '../../../engine/sys/syscalls.ts'
import { type ImageStore, openImageStore, removeImageStores } from '../../support/image-store.ts'
import { type ImageSpec, pushImage } from '../../support/images.ts'
import { makeLayer, type Part, pax } from '../../support/layers.ts'
import { writeLayout } from '../../support/oci-layout.ts'
import { startRegistry, type TestRegistry } from '../../support/registry.ts'

const folder = mkdtempSync(join(tmpdir(), 'berth-differential-'))
const root = join(import.meta.dirname, '../../..')
let registry: TestRegistry
let store: ImageStore

beforeAll(async () => {
  registry = await startRegistry()
  store = await openImageStore()
})

afterAll(async () => {
  await store.close()
  await registry.stop()
  rmSync(folder, { recursive: true, force: true })
  removeImageStores()
})

let images = 0

async function bothUnpack(
  layers: Buffer[],
  compress?: ImageSpec['compress'],
): Promise<{ berth: string[]; umoci: string[] }> {
  const place = join(folder, String(++images))
  const { reference, image } = await pushImage(registry, `team/both-${images}:1`, {
    bare: true,
    layers,
    compress,
  })
  const pulled = await store.images.pull(reference)
  const layout = join(place, 'layout')
  await writeLayout(image, layout)
  execFileSync('umoci', ['unpack', '--image', `${layout}:latest`, join(place, 'bundle')], { stdio: 'pipe' })
  const umoci = list(join(place, 'bundle/rootfs'))
  const target = join(place, 'merged')
  const empty = join(place, 'empty')
  for (const each of [target, empty]) mkdirSync(each)
  // By their short names, as for a container; but nothing of ours is on top.
  const short = new Map(
    readdirSync(join(store.stateDir, 'layers/l')).map((name) => [
      readlinkSync(join(store.stateDir, 'layers/l', name)),
      name,
    ]),
  )
  const lower = pulled.layers.map((diffId) => `l/${short.get(`../${diffId.slice(7)}`)}`).reverse()
  execFileSync('mount', ['-t', 'overlay', 'none', '-o', `ro,lowerdir=${lower.join(':')}:${empty}`, target], {
    cwd: join(store.stateDir, 'layers'),
  })
  try {
    return { berth: list(target), umoci }
  } finally {
    execFileSync('umount', [target])
    rmSync(place, { recursive: true })
  }
}

/** Everything that can be told of each file below a folder, a line each. */
function list(top: string, path = Buffer.from(top)): string[] {
  const lines: string[] = []
  for (const entry of readdirSync(path, { withFileTypes: true, encoding: 'buffer' })) {
    const file = Buffer.concat([path, Buffer.from('/'), entry.name])
    const stats = lstatSync(file, { bigint: true })
    const content = entry.isFile()
      ? createHash('sha256').update(readFileSync(file)).digest('hex')
      : entry.isSymbolicLink()
        ? readlinkSync(file, { encoding: 'buffer' }).toString('latin1')
        : ''
    const attributes = [...readAttributes(Buffer.concat([file, Buffer.alloc(1)]))]
      .filter(([name]) => !name.startsWith('trusted.overlay.'))
      .map(([name, value]) => `${name}=${value.toString('hex')}`)
    lines.push(
      JSON.stringify([
        file.subarray(top.length + 1).toString('latin1'),
        stats.mode.toString(8),
        `${stats.uid}:${stats.gid}`,
        entry.isDirectory() ? '' : `${stats.size} bytes, ${stats.nlink} links`,
        String(stats.mtimeNs),
        content,
        ...attributes.sort(),
      ]),
    )
    if (entry.isDirectory()) lines.push(...list(top, file))
  }
  return lines.sort()
}

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
  const { berth, umoci } = await bothUnpack(await Promise.all(layers.map((make) => makeLayer(make()))))
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
  const { berth, umoci } = await bothUnpack(layers)
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
    const { berth, umoci } = await bothUnpack([layer])
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
  const { berth, umoci } = await bothUnpack(layers)
  expect(berth.length).toBeGreaterThan(2_000)
  expect(berth).toEqual(umoci)
})
