/** Images that are made here: of the tar of a root file system, and of another image and one more layer. */
import { execFile } from 'node:child_process'
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestOf } from '../../../engine/oci/digest.ts'
import { type ArchivePlace, openArchivePlace, withStore } from '../../support/archives.ts'
import { makeTar } from '../../support/images.ts'

const run = promisify(execFile)
let place: ArchivePlace
beforeAll(async () => {
  place = await openArchivePlace()
})
afterAll(() => place?.close())

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
    const archive = await place.saveTo(store, 'rootfs.tar', ['rootfs:1'])
    const { stdout } = await run('skopeo', ['inspect', '--config', `oci-archive:${archive}`])
    expect(JSON.parse(stdout)).toMatchObject({ os: 'linux', config: { Cmd: ['/bin/sh'], Env: ['A=b'] } })
  })
})

test.each(['oci', 'docker'] as const)(
  'an image stands on another one, with one more layer (%s family)',
  async (family) => {
    await withStore(async (store) => {
      const { reference } = await place.pulled(store, `parent-${family}`, {
        command: ['/bin/true'],
        env: ['A=b', 'PATH=/bin'],
        labels: { one: '1' },
      })
      let parent = reference
      if (family === 'docker') {
        const path = join(place.folder, 'family.tar')
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
