/** Reads a container's log: the end of it, from a cursor or a time on, and as it grows. */
import { existsSync, watch } from 'node:fs'
import { EngineError } from '../errors.ts'
import type { LogLine, LogOptions } from './containers.ts'
import { type LogReader, logSegments, openLogReader } from './log-files.ts'
import { createLogParser, parseCursor } from './log-lines.ts'

const chunkBytes = 64 * 1024
/** The kernel tells of new lines; this is for the case that it could not. */
const lookAgainMs = 1_000

export interface LogSource {
  folder: string
  /** `gone` once the container is removed; nothing more is written unless it is `running`. */
  state(): 'running' | 'ended' | 'gone'
}

export async function* readLog(source: LogSource, options: LogOptions = {}): AsyncIterable<LogLine> {
  const { follow = false, tail, after, stream, signal } = options
  const since = options.since === undefined ? null : nanoseconds(options.since)
  const until = options.until === undefined ? null : nanoseconds(options.until)
  const cursor = after === undefined ? null : parseCursor(after)
  const seen = cursor?.end ?? 0
  const reader = openLogReader(source.folder)
  const changes = watchFolder(source.folder, signal)
  try {
    let position = await startOf(reader, source.folder, { after: cursor?.again ?? 0, tail, since, until })
    const parser = createLogParser(position)
    const isAsked = (line: LogLine) =>
      parseCursor(line.cursor).end > seen &&
      (stream === undefined || line.stream === stream) &&
      (since === null || line.time >= since) &&
      (until === null || line.time <= until)
    const last: LogLine[] = []
    let isBehind = tail !== undefined
    const buffer = Buffer.alloc(chunkBytes)
    for (;;) {
      signal?.throwIfAborted()
      // Asked before the read: what was written until it ended is then surely read.
      const state = source.state()
      const isOver = until !== null && nanoseconds(new Date().toISOString()) > until
      const { at, bytesRead } = await reader.read(buffer, position)
      const lines = at === position ? [] : parser.skipTo(at)
      position = at + bytesRead
      lines.push(...parser.push(Buffer.from(buffer.subarray(0, bytesRead))))
      if (bytesRead === 0 && state !== 'running') lines.push(...parser.flush())
      for (const line of lines.filter(isAsked)) {
        if (!isBehind) yield line
        else if (last.push(line) > (tail ?? 0)) last.shift()
      }
      if (bytesRead > 0) continue
      yield* last.splice(0)
      isBehind = false
      if (!follow || state === 'gone' || isOver) return
      await changes.next()
    }
  } catch (error) {
    if (!signal?.aborted) throw error
  } finally {
    changes.close()
    await reader.close()
  }
}

async function startOf(
  reader: LogReader,
  folder: string,
  options: { after: number; tail: number | undefined; since: string | null; until: string | null },
): Promise<number> {
  const { after, tail, since, until } = options
  const from = since === null ? after : Math.max(after, startOfTime(folder, since))
  // Lines to an earlier time can't be counted from the end.
  return tail === undefined || until !== null ? from : startOfTail(reader, tail, from)
}

/** A file that was last written before it holds nothing of that time. */
function startOfTime(folder: string, since: string): number {
  const segments = logSegments(folder)
  const found = segments.find(({ changedAt }) => new Date(changedAt + 1_000).toISOString() >= since)
  // A line may have begun in the file before.
  const before = found ? segments[segments.indexOf(found) - 1] : segments.at(-1)
  return before?.start ?? 0
}

/** A place from which on at least `count` whole lines follow, found from the end, never before `from`. */
async function startOfTail(reader: LogReader, count: number, from: number): Promise<number> {
  const { start: begin, end } = reader.bounds()
  for (let window = chunkBytes; ; window *= 4) {
    const start = Math.max(from, begin, end - window)
    if (start <= Math.max(from, begin)) return start
    const bytes = await readAll(reader, start, end)
    const first = bytes.indexOf(10) + 1
    // The first line of each stream may lack what stands before.
    if (createLogParser(0).push(bytes.subarray(first)).length >= count + 2) return start + first
  }
}

async function readAll(reader: LogReader, start: number, end: number): Promise<Buffer> {
  const bytes = Buffer.alloc(end - start)
  for (let done = 0; done < bytes.length; ) {
    const { at, bytesRead } = await reader.read(bytes.subarray(done), start + done)
    if (bytesRead === 0 || at !== start + done) return bytes.subarray(0, done)
    done += bytesRead
  }
  return bytes
}

/** A time as lines have it, so that they compare as text. Throws invalid. */
function nanoseconds(time: string): string {
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/.test(time)) return time
  const parsed = new Date(time)
  if (Number.isNaN(parsed.getTime())) throw new EngineError('invalid', `${time} is no time`)
  return parsed.toISOString().replace('Z', '000000Z')
}

/** Of a folder, since a log goes on in another file. It may be gone already. */
function watchFolder(path: string, signal?: AbortSignal) {
  let wake = () => {}
  let changed = false
  const change = () => {
    changed = true
    wake()
  }
  const watcher = existsSync(path) ? watch(path, { persistent: false }, change) : null
  watcher?.on('error', () => {})
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
      watcher?.close()
      signal?.removeEventListener('abort', change)
    },
  }
}
