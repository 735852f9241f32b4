import { Readable } from 'node:stream'
import zlib from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { digestHex } from '../../../engine/oci/digest.ts'
import { layout, withStore } from '../../support/archives.ts'
import { removeImageStores } from '../../support/image-store.ts'
import { buildImage, makeTar, type TarEntry } from '../../support/images.ts'
import { leavesAlone, reachableFrom } from '../../support/world.ts'

afterAll(removeImageStores)

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
      await leavesAlone(reachableFrom(store.stateDir), () =>
        expect(store.images.load(Readable.from([archive])), what).rejects.toMatchObject({
          kind,
          message: expect.stringContaining(message),
        }),
      )
      expect(await store.images.list(), what).toEqual([])
      expect(await store.parts.content.list(), what).toEqual([])
      expect(store.layersOnDisk(), what).toEqual([])
      expect(store.halfMade(), what).toEqual([])
    }
  })
})

test('an archive that unpacks to more than it may is stopped early, by its sizes and by its bytes', async () => {
  await withStore(async (store) => {
    const zeros = await makeTar([{ name: 'a', content: Buffer.alloc(8 * 2 ** 20) }])
    const said = await makeTar([{ name: 'a', content: 'x' }])
    // 2^63 bytes, says the header, in base 256.
    Buffer.from([0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0]).copy(said, 124)
    let sum = 8 * 32
    for (const [at, byte] of said.subarray(0, 512).entries()) if (at < 148 || at >= 156) sum += byte
    said.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    const many = await makeTar(
      Array.from({ length: 20_001 }, (_, i): TarEntry => ({ name: `d${i}`, type: 'directory' })),
    )
    for (const [archive, maxBytes] of [
      [zlib.gzipSync(zeros), 4 * 2 ** 20],
      [zlib.zstdCompressSync(zeros), 4 * 2 ** 20],
      [said, undefined],
      [many, undefined],
    ] as const) {
      const source = Readable.from([archive])
      await leavesAlone(reachableFrom(store.stateDir), () =>
        expect(store.images.load(source, { maxBytes })).rejects.toMatchObject({ kind: 'limit-exceeded' }),
      )
      expect(source.destroyed).toBe(true)
      expect(store.halfMade()).toEqual([])
      expect(await store.parts.content.list()).toEqual([])
    }
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
