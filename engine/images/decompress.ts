import { PassThrough, type Readable, type Transform } from 'node:stream'
import zlib from 'node:zlib'

/**
 * A stream that decompresses what `source` begins with: gzip and zstd by their magic numbers, whatever the media type
 * claims; anything else passes as it is. Takes nothing from `source`.
 */
export async function decompress(source: Readable): Promise<Transform> {
  const head = await peek(source, 4)
  if (head[0] === 0x1f && head[1] === 0x8b) return zlib.createGunzip({ chunkSize: 1 << 18 })
  const magic = head.length >= 4 ? head.readUInt32LE(0) : 0
  const isZstd = magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50
  if (isZstd) return zlib.createZstdDecompress({ chunkSize: 1 << 18 })
  return new PassThrough()
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
