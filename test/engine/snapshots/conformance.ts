/** What every snapshotter does. A new one is a test file that passes a factory. */
import { execFileSync } from 'node:child_process'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { digestOf } from '../../../engine/oci/digest.ts'
import type { Snapshots } from '../../../engine/snapshots/snapshots.ts'
import type { IdRange } from '../../../engine/sys/user-namespace.ts'

export interface SnapshotStand {
  snapshots: Snapshots
  /** A folder of the test's own, on the same file system. */
  folder: string
  /** Puts a layer of these files on disk, by name and content; answers with its diffID. */
  addLayer(files: Record<string, string>): Promise<string>
  close(): Promise<void>
}

const range: IdRange = { base: 300_000, size: 65_536 }

/** @param open opens another one, with nothing in it, at each call */
export function conformsToSnapshots(open: () => Promise<SnapshotStand>): void {
  const withStand = async (work: (stand: SnapshotStand) => Promise<void>) => {
    const stand = await open()
    await work(stand)
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(stand.folder)
    await stand.close()
  }

  /** Lends the folder where a container of these layers is mounted. */
  async function mounted(
    { snapshots, folder }: SnapshotStand,
    layers: string[],
    look: (root: string) => void | Promise<void>,
  ): Promise<void> {
    const target = join(folder, 'root')
    mkdirSync(target, { recursive: true })
    await snapshots.prepare('one', layers)
    await snapshots.mount('one', target, range)
    try {
      await look(target)
    } finally {
      await snapshots.unmount('one', target)
    }
  }

  test('127 layers mount, the last one on top', () =>
    withStand(async (stand) => {
      const layers: string[] = []
      for (let i = 0; i < 127; i++) layers.push(await stand.addLayer({ [`file-${i}`]: '', same: String(i) }))
      await mounted(stand, layers, (root) => {
        expect(readdirSync(root).filter((name) => name.startsWith('file-'))).toHaveLength(127)
        expect(readFileSync(join(root, 'same'), 'utf8')).toBe('126')
      })
    }))

  test('two containers of two id ranges share layers and see none of each other, and what one wrote stays', () =>
    withStand(async ({ snapshots, folder, addLayer }) => {
      const layers = [await addLayer({ same: '0' }), await addLayer({ same: '1' })]
      const roots = ['a', 'b'].map((key) => ({ key, target: join(folder, `root-${key}`) }))
      const mountAll = async () => {
        for (const [i, { key, target }] of roots.entries()) {
          mkdirSync(target, { recursive: true })
          await snapshots.prepare(key, layers)
          await snapshots.mount(key, target, { ...range, base: range.base + i * range.size })
        }
      }
      const unmountAll = async () => {
        // Twice: the second finds nothing to do.
        for (const { key, target } of [...roots, ...roots]) await snapshots.unmount(key, target)
      }
      await mountAll()
      const [a = '', b = ''] = roots.map(({ target }) => target)
      for (const name of ['', 'same'])
        expect(
          [a, b].map((root) => statSync(join(root, name)).uid),
          name,
        ).toEqual([300_000, 365_536])
      writeFileSync(join(a, 'same'), 'written by a')
      expect(readFileSync(join(b, 'same'), 'utf8')).toBe('1')
      await unmountAll()
      await mountAll()
      expect(readFileSync(join(a, 'same'), 'utf8')).toBe('written by a')
      await unmountAll()
      expect((await snapshots.list()).sort()).toEqual(['a', 'b'])
      for (const { key } of [...roots, ...roots]) await snapshots.remove(key)
      expect(await snapshots.list()).toEqual([])
    }))

  test('the folders where the runtime mounts are ours, and open to all users whatever our umask', async () => {
    const umask = process.umask(0o077)
    try {
      await withStand(async (stand) =>
        mounted(stand, [await stand.addLayer({ one: '1' })], (root) => {
          for (const name of ['', 'dev', 'dev/shm', 'proc', 'sys', 'etc'])
            expect(lstatSync(join(root, name)).mode & 0o7777, name).toBe(0o755)
          for (const name of ['etc/hosts', 'etc/hostname', 'etc/resolv.conf'])
            expect(lstatSync(join(root, name)).mode & 0o7777, name).toBe(0o644)
          expect(readlinkSync(join(root, 'etc/mtab'))).toBe('/proc/mounts')
        }),
      )
    } finally {
      process.umask(umask)
    }
  })

  test('what a container changed is lent, and given as a layer with the owners that it sees', () =>
    withStand(async (stand) => {
      const { snapshots } = stand
      const layers = [await stand.addLayer({ gone: 'x', kept: 'y' }), await stand.addLayer({ top: 'z' })]
      await mounted(stand, layers, async (root) => {
        writeFileSync(join(root, 'new'), 'bytes')
        rmSync(join(root, 'gone'))
        await snapshots.lookAt('one', async (parts) => {
          expect(readFileSync(join(parts.upper, 'new'), 'utf8')).toBe('bytes')
          expect(parts.layers.map((layer) => readdirSync(layer)[0])).toEqual(['top', 'gone'])
        })
      })
      const tar = await buffer(await snapshots.changes('one', range))
      const listed = execFileSync('tar', ['-tv', '--numeric-owner'], { input: tar }).toString()
      // Written by the host's root, who is nobody in the container: all that is its own would be 0.
      expect(listed).toMatch(/^-rw\S+ \d+\/\d+ +5 .* (\.\/)?new$/m)
      expect(listed).toMatch(/ (\.\/)?\.wh\.gone$/m)
      expect(listed).not.toMatch(/kept|top|etc\/hosts/)
      await snapshots.remove('one')
    }))

  test('a name that was removed is nobody’s, and may be given to other layers', () =>
    withStand(async (stand) => {
      const { snapshots, folder } = stand
      const layers = [await stand.addLayer({ first: '1' }), await stand.addLayer({ second: '2' })]
      await mounted(stand, layers.slice(0, 1), (root) => writeFileSync(join(root, 'written'), ''))
      await snapshots.remove('one')
      await expect(snapshots.mount('one', join(folder, 'root'), range)).rejects.toMatchObject({
        kind: 'not-found',
      })
      await mounted(stand, layers.slice(1), (root) => {
        const names = readdirSync(root).filter((name) => ['first', 'second', 'written'].includes(name))
        expect(names).toEqual(['second'])
      })
      await snapshots.remove('one')
    }))

  test('what keeps a layer from outgrowing its limit is said, and a layer without a limit has none', () =>
    withStand(async ({ snapshots, addLayer }) => {
      const layers = [await addLayer({ one: '1' })]
      await snapshots.prepare('free', layers)
      expect(snapshots.diskLimit('free', undefined)).toBe('none')
      await snapshots.prepare('small', layers, 32 * 2 ** 20)
      expect(['own-file-system', 'project-quota']).toContain(snapshots.diskLimit('small', 32 * 2 ** 20))
      for (const _twice of [1, 2]) snapshots.closeDisk('small')
      for (const key of ['free', 'small']) await snapshots.remove(key)
    }))

  test('a layer that is not here and a name that is none are refused', () =>
    withStand(async ({ snapshots, folder }) => {
      await expect(snapshots.prepare('../x', [])).rejects.toMatchObject({ kind: 'invalid' })
      await snapshots.prepare('one', [digestOf('not here')])
      for (const key of ['one', 'two'])
        await expect(snapshots.mount(key, folder, range)).rejects.toMatchObject({ kind: 'not-found' })
    }))
}
