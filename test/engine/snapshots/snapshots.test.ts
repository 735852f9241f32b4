import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { digestOf } from '../../../engine/oci/digest.ts'
import { type ImageStore, openImageStore, removeImageStores } from '../../support/image-store.ts'

afterAll(removeImageStores)

async function makeLayers(store: ImageStore, count: number): Promise<string[]> {
  const { layers } = store.parts
  const diffIds = Array.from({ length: count }, (_, i) => digestOf(`layer ${i}`))
  for (const [i, diffId] of diffIds.entries()) {
    const folder = await layers.stage(diffId)
    writeFileSync(join(folder, `file-${i}`), String(i))
    writeFileSync(join(folder, 'same'), String(i))
    await layers.commit(diffId, { folder, implied: [], opaque: [], links: [] }, [])
  }
  return diffIds
}

test('a snapshot of 127 layers mounts, the last one on top', async () => {
  const store = await openImageStore()
  const diffIds = await makeLayers(store, 127)
  await store.mounted(diffIds, (root) => {
    expect(readdirSync(root).filter((name) => name.startsWith('file-'))).toHaveLength(127)
    expect(readFileSync(join(root, 'same'), 'utf8')).toBe('126')
  })
  await store.close()
})

test('two containers of two id ranges share layers and see none of each other, and what one wrote stays', async () => {
  const store = await openImageStore()
  const diffIds = await makeLayers(store, 2)
  const roots = ['a', 'b'].map((key) => ({ key, target: join(store.stateDir, `root-${key}`) }))
  const mountAll = async () => {
    for (const [i, { key, target }] of roots.entries()) {
      mkdirSync(target, { recursive: true })
      await store.snapshots.prepare(key, diffIds)
      await store.snapshots.mount(key, target, { base: 300_000 + i * 65_536, size: 65_536 })
    }
  }
  const unmountAll = async () => {
    // Twice: the second finds nothing to do.
    for (const { key, target } of [...roots, ...roots]) await store.snapshots.unmount(key, target)
  }
  await mountAll()
  const [a, b] = roots.map(({ target }) => target)
  expect(statSync(join(a ?? '', 'same')).uid).toBe(300_000)
  expect(statSync(join(b ?? '', 'same')).uid).toBe(365_536)
  writeFileSync(join(a ?? '', 'same'), 'written by a')
  expect(readFileSync(join(b ?? '', 'same'), 'utf8')).toBe('1')
  await unmountAll()
  await mountAll()
  expect(readFileSync(join(a ?? '', 'same'), 'utf8')).toBe('written by a')
  await unmountAll()
  expect((await store.snapshots.list()).sort()).toEqual(['a', 'b'])
  for (const { key } of [...roots, ...roots]) await store.snapshots.remove(key)
  expect(await store.snapshots.list()).toEqual([])
  expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(store.stateDir)
  await store.close()
})

test('the folders where the runtime mounts are ours, and open to all users whatever our umask', async () => {
  const umask = process.umask(0o077)
  try {
    const store = await openImageStore()
    await store.mounted(await makeLayers(store, 1), (root) => {
      for (const name of ['', 'dev', 'dev/shm', 'proc', 'sys', 'etc'])
        expect(lstatSync(join(root, name)).mode & 0o7777, name).toBe(0o755)
      for (const name of ['etc/hosts', 'etc/hostname', 'etc/resolv.conf'])
        expect(lstatSync(join(root, name)).mode & 0o7777, name).toBe(0o644)
      expect(readlinkSync(join(root, 'etc/mtab'))).toBe('/proc/mounts')
    })
    await store.close()
  } finally {
    process.umask(umask)
  }
})

test('a layer that is not here and a name that is none are refused', async () => {
  const store = await openImageStore()
  await expect(store.snapshots.prepare('../x', [])).rejects.toMatchObject({ kind: 'invalid' })
  await store.snapshots.prepare('one', [digestOf('not here')])
  const range = { base: 300_000, size: 65_536 }
  await expect(store.snapshots.mount('one', store.stateDir, range)).rejects.toMatchObject({
    kind: 'not-found',
  })
  await expect(store.snapshots.mount('two', store.stateDir, range)).rejects.toMatchObject({
    kind: 'not-found',
  })
  await store.close()
})
