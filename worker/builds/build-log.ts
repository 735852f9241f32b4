/** A build's lines on their way to whoever follows them, in order; of an endless log the beginning. */
import type { BuildLine } from '../../platform/model/builds.ts'
import type { Platform } from '../../platform/open.ts'
import { appendBuildLines } from '../../platform/worker/builds.ts'

const maxBytes = 5 * 2 ** 20
const maxLines = 50_000
const everyMs = 100
const kept = 50

export interface BuildLog {
  say(stream: BuildLine['stream'], text: string): void
  /** What may be shown of a text that the build said. */
  masked(text: string): string
  /** The last lines, oldest first. */
  last(): string[]
  /** Waits until all of it was handed over. */
  close(): Promise<void>
}

/** @param secrets values that are never written, whoever prints them. */
export function createBuildLog(
  platform: Platform,
  deploymentId: string,
  secrets: readonly string[],
): BuildLog {
  const hidden = wordsOf(secrets)
  const last: string[] = []
  let waiting: BuildLine[] = []
  let bytes = 0
  let lines = 0
  let isFull = false
  let sending: Promise<void> = Promise.resolve()
  const timer = setInterval(flush, everyMs)

  function flush(): void {
    if (waiting.length === 0) return
    const batch = waiting
    waiting = []
    sending = sending.then(() => appendBuildLines(platform, deploymentId, batch))
  }

  function push(stream: BuildLine['stream'], text: string): void {
    waiting.push({ at: new Date().toISOString(), stream, text })
    if (waiting.length >= 500) flush()
  }

  const masked = (text: string) => hidden.reduce((rest, value) => rest.replaceAll(value, '•••'), text)

  return {
    masked,
    say(stream, said) {
      const text = masked(said)
      if (stream !== 'info') {
        last.push(text)
        if (last.length > kept) last.shift()
      }
      bytes += text.length
      lines += 1
      if (bytes <= maxBytes && lines <= maxLines) return push(stream, text)
      if (isFull) return
      isFull = true
      push('info', 'The log is full: what comes after this is not kept.')
    },
    last: () => [...last],
    async close() {
      clearInterval(timer)
      flush()
      await sending
    },
  }
}

/** A secret of several lines is said line by line; the longest go first, so that none is hidden in part. */
function wordsOf(secrets: readonly string[]): string[] {
  const lines = secrets.flatMap((value) => value.split(/[\r\n]+/).filter((line) => line !== value))
  const words = [
    ...secrets.filter((value) => value.length >= 4),
    ...lines.map((line) => line.trim()).filter((line) => line.length >= 8),
  ]
  return [...new Set(words)].toSorted((a, b) => b.length - a.length)
}
