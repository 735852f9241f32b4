import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { hasIsal, inflateGzip } from '../../../engine/sys/isal.ts'

async function* inPieces(bytes: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

async function inflated(bytes: Buffer, length = bytes.length): Promise<Buffer> {
  const all: Buffer[] = []
  // What is yielded is overwritten later.
  for await (const chunk of inflateGzip(inPieces(bytes, length))) all.push(Buffer.from(chunk))
  return Buffer.concat(all)
}

// More than two of its own buffers, of both kinds: what can be packed and what can't.
const text = Buffer.alloc(2_500_001, 'a layer of a layer ')
const noise = randomBytes(100_000)
const packed = gzipSync(Buffer.concat([text, noise]))

test.runIf(['x64', 'arm64'].includes(process.arch))('libisal is where Berth is installed', () => {
  expect(hasIsal).toBe(true)
})

if (!hasIsal) console.log('libisal is not installed here: nothing to test')
describe.runIf(hasIsal)('inflating with libisal', () => {
  test.each([1_000, 65_536, packed.length])(
    'gives back what was packed, from pieces of %i',
    async (length) => {
      expect((await inflated(packed, length)).equals(Buffer.concat([text, noise]))).toBe(true)
    },
  )

  test('takes members one after the other, wherever a piece ends, and zeros behind the last', async () => {
    const three = Buffer.concat([
      gzipSync('one '),
      gzipSync(''),
      gzipSync(noise, { level: 0 }),
      Buffer.alloc(600),
    ])
    for (const length of [1, 7, three.length])
      expect((await inflated(three, length)).equals(Buffer.concat([Buffer.from('one '), noise]))).toBe(true)
  })

  test.each([
    ['an end in the middle', packed.subarray(0, packed.length / 2), 'unexpected end'],
    ['an end in the checksum', packed.subarray(0, -3), 'unexpected end'],
    ['a wrong checksum', changed(packed, packed.length - 6), 'libisal says -6'],
    [
      'what is no member behind one',
      Buffer.concat([packed, Buffer.from('no gzip at all')]),
      'libisal says -4',
    ],
    ['another method than deflate', changed(packed, 2), 'libisal says -5'],
  ])('refuses %s', async (_what, bytes, why) => {
    await expect(inflated(bytes, 10_000)).rejects.toMatchObject({
      kind: 'corrupt',
      message: expect.stringContaining(why),
    })
  })

  test('holds no more of what unpacks to much than two buffers', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20))
    let largest = 0
    let bytes = 0
    for await (const chunk of inflateGzip(inPieces(bomb, bomb.length))) {
      largest = Math.max(largest, chunk.length)
      bytes += chunk.length
    }
    expect(bytes).toBe(64 * 2 ** 20)
    expect(largest).toBeLessThanOrEqual(2 ** 20)
  })
})

function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}
