import { execFile } from 'node:child_process'
import { createReadStream, createWriteStream, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestHex, digestOf } from '../../../engine/oci/digest.ts'
import { type ArchivePlace, layout, openArchivePlace, withStore } from '../../support/archives.ts'
import { buildImage, makeTar } from '../../support/images.ts'

const run = promisify(execFile)
let place: ArchivePlace
beforeAll(async () => {
  place = await openArchivePlace()
})
afterAll(() => place?.close())

test('a saved image is loaded elsewhere with the same digest, names and bytes, also compressed', async () => {
  const { paths, built, reference } = await withStore(async (store) => {
    const { reference, built } = await place.pulled(store, 'moved', { files: { '/a': 'moved' } })
    await store.images.tag(reference, 'moved:2')
    const plain = await place.saveTo(store, 'moved.tar', [built.digest])
    const one = await place.saveTo(store, 'one.tar', ['moved:2'])
    const packed = join(place.folder, 'moved.tar.gz')
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
  const root = join(place.folder, 'podman')
  const podman = (...args: string[]) =>
    run('podman', ['--root', root, '--runroot', `${root}-run`, '--storage-driver', 'vfs', ...args])
  await withStore(async (store) => {
    const { reference, built } = await place.pulled(store, 'others', { files: { '/a': 'others' } })
    const oci = await place.saveTo(store, 'oci.tar', [reference])
    const docker = await place.saveTo(store, 'docker.tar', [reference], 'docker')
    const copy = (from: string, to: string) => run('skopeo', ['copy', '--insecure-policy', from, to])
    await copy(`oci-archive:${oci}`, `dir:${place.folder}/from-oci`)
    expect(readFileSync(join(place.folder, 'from-oci/manifest.json'))).toEqual(built.manifest)
    await copy(`docker-archive:${docker}`, `docker-archive:${place.folder}/skopeo.tar:other:1`)
    await podman('load', '-i', docker)
    const { stdout } = await podman('images', '--format', '{{.Repository}}:{{.Tag}}')
    expect(stdout.trim()).toBe(reference)
    await podman('save', '--format', 'docker-archive', '-o', `${place.folder}/podman.tar`, reference)
    await podman('save', '--format', 'oci-archive', '-o', `${place.folder}/podman-oci.tar`, reference)
  })
  for (const [file, name] of [
    ['skopeo.tar', 'docker.io/library/other:1'],
    ['podman.tar', `${place.registry.host}/team/others:1`],
    ['podman-oci.tar', `${place.registry.host}/team/others:1`],
  ] as const)
    await withStore(async (store) => {
      const [image] = await store.images.load(createReadStream(join(place.folder, file)))
      expect(image?.references).toEqual([name])
      await store.mounted(image?.layers ?? [], (mounted) =>
        expect(readFileSync(join(mounted, 'a'), 'utf8')).toBe('others'),
      )
      // What was made of it can be saved and loaded as it is.
      const again = await place.saveTo(store, 'again.tar', [image?.digest ?? ''])
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
    const { built, reference } = await place.pulled(store, 'known', { files: { '/a': 'known' } })
    const archive = await place.saveTo(store, 'known.tar', [reference], 'docker')
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
    await expect(store.images.load(Readable.from([foreign]))).rejects.toMatchObject({
      kind: 'wrong-platform',
    })
  })
})

test('a packed layer that was dropped is fetched again to be saved; when nobody has it, the error says what to do', async () => {
  await withStore(async (store) => {
    const { reference, built } = await place.pulled(store, 'dropped', { files: { '/a': 'dropped' } })
    const { blobs } = await store.images.inspect(reference)
    for (const blob of blobs) store.parts.content.remove(blob)
    await place.saveTo(store, 'dropped.tar', [reference])
    expect(await store.parts.content.has(blobs[1] ?? '')).toBe(true)
    for (const blob of blobs) store.parts.content.remove(blob)
    store.parts.rows.forgetSources(blobs)
    await expect(buffer(await store.images.save([built.digest]))).rejects.toThrow('pull it again')
    await expect(store.images.save(['nobody:1'])).rejects.toMatchObject({ kind: 'not-found' })
  })
})

test('whoever stops reading a saved image leaves nothing held', async () => {
  await withStore(async (store) => {
    const { reference } = await place.pulled(store, 'stopped', { files: { '/a': 'stopped' } })
    const archive = await store.images.save([reference])
    await new Promise((resolve) => archive.once('data', resolve))
    archive.destroy()
    await expect.poll(() => store.parts.busy.size).toBe(0)
    await store.images.remove(reference)
  })
})

test('an image of zstd layers is saved for Docker of any age with plain ones', async () => {
  const archive = await withStore(async (store) => {
    const { reference } = await place.pulled(store, 'zstd', { files: { '/a': 'zstd' }, compress: 'zstd' })
    return place.saveTo(store, 'zstd.tar', [reference], 'docker')
  })
  mkdirSync(join(place.folder, 'zstd'))
  await run('tar', ['-xf', archive, '-C', join(place.folder, 'zstd')])
  const [{ Layers: layers }] = JSON.parse(readFileSync(join(place.folder, 'zstd/manifest.json'), 'utf8'))
  for (const layer of layers) await run('tar', ['-tf', join(place.folder, 'zstd', layer)])
  await run('skopeo', [
    'copy',
    '--insecure-policy',
    `docker-archive:${archive}`,
    `dir:${place.folder}/zstd-dir`,
  ])
})
