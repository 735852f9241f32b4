import type { FileHandle } from 'node:fs/promises'

const mostWaitingBytes = 1 << 20

export interface Appender {
  /** Answers when there is room for more. Throws what an earlier write threw. */
  write(chunk: Buffer): Promise<void>
  /** Answers when all is written. */
  end(): Promise<void>
}

/**
 * Writes to a file, from `offset` on, what comes in small chunks: at once, and what comes during one write together with
 * the next. At most two batches are in memory.
 * @param onWritten called with how far the file is written
 */
export function createAppender(
  file: FileHandle,
  offset: number,
  onWritten: (bytes: number) => void = () => {},
): Appender {
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let at = offset
  let writing: Promise<void> | null = null

  async function writeWaiting(): Promise<void> {
    while (waiting.length > 0) {
      let batch = waiting
      waiting = []
      waitingBytes = 0
      while (batch.length > 0) {
        const { bytesWritten } = await file.writev(batch, at)
        at += bytesWritten
        batch = after(batch, bytesWritten)
      }
      onWritten(at)
    }
    writing = null
  }

  return {
    async write(chunk) {
      waiting.push(chunk)
      waitingBytes += chunk.length
      if (writing === null) {
        writing = writeWaiting()
        // Told to whoever writes or ends next: a write that failed is never over.
        writing.catch(() => {})
      }
      if (waitingBytes >= mostWaitingBytes) await writing
    },
    async end() {
      await writing
    },
  }
}

/** What of some chunks is left behind their first bytes. */
function after(chunks: Buffer[], bytes: number): Buffer[] {
  let left = bytes
  const first = chunks.findIndex((chunk) => {
    if (left < chunk.length) return true
    left -= chunk.length
    return false
  })
  return first < 0 ? [] : [chunks[first]?.subarray(left) ?? Buffer.alloc(0), ...chunks.slice(first + 1)]
}
