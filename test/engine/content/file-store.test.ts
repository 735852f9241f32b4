import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createContentStore } from '../../../engine/content/file-store.ts'
import { digestHex } from '../../../engine/oci/digest.ts'
import { openTrash } from '../../../engine/sys/trash.ts'
import { conformsToContentStore } from './conformance.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-content-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const open = () => createContentStore(join(folder, 'content'), openTrash(join(folder, 'trash')))

conformsToContentStore(open)

test('a document that the disk has damaged is not given out', async () => {
  const store = await open()
  const digest = await store.put(Buffer.from('{}'))
  writeFileSync(join(folder, 'content/blobs/sha256', digestHex(digest)), '{"a":1}')
  await expect(store.read(digest)).rejects.toMatchObject({ kind: 'corrupt' })
})

test('what an earlier process was cut off from, or had no time to delete, goes', async () => {
  await open()
  for (const name of ['trash/half', 'content/ingest/new-00']) writeFileSync(join(folder, name), 'x')
  const trash = openTrash(join(folder, 'trash'))
  const store = await createContentStore(join(folder, 'content'), trash)
  expect(await store.dropIngests(() => true)).toBe(1)
  await trash.emptied()
  expect([...readdirSync(join(folder, 'trash')), ...readdirSync(join(folder, 'content/ingest'))]).toEqual([])
})
