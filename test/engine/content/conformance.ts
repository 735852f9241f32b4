/** What every content store does. A new one is a test file that passes a factory. */
import { type FileHandle, readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import type { ContentStore } from '../../../engine/content/store.ts'
import { digestOf } from '../../../engine/oci/digest.ts'

const bytes = Buffer.from('some bytes that are worth keeping')
const digest = digestOf(bytes)
const sizeBytes = bytes.length
const nobody = () => {}

/** @param open opens the same store anew at each call within a test, as another process would after this one. */
export function conformsToContentStore(open: () => Promise<ContentStore>): void {
  const contentOf = async (store: ContentStore) => {
    const file = await store.open(digest)
    return readFile(file).finally(() => file.close())
  }

  test('an ingest is invisible until it is committed, and one that was cut off can be gone on with', async () => {
    const store = await open()
    const half = Readable.from([bytes.subarray(0, 10)])
    await expect(store.ingest(digest, half, { offset: 0, sizeBytes })).rejects.toMatchObject({
      kind: 'unavailable',
    })
    expect(await store.has(digest)).toBe(false)
    expect(await store.size(digest)).toBe(null)
    expect(await store.list()).toEqual([])
    await expect(store.open(digest)).rejects.toMatchObject({ kind: 'not-found' })
    await expect(store.read(digest)).rejects.toMatchObject({ kind: 'not-found' })
    const again = await open()
    expect(await again.ingestSize(digest)).toBe(10)
    const seen: number[] = []
    const rest = Readable.from([bytes.subarray(10)])
    await again.ingest(digest, rest, { offset: 10, sizeBytes, onBytes: (done) => seen.push(done) })
    expect(seen).toEqual([sizeBytes])
    expect(await contentOf(again)).toEqual(bytes)
    expect(await again.read(digest)).toEqual(bytes)
    expect(await again.size(digest)).toBe(sizeBytes)
    expect(await again.ingestSize(digest)).toBe(0)
    expect(await (await open()).list()).toEqual([{ digest, sizeBytes }])
  })

  test('what comes beyond its size is not taken in, however much that would be', async () => {
    const store = await open()
    let given = 0
    const endless = Readable.from(
      (function* () {
        for (; given < 1_000; given++) yield Buffer.alloc(1_024)
      })(),
    )
    await expect(store.ingest(digest, endless, { offset: 0, sizeBytes })).rejects.toMatchObject({
      kind: 'corrupt',
      message: expect.stringContaining('longer'),
    })
    expect(given).toBeLessThan(100)
    expect(await store.ingestSize(digest)).toBe(0)
  })

  test.each([
    ['right bytes', bytes, ['began', 'all read', 'whole']],
    ['wrong bytes', Buffer.alloc(sizeBytes), ['began', 'all read']],
  ])('who reads along hears of %s what is true of them', async (_what, sent, heard) => {
    const store = await open()
    const said: string[] = []
    const readAlong = {
      begin: (file: FileHandle) => void file.close().then(() => said.push('began')),
      came: (done: number) => void (done === sizeBytes && said.push('all read')),
      cameWhole: () => void said.push('whole'),
    }
    await store
      .ingest(digest, Readable.from([sent]), { offset: 0, sizeBytes, readAlong })
      .catch((error: unknown) => expect(error).toMatchObject({ kind: 'corrupt' }))
    expect(said).toEqual(heard)
  })

  test('an ingest that starts anew forgets what was there', async () => {
    const store = await open()
    const wrong = Readable.from([Buffer.alloc(20)])
    await expect(store.ingest(digest, wrong, { offset: 0, sizeBytes })).rejects.toMatchObject({
      kind: 'unavailable',
    })
    await store.ingest(digest, Readable.from([bytes]), { offset: 0, sizeBytes })
    expect(await contentOf(store)).toEqual(bytes)
  })

  test.each([
    ['other bytes', Buffer.alloc(sizeBytes)],
    ['more bytes', Buffer.concat([bytes, bytes])],
  ])('%s are refused as corrupt and dropped', async (_what, wrong) => {
    const store = await open()
    const ingest = store.ingest(digest, Readable.from([wrong]), { offset: 0, sizeBytes })
    await expect(ingest).rejects.toMatchObject({ kind: 'corrupt' })
    expect(await store.ingestSize(digest)).toBe(0)
    expect(await store.has(digest)).toBe(false)
  })

  test('a canceled ingest stops at once and keeps what came', async () => {
    const store = await open()
    const source = new Readable({ read() {} })
    source.push(bytes.subarray(0, 10))
    const cancel = new AbortController()
    const ingest = store.ingest(digest, source, {
      offset: 0,
      sizeBytes,
      signal: cancel.signal,
      onBytes: () => setImmediate(() => cancel.abort(new Error('enough'))),
    })
    await expect(ingest).rejects.toThrow()
    expect(source.destroyed).toBe(true)
    expect(await store.has(digest)).toBe(false)
  })

  test('more than the disk has room for is refused at once, and its source let go of', async () => {
    const store = await open()
    const source = Readable.from([bytes])
    const ingest = store.ingest(digest, source, { offset: 0, sizeBytes: 2 ** 52 })
    await expect(ingest).rejects.toMatchObject({ kind: 'disk-full' })
    expect(source.destroyed).toBe(true)
  })

  test('bytes without a name get one at their end, and who needs them hears it before anybody sees them', async () => {
    const store = await open()
    const heard: string[] = []
    let sawItself: Promise<boolean> | undefined
    const added = await store.add(Readable.from([bytes.subarray(0, 5), bytes.subarray(5)]), {
      maxBytes: sizeBytes,
      beforeCommit: (found) => {
        heard.push(found)
        sawItself = store.has(found)
      },
    })
    expect(added).toEqual({ digest, sizeBytes })
    expect(heard).toEqual([digest])
    expect(await sawItself).toBe(false)
    expect(await contentOf(store)).toEqual(bytes)
  })

  test('bytes that are too many, or whose source breaks, leave nothing', async () => {
    const store = await open()
    const broken = new Readable({
      read() {
        this.push(bytes)
        this.destroy(new Error('the cable was cut'))
      },
    })
    const tooMany = store.add(Readable.from([bytes]), { maxBytes: sizeBytes - 1, beforeCommit: nobody })
    await expect(tooMany).rejects.toMatchObject({ kind: 'limit-exceeded' })
    const cut = store.add(broken, { maxBytes: sizeBytes, beforeCommit: nobody })
    await expect(cut).rejects.toThrow('the cable was cut')
    expect(await store.list()).toEqual([])
    expect(await store.dropIngests(() => false)).toBe(0)
  })

  test('a document may be put twice, and is read as it was', async () => {
    const store = await open()
    for (const _twice of [1, 2]) expect(await store.put(bytes)).toBe(digest)
    expect(await store.read(digest)).toEqual(bytes)
    expect(await store.list()).toEqual([{ digest, sizeBytes }])
  })

  test('what is removed is gone at once, and who reads it reads on', async () => {
    const store = await open()
    await store.put(bytes)
    const file = await store.open(digest)
    for (const _twice of [1, 2]) store.remove(digest)
    expect(await store.has(digest)).toBe(false)
    expect(await readFile(file)).toEqual(bytes)
    await file.close()
    await store.put(bytes)
    expect(await contentOf(store)).toEqual(bytes)
  })

  test('unfinished ingests go unless somebody needs them or is at them', async () => {
    const store = await open()
    const other = digestOf('another')
    for (const each of [digest, other]) {
      const half = store.ingest(each, Readable.from([bytes.subarray(0, 10)]), { offset: 0, sizeBytes })
      await expect(half).rejects.toMatchObject({ kind: 'unavailable' })
    }
    const slow = new Readable({ read() {} })
    const started = Promise.withResolvers<void>()
    const adding = store.add(slow, { maxBytes: 100, beforeCommit: nobody })
    const ingesting = store.ingest(digestOf(Buffer.concat([bytes, bytes])), feed(started.resolve), {
      offset: 0,
      sizeBytes: 2 * sizeBytes,
    })
    await started.promise
    expect(await store.dropIngests((each) => each === digest)).toBe(10)
    expect(await store.ingestSize(digest)).toBe(10)
    expect(await store.ingestSize(other)).toBe(0)
    slow.push(bytes)
    slow.push(null)
    expect(await adding).toEqual({ digest, sizeBytes })
    await ingesting
  })

  /** Gives one half, tells, waits for the next turns of the loop, gives the other. */
  function feed(tell: () => void): Readable {
    return Readable.from(
      (async function* () {
        yield bytes
        tell()
        for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
        yield bytes
      })(),
    )
  }
}
