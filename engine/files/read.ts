import { constants, type Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { EngineError } from '../errors.ts'
import type { FileContent } from './file-tree.ts'
import { itself, refuseKernels, shown } from './nodes.ts'

const { O_RDONLY, O_NONBLOCK } = constants
const chunkBytes = 256 * 1024
/** A reader that takes nothing for so long has gone away. */
const idleMs = 60_000

/**
 * Hands a held file's content to `give`, and resolves when it was read, or nobody reads it any more.
 * @param fd of what was held by O_PATH; `ended` stops it at any time.
 */
export async function readFile(
  { fd, stats, path }: { fd: number; stats: Stats; path: Buffer },
  { maxBytes, ended }: { maxBytes: number; ended: AbortSignal },
  give: (content: FileContent) => void,
): Promise<void> {
  if (!stats.isFile()) throw new EngineError('invalid', `${shown(path)} is no file that can be read`)
  refuseKernels(fd, path)
  if (stats.size > maxBytes)
    throw new EngineError('limit-exceeded', `${shown(path)} has more than ${maxBytes} bytes`)
  const file = await open(itself(fd), O_RDONLY | O_NONBLOCK)
  try {
    async function* chunks(): AsyncIterable<Buffer> {
      for (let at = 0; at < stats.size; ) {
        const { bytesRead, buffer } = await file.read({
          ...{ buffer: Buffer.allocUnsafe(chunkBytes), position: at },
          length: Math.min(chunkBytes, stats.size - at),
        })
        if (bytesRead === 0)
          throw new EngineError('failed-precondition', `${shown(path)} became shorter while it was read`)
        at += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
    }
    const stream = Readable.from(chunks(), { objectMode: false, highWaterMark: chunkBytes })
    await lentTo(stream, ended, () => give({ sizeBytes: stats.size, changedAt: stats.mtime, stream }))
  } finally {
    await file.close()
  }
}

/** Gives a stream away and waits for its end, which comes too when nobody takes anything of it for long. */
export async function lentTo(stream: Readable, ended: AbortSignal, give: () => void): Promise<void> {
  const giveUp = () => stream.destroy(new EngineError('canceled', 'the transfer was given up'))
  const timer = setTimeout(giveUp, idleMs)
  // Told by whoever reads.
  stream.on('error', () => {})
  const readOn = stream._read.bind(stream)
  stream._read = (size) => {
    timer.refresh()
    readOn(size)
  }
  ended.addEventListener('abort', giveUp, { once: true })
  if (ended.aborted) giveUp()
  give()
  try {
    await finished(stream, { writable: false }).catch(() => undefined)
  } finally {
    clearTimeout(timer)
    ended.removeEventListener('abort', giveUp)
  }
}
