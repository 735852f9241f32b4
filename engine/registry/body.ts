/** Bodies of answers: never larger, and never slower, than we are ready to wait for. */
import type { IncomingMessage } from 'node:http'
import { EngineError } from '../errors.ts'
import { errorFromConnection } from './failures.ts'
import type { Limits } from './limits.ts'

export type BodyLimits = Pick<Limits, 'stallMs' | 'bodyMs' | 'slowestBytesPerSecond'>

/**
 * Chunks as they come, with no copy. Throws unavailable when the next one does not come, when all of them come too
 * slowly (only the time that we wait for the registry counts), and when they break off; ends the connection when
 * nobody reads on.
 */
export async function* chunksOf(
  body: IncomingMessage,
  what: string,
  host: string,
  limits: BodyLimits,
): AsyncGenerator<Buffer> {
  let waitedMs = 0
  let bytes = 0
  const iterator = body.iterator({ destroyOnReturn: true })[Symbol.asyncIterator]()
  try {
    for (;;) {
      const allowedMs = limits.bodyMs + (bytes / limits.slowestBytesPerSecond) * 1_000
      const since = performance.now()
      const { done, value } = await inTime(
        iterator.next(),
        Math.min(limits.stallMs, allowedMs - waitedMs),
        () =>
          allowedMs - waitedMs < limits.stallMs
            ? `${host} sends ${what} at less than ${limits.slowestBytesPerSecond} bytes a second`
            : `${host} sent nothing more of ${what} for ${limits.stallMs / 1_000} s`,
      )
      waitedMs += performance.now() - since
      if (done) return
      bytes += value.length
      yield value
    }
  } catch (error) {
    throw errorFromConnection(error, what, host)
  } finally {
    if (!body.readableEnded) body.destroy()
  }
}

function inTime<T>(reading: Promise<T>, limitMs: number, sentence: () => string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new EngineError('unavailable', sentence())), Math.max(0, limitMs))
    reading.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** A whole small body. Throws limit-exceeded, and unavailable when it breaks off. */
export async function readBody(
  body: IncomingMessage,
  maxBytes: number,
  what: string,
  host: string,
  limits: BodyLimits,
): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  const tooLarge = () =>
    new EngineError('limit-exceeded', `${what} is larger than ${maxBytes} bytes at ${host}`)
  if (Number(body.headers['content-length']) > maxBytes) {
    body.destroy()
    throw tooLarge()
  }
  for await (const chunk of chunksOf(body, what, host, limits)) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

/** Reads away what nobody wants, so that the connection can be used again; what is long, or slow, is cut off. */
export async function discard(body: IncomingMessage): Promise<void> {
  const quick = { stallMs: 1_000, bodyMs: 1_000, slowestBytesPerSecond: 2 ** 30 }
  await readBody(body, 65_536, 'an answer', 'it', quick).catch(() => body.destroy())
}
