import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestOf } from '../../../engine/oci/digest.ts'
import { syncFileSystem } from '../../../engine/sys/syscalls.ts'
import { type ImageStore, openImageStore } from '../../support/image-store.ts'

/** A disk that promises 1 GiB and can keep a fraction of it: what is more fails only when it is written back. */
const promised = 2 ** 30
const kept = 64 * 2 ** 20
const tooMuch = 128 * 2 ** 20

const folder = mkdtempSync(join(tmpdir(), 'berth-failing-disk-'))
const backing = join(folder, 'backing')
const disk = join(folder, 'disk')
let store: ImageStore

beforeAll(async () => {
  mkdirSync(backing)
  mkdirSync(disk)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kept}`, 'tmpfs', backing])
  const image = join(backing, 'disk.img')
  writeFileSync(image, '')
  truncateSync(image, promised)
  execFileSync('mkfs.ext4', ['-q', '-O', '^has_journal', '-E', 'nodiscard', image])
  execFileSync('mount', ['-o', 'loop,errors=continue', image, disk])
  store = await openImageStore(disk)
})

afterAll(async () => {
  await store?.close()
  for (const mounted of [disk, backing]) execFileSync('umount', ['--lazy', mounted])
  rmSync(folder, { recursive: true, force: true })
})

test('a layer that the disk could not keep does not become visible, although others heard of it first', async () => {
  const { layers } = store.parts
  const diffId = digestOf('more than there is')
  const staged = await layers.stage(diffId)
  writeFileSync(join(staged, 'large'), randomBytes(tooMuch))
  const other = openSync(disk, 'r')
  await expect(syncFileSystem(other)).rejects.toThrow('the disk reports an error')
  closeSync(other)
  // From now on the disk keeps what it is given: what was lost is lost, and no later sync fails of itself.
  execFileSync('mount', ['-o', `remount,size=${promised}`, backing])
  await expect(
    layers.commit(diffId, { folder: staged, implied: [], opaque: [], links: [] }, []),
  ).rejects.toThrow('the disk reports an error')
  expect(layers.has(diffId)).toBe(false)
  expect(store.layersOnDisk()).toEqual([])
})
