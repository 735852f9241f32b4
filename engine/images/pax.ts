/** What tar-stream leaves out of PAX headers. Source: pax(1), "pax Extended Header". */
import type tar from 'tar-stream'
import type { Header } from 'tar-stream'
import { EngineError } from '../errors.ts'

const prefix = 'SCHILY.xattr.'
const maxId = 2 ** 32 - 2

/**
 * Reads the extended attributes of entries as bytes; tar-stream makes text of them, which loses capabilities. The
 * answered function gives those of the entry at hand, once.
 */
export function watchAttributes(extract: tar.Extract): () => Map<string, Buffer> {
  const inner = extract as unknown as {
    _header: { type: string }
    _decodeLongHeader(header: Buffer): void
  }
  const decode = inner._decodeLongHeader.bind(extract)
  let latest = new Map<string, Buffer>()
  inner._decodeLongHeader = (header) => {
    if (inner._header.type === 'pax-header') latest = readAttributes(header)
    decode(header)
  }
  return () => {
    const attributes = latest
    latest = new Map()
    return attributes
  }
}

/** Records are `LENGTH KEY=VALUE\n`, where the length counts itself and the newline. */
export function readAttributes(header: Buffer): Map<string, Buffer> {
  const attributes = new Map<string, Buffer>()
  for (let at = 0; at < header.length; ) {
    const space = header.indexOf(0x20, at)
    const length = Number(header.toString('latin1', at, space))
    if (space < 0 || !Number.isSafeInteger(length) || length <= space - at) break
    const record = header.subarray(space + 1, at + length - 1)
    const equals = record.indexOf(0x3d)
    const key = record.toString('utf8', 0, Math.max(equals, 0))
    if (key.startsWith(prefix)) attributes.set(key.slice(prefix.length), record.subarray(equals + 1))
    at += length
  }
  return attributes
}

/** Owner of an entry: the PAX header says what the old fields have no room for. */
export function ownerOf(header: Header): { uid: number; gid: number } {
  const { uid, gid, name } = header
  const pax = recordsOf(header)
  const owner = { uid: Number(pax.uid ?? uid ?? 0), gid: Number(pax.gid ?? gid ?? 0) }
  for (const id of [owner.uid, owner.gid])
    if (!Number.isInteger(id) || id < 0 || id > maxId)
      throw new EngineError('corrupt', `${JSON.stringify(name.slice(0, 200))} has an owner that cannot be`)
  return owner
}

/** Seconds since 1970 at which an entry was last changed; 0 when it does not say. */
export function timeOf(header: Header): number {
  const said = recordsOf(header).mtime
  const seconds = said === undefined ? (header.mtime?.getTime() ?? 0) / 1_000 : Number(said)
  // What no file system can keep.
  return Number.isFinite(seconds) && Math.abs(seconds) < 2 ** 40 ? seconds : 0
}

function recordsOf({ pax }: Header): Partial<Record<string, string>> {
  return pax ?? {}
}
