/** Messages to a name server, and back: RFC 1035, 4. */
import { randomInt } from 'node:crypto'

export const types = { soa: 6, txt: 16, tsig: 250 } as const
export const classes = { in: 1, none: 254, any: 255 } as const
const opcodes = { query: 0, update: 5 } as const

/** What a server says, as far as anybody here wants to know it. */
export interface Answer {
  id: number
  code: number
  /** Of all sections but the first. */
  records: { name: string; type: number; start: number; data: Buffer }[]
}

/** Without compression, in lower case: as signatures want it. */
export function wireName(name: string): Buffer {
  const labels = name.toLowerCase().split('.')
  return Buffer.concat([...labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]), end])
}
const end = Buffer.from([0])

export function u16(...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 2)
  for (const [at, number] of numbers.entries()) bytes.writeUInt16BE(number, at * 2)
  return bytes
}

export function newMessageId(): number {
  return randomInt(0x10000)
}

/** Whose zone a name is in: where it is no zone itself, the answer says that beside. */
export function soaQuery(id: number, name: string): Buffer {
  return Buffer.concat([u16(id, opcodes.query << 11, 1, 0, 0, 0), wireName(name), u16(types.soa, classes.in)])
}

/** Adds a TXT record beside those that are there, or takes this one away: RFC 2136, 2.5.1 and 2.5.4. */
export function textUpdate(
  id: number,
  zone: string,
  {
    action,
    name,
    value,
    ttlSeconds,
  }: { action: 'set' | 'clear'; name: string; value: string; ttlSeconds: number },
): Buffer {
  const text = Buffer.from(value)
  const isSet = action === 'set'
  return Buffer.concat([
    u16(id, opcodes.update << 11, 1, 0, 1, 0),
    ...[wireName(zone), u16(types.soa, classes.in)],
    ...[wireName(name), u16(types.txt, isSet ? classes.in : classes.none, 0, isSet ? ttlSeconds : 0)],
    ...[u16(text.length + 1), Buffer.from([text.length]), text],
  ])
}

/** Throws RangeError for what is no message. */
export function readAnswer(bytes: Buffer): Answer {
  const [id, flags] = [bytes.readUInt16BE(0), bytes.readUInt16BE(2)]
  const questions = bytes.readUInt16BE(4)
  const count = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10)
  let at = 12
  for (let left = questions; left > 0; left--) at = readName(bytes, at).next + 4
  const records: Answer['records'] = []
  for (let left = count; left > 0; left--) {
    const { name, next } = readName(bytes, at)
    const length = bytes.readUInt16BE(next + 8)
    const data = bytes.subarray(next + 10, next + 10 + length)
    if (data.length !== length) throw new RangeError('a record is cut off')
    records.push({ name, type: bytes.readUInt16BE(next), start: at, data })
    at = next + 10 + length
  }
  return { id, code: flags & 15, records }
}

/** Follows pointers, which lead backwards only. */
export function readName(bytes: Buffer, start: number): { name: string; next: number } {
  const labels: string[] = []
  let at = start
  let next: number | null = null
  let before = start
  for (;;) {
    const length = bytes.readUInt8(at)
    if (length >= 0xc0) {
      next ??= at + 2
      const to = bytes.readUInt16BE(at) & 0x3fff
      if (to >= before) throw new RangeError('a name leads nowhere')
      before = at = to
      continue
    }
    if (length === 0) return { name: labels.join('.').toLowerCase(), next: next ?? at + 1 }
    if (length > 63 || labels.length > 127) throw new RangeError('a name is too long')
    labels.push(bytes.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
}
