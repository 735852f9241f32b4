/** A tar as a stream, made while it is read. */
import { Readable } from 'node:stream'
import tar, { type Pack } from 'tar-stream'
import { EngineError } from '../errors.ts'

/** A reader that takes nothing for so long has gone away. */
const idleMs = 120_000

/** What `work` throws fails the stream; the signal, and a reader that went away, end the work. */
export function packed(work: (pack: Pack) => Promise<void>, signal?: AbortSignal): Readable {
  const pack = tar.pack()
  const failures: unknown[] = []
  const fail = (error: unknown) => {
    failures.push(error)
    pack.destroy(error as Error)
  }
  const giveUp = () => fail(new EngineError('canceled', 'the copy was given up'))
  // Told by the one that reads.
  pack.on('error', () => {})
  signal?.addEventListener('abort', giveUp, { once: true })
  work(pack).then(() => pack.finalize(), fail)

  async function* chunks(): AsyncIterable<Buffer> {
    try {
      if (failures.length > 0) throw failures[0]
      for await (const chunk of pack as AsyncIterable<Buffer>) {
        const timer = setTimeout(giveUp, idleMs)
        try {
          yield chunk
        } finally {
          clearTimeout(timer)
        }
      }
      if (failures.length > 0) throw failures[0]
    } finally {
      signal?.removeEventListener('abort', giveUp)
    }
  }
  return Readable.from(chunks(), { objectMode: false })
}
