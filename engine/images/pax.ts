/** The records of a PAX header. Source: pax(1), "pax Extended Header". */
import { EngineError } from '../errors.ts'

/** Values are bytes. Repeated keys of GNU's first sparse format are gathered under `GNU.sparse.map`. */
export type PaxRecords = Map<string, Buffer>

/** Records are `LENGTH KEY=VALUE\n`, where the length counts itself and the newline. Throws corrupt. */
export function readPax(header: Buffer): PaxRecords {
  const records: PaxRecords = new Map()
  const sparse: string[] = []
  for (let at = 0; at < header.length; ) {
    // Some archivers fill the rest with zeros.
    if (header[at] === 0) break
    const space = header.indexOf(0x20, at)
    const length = Number(header.toString('latin1', at, space))
    const end = at + length
    const equals = header.indexOf(0x3d, space)
    const isWhole = space > at && Number.isSafeInteger(length) && equals > space && equals < end
    if (!isWhole || end > header.length || header[end - 1] !== 0x0a)
      throw new EngineError('corrupt', 'it has a PAX header that is broken')
    const key = header.toString('latin1', space + 1, equals)
    const value = header.subarray(equals + 1, end - 1)
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') sparse.push(value.toString('latin1'))
    else records.set(key, value)
    at = end
  }
  if (sparse.length > 0) records.set('GNU.sparse.map', Buffer.from(sparse.join(',')))
  return records
}
