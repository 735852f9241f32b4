import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createAppender } from '../../../engine/content/appender.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-appender-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A file that takes no more than so many bytes at a time, as one does on a disk that is nearly full. */
function takingFew(file: FileHandle, mostBytes: number): FileHandle {
  return new Proxy(file, {
    get(target, name) {
      if (name !== 'writev') return Reflect.get(target, name)
      return (chunks: Buffer[], at: number) =>
        target.write(Buffer.concat(chunks).subarray(0, mostBytes), 0, undefined, at)
    },
  })
}

test.each([1, 7, 100_000, 1 << 30])('all is written in order by writes of %i bytes at most', async (most) => {
  const path = join(folder, 'file')
  const file = await open(path, 'w')
  const length = most === 1 ? 100 : 300_000
  const [bytes, size] = [randomBytes(length), Math.ceil(length / 100)]
  const written: number[] = []
  const appender = createAppender(takingFew(file, most), 3, (at) => written.push(at))
  for (let at = 0; at < length; at += size) await appender.write(bytes.subarray(at, at + size))
  await appender.end()
  await file.close()
  expect(readFileSync(path).subarray(3).equals(bytes)).toBe(true)
  expect(written).toEqual(written.toSorted((a, b) => a - b))
  expect(written.at(-1)).toBe(length + 3)
})
