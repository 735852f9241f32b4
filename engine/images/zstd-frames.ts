/**
 * Cuts a zstd stream at the ends of its frames. Node's decompressor drops what stands behind a frame in the same chunk
 * (24.21), and takes it when it comes as a chunk of its own; frames that carry no data (zstd:chunked ends with one) are
 * left out. Source: RFC 8878, section 3.1.
 */
import { Transform } from 'node:stream'
import { EngineError } from '../errors.ts'

const frameMagic = 0xfd2fb528
const isSkippable = (magic: number) => (magic & 0xfffffff0) >>> 0 === 0x184d2a50

/** What comes next: a field of so many bytes to be read, or so many bytes to be passed on or dropped. */
type Next =
  | { kind: 'magic' | 'skip size' | 'descriptor' | 'block header'; bytes: number }
  | { kind: 'pass'; bytes: number; follows: Next | 'end' }
  | { kind: 'drop'; bytes: number }

const magicNext: Next = { kind: 'magic', bytes: 4 }
const blockNext: Next = { kind: 'block header', bytes: 3 }

export function isZstd(magic: number): boolean {
  return magic === frameMagic || isSkippable(magic)
}

export function cutFrames(): Transform {
  let next: Next = magicNext
  let field: Buffer = Buffer.alloc(0)
  let hasChecksum = false

  /** What follows a field that is complete. */
  function read(): Next {
    switch (next.kind) {
      case 'magic': {
        const magic = field.readUInt32LE(0)
        if (isSkippable(magic)) return { kind: 'skip size', bytes: 4 }
        if (magic === frameMagic) return { kind: 'descriptor', bytes: 1 }
        throw new EngineError('corrupt', 'it cannot be decompressed (something behind a zstd frame is none)')
      }
      case 'skip size':
        return { kind: 'drop', bytes: field.readUInt32LE(0) }
      case 'descriptor': {
        const descriptor = field[0] ?? 0
        const isSingle = (descriptor & 0x20) !== 0
        hasChecksum = (descriptor & 0x04) !== 0
        const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
        const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
        return { kind: 'pass', bytes: (isSingle ? 0 : 1) + dictionaryBytes + sizeBytes, follows: blockNext }
      }
      default: {
        const header = field.readUIntLE(0, 3)
        const isRun = ((header >> 1) & 3) === 1
        const isLast = (header & 1) === 1
        const end: Next | 'end' = hasChecksum ? { kind: 'pass', bytes: 4, follows: 'end' } : 'end'
        return { kind: 'pass', bytes: isRun ? 1 : header >> 3, follows: isLast ? end : blockNext }
      }
    }
  }

  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        let at = 0
        // What is passed on lies between `from` and `at`.
        let from = 0
        const flush = () => {
          if (at > from) this.push(chunk.subarray(from, at))
          from = at
        }
        for (;;) {
          while (next.bytes === 0 && (next.kind === 'pass' || next.kind === 'drop')) {
            if (next.kind === 'drop' || next.follows === 'end') {
              if (next.kind === 'pass') flush()
              next = magicNext
            } else next = next.follows
          }
          if (at === chunk.length) break
          const part = chunk.subarray(
            at,
            at + next.bytes - (next.kind === 'pass' || next.kind === 'drop' ? 0 : field.length),
          )
          if (next.kind === 'pass' || next.kind === 'drop') {
            at += part.length
            if (next.kind === 'drop') from = at
            next = { ...next, bytes: next.bytes - part.length }
            continue
          }
          // Magic numbers and sizes of frames without data are not passed on before it is known what they are.
          const isHeld = next.kind === 'magic' || next.kind === 'skip size'
          if (isHeld) flush()
          at += part.length
          if (isHeld) from = at
          field = Buffer.concat([field, part])
          if (field.length < next.bytes) continue
          if (next.kind === 'magic' && field.readUInt32LE(0) === frameMagic) this.push(field)
          next = read()
          field = Buffer.alloc(0)
        }
        flush()
        done()
      } catch (error) {
        done(error as Error)
      }
    },
    flush(done) {
      const isBetween = next.kind === 'magic' && field.length === 0
      done(
        isBetween ? null : new EngineError('corrupt', 'it cannot be decompressed (a zstd frame breaks off)'),
      )
    },
  })
}
