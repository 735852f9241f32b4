import { createHash, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createSha256 } from '../../../engine/sys/sha256.ts'

const bytes = randomBytes(3_000_001)
const expected = createHash('sha256').update(bytes).digest('hex')

test.each([1_000, 1 << 20, bytes.length])('hashes pieces of %i bytes', async (length) => {
  const hash = createSha256()
  for (let at = 0; at < bytes.length; at += length) await hash.update(bytes.subarray(at, at + length))
  expect(hash.hex()).toBe(expected)
})

test('two hashes at once keep apart, and nothing has a digest as well', async () => {
  const [one, other, none] = [createSha256(), createSha256(), createSha256()]
  await Promise.all([one.update(bytes), other.update(bytes.subarray(1)), none.update(Buffer.alloc(0))])
  expect(one.hex()).toBe(expected)
  expect(other.hex()).toBe(createHash('sha256').update(bytes.subarray(1)).digest('hex'))
  expect(none.hex()).toBe(createHash('sha256').digest('hex'))
})

test('the thread that asks is free meanwhile', async () => {
  const hash = createSha256()
  let isHashed = false
  const hashed = hash.update(Buffer.alloc(64 << 20)).then(() => {
    isHashed = true
  })
  await new Promise(setImmediate)
  expect(isHashed).toBe(false)
  await hashed
})
