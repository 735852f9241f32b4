/** The block that begins an entry of a tar archive. Source: pax(1), "ustar Interchange Format"; tar(5). */
import { EngineError } from '../errors.ts'

export interface TarHeader {
  /** One character, as it stands there. */
  type: string
  name: string
  linkName: string
  mode: number
  uid: number
  gid: number
  /** Bytes that follow. */
  sizeBytes: number
  mtime: number
  /** Of an old GNU sparse file: its size with its holes. */
  realSizeBytes: number
}

/** Null for a block of zeros, which ends an archive. Throws corrupt when the checksum is wrong. */
export function readHeader(block: Buffer): TarHeader | null {
  const { unsigned, signed } = checksums(block)
  if (unsigned === 8 * 0x20) return null
  const said = readNumber(block, 148, 8)
  if (said !== unsigned && said !== signed)
    throw new EngineError('corrupt', 'it is not a tar archive, or a broken one (a checksum is wrong)')
  const type = String.fromCharCode(block[156] ?? 0)
  const magic = block.toString('latin1', 257, 263)
  const name = readText(block, 0, 100)
  // GNU's own format keeps other things where POSIX has the start of a long name.
  const prefix = magic === 'ustar\0' ? readText(block, 345, 155) : ''
  return {
    type,
    name: prefix === '' ? name : `${prefix}/${name}`,
    linkName: readText(block, 157, 100),
    mode: readNumber(block, 100, 8),
    uid: readCount(block, 108, 8, 'an owner'),
    gid: readCount(block, 116, 8, 'a group'),
    sizeBytes: readCount(block, 124, 12, 'a size'),
    mtime: readNumber(block, 136, 12),
    realSizeBytes: type === 'S' ? readCount(block, 483, 12, 'a size') : 0,
  }
}

/** Of all bytes, with blanks for the checksum itself. Some archivers of old summed signed bytes. */
function checksums(block: Buffer): { unsigned: number; signed: number } {
  let unsigned = 8 * 0x20
  let high = 0
  for (let index = 0; index < 512; index++) {
    if (index === 148) index = 156
    const byte = block[index] ?? 0
    unsigned += byte
    if (byte > 127) high++
  }
  return { unsigned, signed: unsigned - 256 * high }
}

function readText(block: Buffer, from: number, length: number): string {
  const end = block.indexOf(0, from)
  return block.toString('latin1', from, end < 0 || end > from + length ? from + length : end)
}

export function readCount(block: Buffer, from: number, length: number, what: string): number {
  const value = readNumber(block, from, length)
  if (value < 0) throw new EngineError('corrupt', `it has ${what} below zero`)
  if (!Number.isSafeInteger(value)) throw new EngineError('limit-exceeded', `it has ${what} that cannot be`)
  return value
}

/** Octal digits, or big-endian bytes behind a set highest bit. */
function readNumber(block: Buffer, from: number, length: number): number {
  const first = block[from] ?? 0
  if ((first & 0x80) === 0) {
    let value = 0
    for (let index = from; index < from + length; index++) {
      const digit = (block[index] ?? 0) - 0x30
      if (digit >= 0 && digit < 8) value = value * 8 + digit
      else if (value > 0 || digit === -0x30) break
    }
    return value
  }
  const isNegative = (first & 0x40) !== 0
  let value = isNegative ? (first & 0x7f) - 128 : first & 0x3f
  for (let index = from + 1; index < from + length; index++) value = value * 256 + (block[index] ?? 0)
  return value
}
