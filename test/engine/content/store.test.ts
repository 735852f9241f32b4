import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createContentStore } from '../../../engine/content/store.ts'
import { digestOf } from '../../../engine/oci/digest.ts'

let folder: string
const bytes = Buffer.from('some bytes that are worth keeping')
const digest = digestOf(bytes)
const sizeBytes = bytes.length

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-content-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('what was cut off is invisible, and can be gone on with', async () => {
  const store = await createContentStore(folder)
  const half = Readable.from([bytes.subarray(0, 10)])
  await expect(store.ingest(digest, half, { offset: 0, sizeBytes })).rejects.toMatchObject({
    kind: 'unavailable',
  })
  expect(await store.has(digest)).toBe(false)
  await expect(store.open(digest)).rejects.toMatchObject({ kind: 'not-found' })
  const again = await createContentStore(folder)
  expect(await again.ingestSize(digest)).toBe(10)
  const seen: number[] = []
  const rest = Readable.from([bytes.subarray(10)])
  await again.ingest(digest, rest, { offset: 10, sizeBytes, onBytes: (done) => seen.push(done) })
  expect(seen).toEqual([sizeBytes])
  const file = await again.open(digest)
  expect(await readFile(file)).toEqual(bytes)
  await file.close()
  expect(await again.ingestSize(digest)).toBe(0)
  for (const _twice of [1, 2]) await again.remove(digest)
  expect(await again.has(digest)).toBe(false)
})

test.each([
  ['other bytes', Buffer.alloc(sizeBytes)],
  ['more bytes', Buffer.concat([bytes, bytes])],
])('%s are refused as corrupt and dropped', async (_what, wrong) => {
  const store = await createContentStore(folder)
  const ingest = store.ingest(digest, Readable.from([wrong]), { offset: 0, sizeBytes })
  await expect(ingest).rejects.toMatchObject({ kind: 'corrupt' })
  expect(await store.ingestSize(digest)).toBe(0)
  expect(await store.has(digest)).toBe(false)
})

test('more than the disk has room for is refused at once, and its source let go of', async () => {
  const store = await createContentStore(folder)
  const source = Readable.from([bytes])
  const ingest = store.ingest(digest, source, { offset: 0, sizeBytes: 2 ** 52 })
  await expect(ingest).rejects.toMatchObject({ kind: 'failed-precondition' })
  expect(source.destroyed).toBe(true)
})

test('what nobody went on with for a day is swept', async () => {
  await createContentStore(folder)
  const old = Date.now() / 1_000 - 25 * 3_600
  for (const place of ['ingest', 'blobs/sha256']) {
    for (const name of ['old', 'new']) writeFileSync(join(folder, place, name), 'x')
    utimesSync(join(folder, place, 'old'), old, old)
  }
  await createContentStore(folder)
  for (const place of ['ingest', 'blobs/sha256']) expect(readdirSync(join(folder, place))).toEqual(['new'])
})
