/** Reads a container's log from its file: the end of it, from a cursor on, and as it grows. */
import { watch } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { LogLine, LogOptions } from './containers.ts'
import { createLogParser, parseCursor } from './log-lines.ts'

const chunkBytes = 64 * 1024
/** The kernel tells of new lines; this is for the case that it could not. */
const lookAgainMs = 1_000

export interface LogSource {
  path: string
  /** `gone` once the container is removed; nothing more is written unless it is `running`. */
  state(): 'running' | 'ended' | 'gone'
}

export async function* readLog(source: LogSource, options: LogOptions = {}): AsyncIterable<LogLine> {
  const { follow = false, tail, after, signal } = options
  const file = await open(source.path, 'r')
  try {
    const cursor = after === undefined ? null : parseCursor(after)
    const seen = cursor?.end ?? 0
    const start =
      tail === undefined ? (cursor?.again ?? 0) : await startOfTail(file, tail, cursor?.again ?? 0)
    const parser = createLogParser(start)
    const isNew = (line: LogLine) => parseCursor(line.cursor).end > seen
    const last: LogLine[] = []
    let position = start
    let isBehind = tail !== undefined
    const buffer = Buffer.alloc(chunkBytes)
    const changes = watchFile(source.path, signal)
    try {
      for (;;) {
        signal?.throwIfAborted()
        // Asked before the read: what was written until it ended is then surely read.
        const state = source.state()
        const { bytesRead } = await file.read(buffer, 0, chunkBytes, position)
        position += bytesRead
        const lines = parser.push(Buffer.from(buffer.subarray(0, bytesRead)))
        if (bytesRead === 0 && state !== 'running') lines.push(...parser.flush())
        for (const line of lines.filter(isNew)) {
          if (!isBehind) yield line
          else if (last.push(line) > (tail ?? 0)) last.shift()
        }
        if (bytesRead > 0) continue
        yield* last.splice(0)
        isBehind = false
        if (!follow || state === 'gone') return
        await changes.next()
      }
    } finally {
      changes.close()
    }
  } catch (error) {
    if (!signal?.aborted) throw error
  } finally {
    await file.close()
  }
}

/** A place from which on at least `count` whole lines follow, found from the end, never before `from`. */
async function startOfTail(file: FileHandle, count: number, from: number): Promise<number> {
  const { size } = await file.stat()
  for (let window = chunkBytes; ; window *= 4) {
    const start = Math.max(from, size - window)
    if (start === from) return from
    const bytes = Buffer.alloc(size - start)
    await file.read(bytes, 0, bytes.length, start)
    const first = bytes.indexOf(10) + 1
    // The first line of each stream may lack what stands before.
    if (createLogParser(0).push(bytes.subarray(first)).length >= count + 2) return start + first
  }
}

function watchFile(path: string, signal?: AbortSignal) {
  let wake = () => {}
  let changed = false
  const change = () => {
    changed = true
    wake()
  }
  const watcher = watch(path, { persistent: false }, change)
  watcher.on('error', () => {})
  signal?.addEventListener('abort', change)
  return {
    async next(): Promise<void> {
      if (!changed)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, lookAgainMs)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      changed = false
    },
    close() {
      watcher.close()
      signal?.removeEventListener('abort', change)
    },
  }
}
