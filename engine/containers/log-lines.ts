/**
 * Lines from conmon's log, `TIME STREAM F|P TEXT`: F ends a line, P is a part of one. Parts of the two streams may
 * stand between one another, so a cursor says where to read again from as well as which lines were seen. Pure.
 */
import { EngineError } from '../errors.ts'
import type { LogLine } from './containers.ts'

/** Longer lines are cut into several of this length. */
const maxLineBytes = 256 * 1024

interface Pending {
  time: string
  start: number
  text: Buffer[]
  bytes: number
}

export interface LogParser {
  /** The next bytes of the file. Whole lines come back, in the order in which they ended. */
  push(chunk: Buffer): LogLine[]
  /** What is between was removed: what was begun before it ends there. */
  skipTo(position: number): LogLine[]
  /** The program has ended: what it wrote last without an end of line. */
  flush(): LogLine[]
}

/** @param position where in the file the first pushed byte is. */
export function createLogParser(position: number): LogParser {
  const pending = new Map<LogLine['stream'], Pending>()
  let rest: Buffer = Buffer.alloc(0)
  let at = position

  function finish(stream: LogLine['stream'], end: number): LogLine | null {
    const parts = pending.get(stream)
    if (!parts) return null
    pending.delete(stream)
    const again = Math.min(end, ...[...pending.values()].map(({ start }) => start))
    const text = Buffer.concat(parts.text).toString('utf8')
    return { time: parts.time, stream, text, cursor: `${again}.${end}` }
  }

  function readRecord(record: Buffer, start: number, end: number): LogLine | null {
    const header = /^(\S+) (stdout|stderr) ([FP])(?: |$)/.exec(record.subarray(0, 80).toString('latin1'))
    if (!header) return null
    const stream = header[2] as LogLine['stream']
    const text = record.subarray(header[0].length)
    const parts = pending.get(stream) ?? { time: utc(header[1] ?? ''), start, text: [], bytes: 0 }
    parts.text.push(text)
    parts.bytes += text.length
    pending.set(stream, parts)
    return header[3] === 'F' || parts.bytes >= maxLineBytes ? finish(stream, end) : null
  }

  function flush(): LogLine[] {
    return [...pending.keys()].map((stream) => finish(stream, at)).filter((line) => line !== null)
  }

  return {
    push(chunk) {
      const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
      const lines: LogLine[] = []
      let from = 0
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
        const line = readRecord(bytes.subarray(from, end), at + from, at + end + 1)
        if (line) lines.push(line)
        from = end + 1
      }
      at += from
      rest = Buffer.from(bytes.subarray(from))
      return lines
    },
    skipTo(next) {
      const lines = flush()
      rest = Buffer.alloc(0)
      at = next
      return lines
    },
    flush,
  }
}
/** conmon writes local time with nine digits: 2026-01-31T09:00:00.123456789+01:00. */
function utc(time: string): string {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d+)(Z|[+-]\d\d:\d\d)$/.exec(time)
  if (!parts) return time
  const seconds = new Date(`${parts[1]}${parts[3]}`).toISOString().slice(0, 19)
  return `${seconds}.${(parts[2] ?? '').padEnd(9, '0')}Z`
}

/** Throws invalid. */
export function parseCursor(cursor: string): { again: number; end: number } {
  const parts = /^(\d{1,15})\.(\d{1,15})$/.exec(cursor)
  if (!parts) throw new EngineError('invalid', `${cursor} is no cursor of a log`)
  return { again: Number(parts[1]), end: Number(parts[2]) }
}
