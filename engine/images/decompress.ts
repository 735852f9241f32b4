import { Duplex, PassThrough, pipeline, Readable } from 'node:stream'
import zlib from 'node:zlib'
import { hasIsal, inflateGzip } from '../sys/isal.ts'
import { cutFrames, isZstd } from './zstd-frames.ts'

/** Several chunks ahead, so that one is inflated on another thread while those before it are worked with. */
const options = { chunkSize: 1 << 18, highWaterMark: 1 << 20 }

/**
 * A stream that decompresses what `source` begins with: gzip and zstd by their magic numbers, whatever the media type
 * claims; anything else passes as it is. Takes nothing from `source`.
 */
export async function decompress(source: Readable): Promise<Duplex> {
  const head = await peek(source, 4)
  if (isGzip(head)) return zlib.createGunzip(options)
  if (head.length >= 4 && isZstd(head.readUInt32LE(0)))
    return inRow(cutFrames(), zlib.createZstdDecompress(options))
  return new PassThrough({ highWaterMark: options.highWaterMark })
}

/**
 * The same, by the fastest means on this host. For a process that has given up all that it could harm only. What is
 * yielded is overwritten when the caller has asked for the next but one.
 */
export async function* decompressFast(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const source = Readable.from(packed, { objectMode: false, highWaterMark: options.highWaterMark })
  if (hasIsal && isGzip(await peek(source, 2))) return yield* inflateGzip(source)
  // Its errors are told by what is read.
  yield* pipeline(source, await decompress(source), () => {})
}

const isGzip = (head: Buffer) => head[0] === 0x1f && head[1] === 0x8b

/** Two streams as one. */
function inRow(first: Duplex, second: Duplex): Duplex {
  // Either one's error ends both, and so the one that is answered.
  pipeline(first, second, () => {})
  return Duplex.from({ writable: first, readable: second })
}

async function peek(source: Readable, length: number): Promise<Buffer> {
  for (;;) {
    const chunk: Buffer | null = source.read()
    if (chunk !== null) {
      source.unshift(chunk)
      return chunk.subarray(0, length)
    }
    if (source.readableEnded || source.destroyed) return Buffer.alloc(0)
    await new Promise<void>((resolve, reject) => {
      const done = () => {
        source.off('readable', done).off('end', done).off('error', failed)
        resolve()
      }
      const failed = (error: Error) => {
        source.off('readable', done).off('end', done)
        reject(error)
      }
      source.once('readable', done).once('end', done).once('error', failed)
    })
  }
}
