import { execFile } from 'node:child_process'
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestHex, digestOf } from '../../../engine/oci/digest.ts'
import { type ImageStore, openImageStore, removeImageStores } from '../../support/image-store.ts'
import {
  type BuiltImage,
  buildImage,
  type ImageSpec,
  makeTar,
  pushImage,
  type TarEntry,
} from '../../support/images.ts'
import { startRegistry, type TestRegistry } from '../../support/registry.ts'

const run = promisify(execFile)
let registry: TestRegistry
let folder: string

beforeAll(async () => {
  registry = await startRegistry()
  folder = mkdtempSync(join(tmpdir(), 'berth-archives-'))
})

afterAll(async () => {
  await registry.stop()
  removeImageStores()
  rmSync(folder, { recursive: true, force: true })
})

/** An OCI layout of an image, as entries of a tar. */
function layout(image: BuiltImage, annotations?: Record<string, string>): TarEntry[] {
  const index = {
    schemaVersion: 2,
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: image.digest,
        size: image.manifest.length,
        annotations,
      },
    ],
  }
  return [
    { name: 'blobs', type: 'directory' },
    ...[...image.blobs, [image.digest, image.manifest] as const].map(
      ([digest, content]): TarEntry => ({ name: `blobs/sha256/${digestHex(digest)}`, content }),
    ),
    { name: 'index.json', content: JSON.stringify(index) },
    { name: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
  ]
}

async function withStore<T>(work: (store: ImageStore) => Promise<T>): Promise<T> {
  const store = await openImageStore()
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

async function saveTo(
  store: ImageStore,
  file: string,
  keys: string[],
  format?: 'oci' | 'docker',
): Promise<string> {
  const path = join(folder, file)
  await pipeline(await store.images.save(keys, { format }), createWriteStream(path))
  return path
}

async function pulled(store: ImageStore, name: string, spec: ImageSpec) {
  const { reference, image } = await pushImage(registry, `team/${name}:1`, spec)
  await store.images.pull(reference)
  return { reference, built: image }
}

test('a saved image is loaded elsewhere with the same digest, names and bytes, also compressed', async () => {
  const { paths, built, reference } = await withStore(async (store) => {
    const { reference, built } = await pulled(store, 'moved', { files: { '/a': 'moved' } })
    await store.images.tag(reference, 'moved:2')
    const plain = await saveTo(store, 'moved.tar', [built.digest])
    const one = await saveTo(store, 'one.tar', ['moved:2'])
    const packed = join(folder, 'moved.tar.gz')
    await pipeline(createReadStream(plain), zlib.createGzip(), createWriteStream(packed))
    return { paths: { plain, one, packed }, built, reference }
  })
  const both = ['docker.io/library/moved:2', reference].sort()
  for (const [path, names] of [
    [paths.plain, both],
    [paths.packed, both],
    [paths.one, ['docker.io/library/moved:2']],
  ] as const)
    await withStore(async (store) => {
      const [image] = await store.images.load(createReadStream(path))
      expect(image).toMatchObject({ digest: built.digest, references: names })
      expect((await store.images.documents(built.digest)).manifest).toBe(built.manifest.toString())
      await store.mounted(image?.layers ?? [], (root) =>
        expect(readFileSync(join(root, 'a'), 'utf8')).toBe('moved'),
      )
      expect(store.parts.leases.digests()).toEqual([])
    })
})

test('skopeo and podman read what is saved, and what they write is loaded', async () => {
  const root = join(folder, 'podman')
  const podman = (...args: string[]) =>
    run('podman', ['--root', root, '--runroot', `${root}-run`, '--storage-driver', 'vfs', ...args])
  await withStore(async (store) => {
    const { reference, built } = await pulled(store, 'others', { files: { '/a': 'others' } })
    const oci = await saveTo(store, 'oci.tar', [reference])
    const docker = await saveTo(store, 'docker.tar', [reference], 'docker')
    const copy = (from: string, to: string) => run('skopeo', ['copy', '--insecure-policy', from, to])
    await copy(`oci-archive:${oci}`, `dir:${folder}/from-oci`)
    expect(readFileSync(join(folder, 'from-oci/manifest.json'))).toEqual(built.manifest)
    await copy(`docker-archive:${docker}`, `docker-archive:${folder}/skopeo.tar:other:1`)
    await podman('load', '-i', docker)
    const { stdout } = await podman('images', '--format', '{{.Repository}}:{{.Tag}}')
    expect(stdout.trim()).toBe(reference)
    await podman('save', '--format', 'docker-archive', '-o', `${folder}/podman.tar`, reference)
    await podman('save', '--format', 'oci-archive', '-o', `${folder}/podman-oci.tar`, reference)
  })
  for (const [file, name] of [
    ['skopeo.tar', 'docker.io/library/other:1'],
    ['podman.tar', `${registry.host}/team/others:1`],
    ['podman-oci.tar', `${registry.host}/team/others:1`],
  ] as const)
    await withStore(async (store) => {
      const [image] = await store.images.load(createReadStream(join(folder, file)))
      expect(image?.references).toEqual([name])
      await store.mounted(image?.layers ?? [], (mounted) =>
        expect(readFileSync(join(mounted, 'a'), 'utf8')).toBe('others'),
      )
      // What was made of it can be saved and loaded as it is.
      const again = await saveTo(store, 'again.tar', [image?.digest ?? ''])
      expect(existsSync(again)).toBe(true)
    })
})

test('what docker save wrote of old is loaded: plain layers, and links to those of other images', async () => {
  const image = await buildImage({ files: { '/a': 'old' }, compress: 'none' })
  const config = image.blobs.get(JSON.parse(image.manifest.toString()).config.digest) ?? Buffer.alloc(0)
  const [base, top] = image.layers.map(({ digest }) => image.blobs.get(digest) ?? Buffer.alloc(0))
  const manifest = [
    { Config: 'c.json', RepoTags: ['old:1', 'old:2'], Layers: ['b/layer.tar', 'l/layer.tar'] },
  ]
  const archive = await makeTar([
    { name: 'b/layer.tar', content: base },
    { name: 'x/layer.tar', content: top },
    { name: 'l/layer.tar', type: 'symlink', linkname: '../x/layer.tar' },
    { name: 'c.json', content: config },
    { name: 'manifest.json', content: JSON.stringify(manifest) },
  ])
  const digests = new Set<string>()
  for (const _twice of [1, 2])
    await withStore(async (store) => {
      const [loaded, ...others] = await store.images.load(Readable.from([archive]))
      expect(others).toEqual([])
      expect(loaded?.references).toEqual(['docker.io/library/old:1', 'docker.io/library/old:2'])
      await store.mounted(loaded?.layers ?? [], (root) =>
        expect(readFileSync(join(root, 'a'), 'utf8')).toBe('old'),
      )
      // Its plain layers are kept packed, and nothing else is.
      const kept = await store.parts.content.list()
      expect(kept.map(({ digest }) => digest).sort()).toEqual(
        [loaded?.digest, digestOf(config), ...(loaded?.blobs ?? [])].sort(),
      )
      digests.add(loaded?.digest ?? '')
    })
  expect(digests.size).toBe(1)
})

test('an image that is here already gets the names of the archive, whatever wrote it', async () => {
  await withStore(async (store) => {
    const { built, reference } = await pulled(store, 'known', { files: { '/a': 'known' } })
    const archive = await saveTo(store, 'known.tar', [reference], 'docker')
    await store.images.tag(reference, 'kept:1')
    await store.images.remove(reference)
    const [loaded] = await store.images.load(createReadStream(archive))
    expect(loaded).toMatchObject({
      digest: built.digest,
      references: ['docker.io/library/kept:1', reference],
    })
  })
})

test('of an image for several platforms this host takes its own, and of one for others nothing', async () => {
  const image = await buildImage({ files: { '/a': 'own' } })
  const index = (platforms: object[]) =>
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        manifests: platforms.map((platform) => ({
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          digest: image.digest,
          size: image.manifest.length,
          platform,
        })),
      }),
    )
  const archiveOf = (inner: Buffer) => {
    const entries = layout(image)
    const top = { schemaVersion: 2, manifests: [{ digest: digestOf(inner), size: inner.length }] }
    return makeTar([
      ...entries.filter(({ name }) => name !== 'index.json'),
      { name: `blobs/sha256/${digestHex(digestOf(inner))}`, content: inner },
      { name: 'index.json', content: JSON.stringify(top) },
    ])
  }
  const own = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch }
  await withStore(async (store) => {
    const good = await archiveOf(index([{ os: 'linux', architecture: 's390x' }, own]))
    expect(await store.images.load(Readable.from([good]))).toMatchObject([{ digest: image.digest }])
  })
  await withStore(async (store) => {
    const foreign = await archiveOf(index([{ os: 'linux', architecture: 's390x' }]))
    await expect(store.images.load(Readable.from([foreign]))).rejects.toMatchObject({ kind: 'unsupported' })
  })
})

test('the tar of a root file system becomes an image', async () => {
  const tar = await makeTar([
    { name: 'etc', type: 'directory' },
    { name: 'etc/motd', content: 'hello' },
  ])
  await withStore(async (store) => {
    const image = await store.images.import(Readable.from([zlib.gzipSync(tar)]), {
      reference: 'rootfs:1',
      comment: 'by hand',
      config: { command: ['/bin/sh'], environment: { A: 'b' }, exposedPorts: [80], user: 'app' },
    })
    expect(image).toMatchObject({
      references: ['docker.io/library/rootfs:1'],
      layers: [digestOf(tar)],
      config: { command: ['/bin/sh'], environment: { A: 'b' }, exposedPorts: [80], user: 'app' },
    })
    expect(await store.images.history('rootfs:1')).toMatchObject([{ comment: 'by hand' }])
    await store.mounted(image.layers, (root) =>
      expect(readFileSync(join(root, 'etc/motd'), 'utf8')).toBe('hello'),
    )
    const archive = await saveTo(store, 'rootfs.tar', ['rootfs:1'])
    const { stdout } = await run('skopeo', ['inspect', '--config', `oci-archive:${archive}`])
    expect(JSON.parse(stdout)).toMatchObject({ os: 'linux', config: { Cmd: ['/bin/sh'], Env: ['A=b'] } })
  })
})

test.each(['oci', 'docker'] as const)(
  'an image stands on another one, with one more layer (%s family)',
  async (family) => {
    await withStore(async (store) => {
      const { reference } = await pulled(store, `parent-${family}`, {
        command: ['/bin/true'],
        env: ['A=b', 'PATH=/bin'],
        labels: { one: '1' },
      })
      let parent = reference
      if (family === 'docker') {
        const path = join(folder, 'family.tar')
        await run('skopeo', [
          'copy',
          '--insecure-policy',
          '--src-tls-verify=false',
          `docker://${reference}`,
          `docker-archive:${path}:family:1`,
        ])
        await store.images.remove(reference)
        await store.images.load(createReadStream(path))
        parent = 'family:1'
      }
      const layer = await makeTar([{ name: 'bin/.wh.ls' }, { name: 'new', content: 'new' }])
      const made = await store.images.create(parent, {
        layer: Readable.from([layer]),
        reference: 'child:1',
        author: 'me',
        createdBy: 'touch /new',
        config: { environment: { A: 'c', B: 'd' }, labels: { two: '2' } },
      })
      const base = await store.images.inspect(parent)
      expect(made.layers).toEqual([...base.layers, digestOf(layer)])
      expect(made.config).toMatchObject({
        command: ['/bin/true'],
        environment: { A: 'c', PATH: '/bin', B: 'd' },
        labels: { one: '1', two: '2' },
      })
      const { manifest, config } = await store.images.documents('child:1')
      const types = JSON.parse(manifest).layers.map(({ mediaType }: { mediaType: string }) => mediaType)
      expect(new Set(types).size).toBe(1)
      expect(JSON.parse(config).history.at(-1)).toMatchObject({ created_by: 'touch /new', author: 'me' })
      await store.mounted(made.layers, (root) => {
        expect(existsSync(join(root, 'bin/ls'))).toBe(false)
        expect(readFileSync(join(root, 'new'), 'utf8')).toBe('new')
      })
      const relabelled = await store.images.create('child:1', { config: { user: 'app' } })
      expect(relabelled).toMatchObject({ layers: made.layers, references: [], config: { user: 'app' } })
      expect((await store.images.history(relabelled.digest))[0]).toMatchObject({ layer: null })
      // The parent may go: what the child needs of it stays.
      await store.images.remove(parent)
      await store.mounted(made.layers, (root) => expect(existsSync(join(root, 'bin/busybox'))).toBe(true))
    })
  },
)

test('a packed layer that was dropped is fetched again to be saved; when nobody has it, the error says what to do', async () => {
  await withStore(async (store) => {
    const { reference, built } = await pulled(store, 'dropped', { files: { '/a': 'dropped' } })
    const { blobs } = await store.images.inspect(reference)
    for (const blob of blobs) store.parts.content.remove(blob)
    await saveTo(store, 'dropped.tar', [reference])
    expect(await store.parts.content.has(blobs[1] ?? '')).toBe(true)
    for (const blob of blobs) store.parts.content.remove(blob)
    store.parts.rows.forgetSources(blobs)
    await expect(buffer(await store.images.save([built.digest]))).rejects.toThrow('pull it again')
    await expect(store.images.save(['nobody:1'])).rejects.toMatchObject({ kind: 'not-found' })
  })
})

test('whoever stops reading a saved image leaves nothing held', async () => {
  await withStore(async (store) => {
    const { reference } = await pulled(store, 'stopped', { files: { '/a': 'stopped' } })
    const archive = await store.images.save([reference])
    await new Promise((resolve) => archive.once('data', resolve))
    archive.destroy()
    await expect.poll(() => store.parts.busy.size).toBe(0)
    await store.images.remove(reference)
  })
})

test('an image of zstd layers is saved for Docker of any age with plain ones', async () => {
  const archive = await withStore(async (store) => {
    const { reference } = await pulled(store, 'zstd', { files: { '/a': 'zstd' }, compress: 'zstd' })
    return saveTo(store, 'zstd.tar', [reference], 'docker')
  })
  mkdirSync(join(folder, 'zstd'))
  await run('tar', ['-xf', archive, '-C', join(folder, 'zstd')])
  const [{ Layers: layers }] = JSON.parse(readFileSync(join(folder, 'zstd/manifest.json'), 'utf8'))
  for (const layer of layers) await run('tar', ['-tf', join(folder, 'zstd', layer)])
  await run('skopeo', ['copy', '--insecure-policy', `docker-archive:${archive}`, `dir:${folder}/zstd-dir`])
})

test('hostile archives are refused with a reason, and leave nothing', async () => {
  const image = await buildImage({ files: { '/a': 'spoilt' } })
  const entries = layout(image, { 'io.containerd.image.name': 'docker.io/library/spoilt:1' })
  const replaced = (name: string, content: Buffer | string) =>
    entries.map((entry) => (entry.name === name ? { ...entry, content } : entry))
  const layerName = `blobs/sha256/${digestHex(image.layers[1]?.digest ?? '')}`
  const manifestName = `blobs/sha256/${digestHex(image.digest)}`
  const docker = (manifest: unknown, more: TarEntry[] = []) =>
    makeTar([...more, { name: 'manifest.json', content: JSON.stringify(manifest) }])
  const cases: [string, Buffer, string, string][] = [
    [
      'a path that leads out',
      await makeTar([...entries, { name: '../../etc/evil', content: 'x' }]),
      'corrupt',
      'leads out',
    ],
    [
      'an absolute path',
      await makeTar([...entries, { name: '/etc/evil', content: 'x' }]),
      'corrupt',
      'leads out',
    ],
    [
      'a link that leads out',
      await makeTar([...entries, { name: 'l', type: 'symlink', linkname: '../../etc/passwd' }]),
      'corrupt',
      'leads out',
    ],
    [
      'an absolute link',
      await docker([{ Config: 'c', Layers: [] }], [{ name: 'c', type: 'symlink', linkname: '/etc/passwd' }]),
      'corrupt',
      'lacks "c"',
    ],
    [
      'links in a circle',
      await docker(
        [{ Config: 'c', Layers: [] }],
        [
          { name: 'c', type: 'symlink', linkname: 'd' },
          { name: 'd', type: 'symlink', linkname: 'c' },
        ],
      ),
      'corrupt',
      'leads nowhere',
    ],
    [
      'a device',
      await makeTar([...entries, { name: 'dev', type: 'character-device' }]),
      'corrupt',
      'character-device',
    ],
    [
      'an entry twice',
      await makeTar([...entries, { name: './index.json', content: '{}' }]),
      'corrupt',
      'twice',
    ],
    [
      'a layer of other bytes',
      await makeTar(replaced(layerName, Buffer.alloc(image.layers[1]?.size ?? 0))),
      'corrupt',
      'is not what its digest says',
    ],
    [
      'a manifest of other bytes',
      await makeTar(replaced(manifestName, '{}')),
      'corrupt',
      'is not what its digest says',
    ],
    ['no layer', await makeTar(entries.filter(({ name }) => name !== layerName)), 'corrupt', 'lacks layer'],
    ['an index that is none', await makeTar(replaced('index.json', '[]')), 'corrupt', 'index.json'],
    ['an index that is no JSON', await makeTar(replaced('index.json', 'x')), 'corrupt', 'is not JSON'],
    ['a manifest.json that is none', await docker({ a: 1 }), 'corrupt', 'breaks the rules'],
    [
      'a path in manifest.json that leads out',
      await docker([{ Config: '../../etc/passwd', Layers: [] }]),
      'corrupt',
      'leads out',
    ],
    ['no images', await makeTar([{ name: 'README', content: 'x' }]), 'invalid', 'holds no images'],
    ['no archive', Buffer.alloc(4_096, 'x'), 'corrupt', 'not a tar archive'],
    ['half an archive', (await makeTar(entries)).subarray(0, 400_000), 'corrupt', 'archive'],
    [
      'broken compression',
      zlib.gzipSync(await makeTar(entries)).subarray(0, 300_000),
      'corrupt',
      'decompressed',
    ],
  ]
  await withStore(async (store) => {
    for (const [what, archive, kind, message] of cases) {
      const loading = store.images.load(Readable.from([archive]))
      await expect(loading, what).rejects.toMatchObject({ kind, message: expect.stringContaining(message) })
      expect(await store.images.list(), what).toEqual([])
      expect(await store.parts.content.list(), what).toEqual([])
      expect(store.layersOnDisk(), what).toEqual([])
      expect(store.halfMade(), what).toEqual([])
    }
  })
  expect(existsSync('/etc/evil')).toBe(false)
})

test('an archive that unpacks to more than it may is stopped early, by its sizes and by its bytes', async () => {
  await withStore(async (store) => {
    const zeros = await makeTar([{ name: 'a', content: Buffer.alloc(8 * 2 ** 20) }])
    const bomb = Readable.from([zlib.gzipSync(zeros)])
    await expect(store.images.load(bomb, { maxBytes: 4 * 2 ** 20 })).rejects.toMatchObject({
      kind: 'limit-exceeded',
    })
    expect(bomb.destroyed).toBe(true)
    const said = await makeTar([{ name: 'a', content: 'x' }])
    // 2^63 bytes, says the header, in base 256.
    Buffer.from([0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0]).copy(said, 124)
    let sum = 8 * 32
    for (const [at, byte] of said.subarray(0, 512).entries()) if (at < 148 || at >= 156) sum += byte
    said.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    await expect(store.images.load(Readable.from([said]))).rejects.toMatchObject({ kind: 'limit-exceeded' })
    const many = await makeTar(
      Array.from({ length: 20_001 }, (_, i): TarEntry => ({ name: `d${i}`, type: 'directory' })),
    )
    await expect(store.images.load(Readable.from([many]))).rejects.toMatchObject({ kind: 'limit-exceeded' })
    expect(store.halfMade()).toEqual([])
  })
})

test('a canceled load stops at once and leaves nothing', async () => {
  const image = await buildImage({ files: { '/a': 'canceled' } })
  const archive = await makeTar(layout(image))
  await withStore(async (store) => {
    const slow = new Readable({ read() {} })
    slow.push(archive.subarray(0, 200_000))
    const cancel = new AbortController()
    const loading = store.images.load(slow, { signal: cancel.signal })
    setImmediate(() => cancel.abort(new Error('enough')))
    await expect(loading).rejects.toThrow('enough')
    expect(slow.destroyed).toBe(true)
    expect(store.halfMade()).toEqual([])
    expect(store.parts.leases.digests()).toEqual([])
  })
})
