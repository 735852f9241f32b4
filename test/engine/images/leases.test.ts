import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, expect, test, vi } from 'vitest'
import { createLeases } from '../../../engine/images/leases.ts'
import { sweepUnneeded } from '../../../engine/images/sweep.ts'
import { type Digest, digestOf } from '../../../engine/oci/digest.ts'
import { openImageStore, removeImageStores } from '../../support/image-store.ts'

afterAll(() => {
  vi.useRealTimers()
  removeImageStores()
})

const dayMs = 24 * 3_600_000

test('what is leased stays; when the lease ends, it goes', async () => {
  const { parts, close } = await openImageStore()
  const bytes = Buffer.from('leased')
  const lease = parts.leases.take('work', [digestOf(bytes)])
  const digest = await parts.content.put(bytes)
  await sweepUnneeded(parts)
  expect(await parts.content.has(digest)).toBe(true)
  lease.end()
  lease.letGo()
  expect((await sweepUnneeded(parts)).blobs).toEqual([{ digest, sizeBytes: bytes.length }])
  expect(await parts.content.has(digest)).toBe(false)
  await close()
})

test('what work begins to count on between two batches of a sweep stays', async () => {
  const { parts, state, stateDir, close } = await openImageStore()
  const many = Array.from({ length: 120 }, (_, index) => Buffer.from(`number ${index}`))
  await Promise.all(many.map(parts.content.put))
  const insert = state.db.prepare('INSERT INTO layers (diff_id) VALUES (?)')
  for (const bytes of many) insert.run(digestOf(Buffer.concat([bytes, bytes])))
  const blobs = () =>
    readdirSync(join(stateDir, 'content/blobs/sha256')).map((name): Digest => `sha256:${name}`)

  const leaseRest = async (list: () => Digest[]) => {
    while (list().length === many.length) await nextTurn()
    const rest = list()
    expect(rest.length).toBeGreaterThan(0)
    parts.leases.take(`work on ${rest[0]}`, rest)
    return rest.sort()
  }
  const sweeping = sweepUnneeded(parts)
  const layersLeft = await leaseRest(parts.layers.list)
  const blobsLeft = await leaseRest(blobs)
  await sweeping
  expect(parts.layers.list().sort()).toEqual(layersLeft)
  expect(blobs().sort()).toEqual(blobsLeft)
  await close()
})

test('a lease does not expire while its work goes on, and a day after it was cut off it does', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const { parts, state, close } = await openImageStore()
  const isResumable = true
  const lease = parts.leases.take('pull a', ['sha256:a'], { isResumable })
  vi.setSystemTime(Date.now() + 2 * dayMs)
  expect(parts.leases.digests()).toEqual(['sha256:a'])
  lease.letGo()
  vi.setSystemTime(Date.now() + dayMs - 1_000)
  expect(parts.leases.digests()).toEqual(['sha256:a'])
  // Also for the next process.
  expect(createLeases(state).digests()).toEqual(['sha256:a'])
  vi.setSystemTime(Date.now() + 2_000)
  expect(parts.leases.digests()).toEqual([])
  await close()
  vi.useRealTimers()
})

test('work that cannot be gone on with leaves no lease, neither when it fails nor when its process is gone', async () => {
  const { parts, state, close } = await openImageStore()
  parts.leases.take('load a', ['sha256:a']).letGo()
  expect(parts.leases.digests()).toEqual([])
  parts.leases.take('load b', ['sha256:b'])
  expect(createLeases(state).digests()).toEqual([])
  await close()
})

test('two at the same work share a lease; it ends with the last of them', async () => {
  const { parts, close } = await openImageStore()
  const [one, two] = [parts.leases.take('pull a', ['sha256:a']), parts.leases.take('pull a', ['sha256:b'])]
  one.end()
  one.letGo()
  expect(parts.leases.digests().sort()).toEqual(['sha256:a', 'sha256:b'])
  // What one of them has done, the other need not go on with.
  two.letGo()
  expect(parts.leases.digests()).toEqual([])
  await close()
})
