/** Bodies of answers: never larger, and never slower, than we are ready to wait for. */
import { EngineError } from '../errors.ts'
import { errorFromFetch } from './failures.ts'

const nextChunkWithinMs = 60_000

/** Chunks as they come. Throws unavailable when the next one does not, and ends the connection when nobody reads on. */
export async function* chunksOf(body: ReadableStream<Uint8Array>, what: string): AsyncGenerator<Buffer> {
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await inTime(reader.read(), what)
      if (done) return
      yield Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    }
  } finally {
    // Not waited for: a connection that stalls may never say that it is closed.
    reader.cancel().catch(() => {})
  }
}

function inTime<T>(reading: Promise<T>, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const stalled = () =>
      reject(
        new EngineError(
          'unavailable',
          `the registry sent nothing more of ${what} for ${nextChunkWithinMs / 1_000} s`,
        ),
      )
    const timer = setTimeout(stalled, nextChunkWithinMs)
    reading.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** A whole small body. Throws limit-exceeded, and unavailable when it breaks off. */
export async function readBody(
  response: Response,
  maxBytes: number,
  what: string,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  if (response.body === null) return Buffer.alloc(0)
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of chunksOf(response.body, what)) {
      size += chunk.length
      if (size > maxBytes) throw new EngineError('limit-exceeded', `${what} is larger than ${maxBytes} bytes`)
      chunks.push(chunk)
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw errorFromFetch(error, what, new URL(response.url).host)
  }
  return Buffer.concat(chunks)
}
