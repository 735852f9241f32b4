/**
 * Reads a tar archive as it comes, one chunk after the other, without waiting: a layer has tens of thousands of small
 * entries. POSIX ustar and PAX, GNU's long names and its sparse files (three kinds in PAX headers and the old one), and
 * the format from before all of them.
 *
 * Names and attributes are bytes, and stay so: text in this file and in those that use it is latin1, one character a
 * byte. Readers that decode names as UTF-8 lose names, and capabilities, that are not; that is why this is not one of
 * them. Sources: pax(1); GNU tar manual, "Basic Tar Format" and "Storing Sparse Files"; Go's archive/tar.
 */
import { EngineError } from '../errors.ts'
import { shown } from './byte-path.ts'
import { type PaxRecords, readPax } from './pax.ts'
import {
  createSparseMapReader,
  type Extent,
  type ReadSparseMap,
  readOldSparseMap,
  sparseMapIn,
} from './sparse-map.ts'
import { readHeader, type TarHeader } from './tar-header.ts'

export type EntryKind = 'file' | 'link' | 'symlink' | 'folder' | 'fifo' | 'device'

export interface TarEntry {
  kind: EntryKind
  /** As it stands in the archive. */
  name: string
  /** What a link names. */
  linkName: string
  mode: number
  uid: number
  gid: number
  /** Whole seconds since 1970, and nanoseconds above them. */
  mtime: number
  mtimeNanoseconds: number
  /** Bytes of the file once it is written, holes and all. 0 for all other kinds. */
  sizeBytes: number
  /** Extended attributes by name. */
  attributes: Map<string, Buffer>
}

/** What is done with the entries: `begin`, then `content` for what is not a hole, in order, then `end`. */
export interface EntryHandler {
  begin(entry: TarEntry): void
  content(bytes: Buffer, at: number): void
  end(): void
}

const blockBytes = 512
const maxMetadataBytes = 2 ** 20
const maxId = 2 ** 32 - 2

/** What comes next in the archive. */
type State =
  | { at: 'header' }
  | { at: 'metadata'; header: TarHeader; parts: Buffer[]; left: number }
  | { at: 'old sparse map'; header: TarHeader; extents: Extent[] }
  | { at: 'sparse map'; entry: TarEntry; map: ReadSparseMap; left: number }
  | { at: 'content'; extents: Extent[]; index: number; done: number; left: number; packedBytes: number }
  | { at: 'padding'; left: number }
  | { at: 'over' }

export interface TarReader {
  push(chunk: Buffer): void
  /** After the last chunk. Throws corrupt when the archive ends in the middle of something. */
  end(): void
}

export function createTarReader(handler: EntryHandler): TarReader {
  let state: State = { at: 'header' }
  /** Start of a block that the chunk before broke off in. */
  let rest: Buffer = Buffer.alloc(0)
  let zeroBlocks = 0
  let pax: PaxRecords | null = null
  let longName: string | null = null
  let longLink: string | null = null
  let isInEntry = false

  function push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length && state.at !== 'over') at += step(chunk, at)
  }

  /** Takes some of the chunk from `at` on; answers with how much. */
  function step(chunk: Buffer, at: number): number {
    switch (state.at) {
      case 'content':
        return takeContent(state, chunk, at)
      case 'metadata': {
        const part = chunk.subarray(at, at + state.left)
        // A copy: the chunk is not ours to keep.
        state.parts.push(Buffer.from(part))
        state.left -= part.length
        if (state.left === 0) metadataCame(state.header, Buffer.concat(state.parts))
        return part.length
      }
      case 'padding': {
        const length = Math.min(state.left, chunk.length - at)
        state.left -= length
        if (state.left === 0) state = { at: 'header' }
        return length
      }
      case 'header':
      case 'old sparse map':
      case 'sparse map':
        return takeBlock(chunk, at)
      case 'over':
        return chunk.length - at
    }
  }

  function takeBlock(chunk: Buffer, at: number): number {
    if (rest.length === 0 && chunk.length - at >= blockBytes) {
      blockCame(chunk.subarray(at, at + blockBytes))
      return blockBytes
    }
    const part = chunk.subarray(at, at + blockBytes - rest.length)
    rest = Buffer.concat([rest, part])
    if (rest.length === blockBytes) {
      const block = rest
      rest = Buffer.alloc(0)
      blockCame(block)
    }
    return part.length
  }

  function blockCame(block: Buffer): void {
    if (state.at === 'header') headerCame(block)
    else if (state.at === 'old sparse map') {
      const { header, extents } = state
      const { more } = readOldSparseMap(block, 0, 21, extents)
      if (!more) begin(header, extents)
    } else if (state.at === 'sparse map') {
      state.left -= blockBytes
      const extents = state.map(block)
      if (extents) beginContent(state.entry, extents, state.left)
      else if (state.left <= 0) throw corrupt('a sparse file whose map does not end')
    }
  }

  function headerCame(block: Buffer): void {
    const header = readHeader(block)
    if (header === null) {
      if (++zeroBlocks === 2) state = { at: 'over' }
      return
    }
    if (zeroBlocks > 0) throw corrupt('something behind its end')
    switch (header.type) {
      case 'x':
      case 'g':
      case 'L':
      case 'K':
        if (header.sizeBytes > maxMetadataBytes)
          throw new EngineError('limit-exceeded', `it has a header of more than ${maxMetadataBytes} bytes`)
        if (header.sizeBytes === 0) metadataCame(header, Buffer.alloc(0))
        else state = { at: 'metadata', header, parts: [], left: header.sizeBytes }
        return
      case 'S': {
        const extents: Extent[] = []
        const { more } = readOldSparseMap(block, 386, 4, extents)
        if (more) state = { at: 'old sparse map', header, extents }
        else begin(header, extents)
        return
      }
      default:
        begin(header, null)
    }
  }

  function metadataCame(header: TarHeader, bytes: Buffer): void {
    // A global header speaks of no entry; docker and containerd leave it alone too.
    if (header.type === 'x') pax = readPax(bytes)
    if (header.type === 'L') longName = untilZero(bytes)
    if (header.type === 'K') longLink = untilZero(bytes)
    skip(padding(header.sizeBytes))
  }

  function begin(header: TarHeader, oldMap: Extent[] | null): void {
    const records: PaxRecords = pax ?? new Map()
    const sparse = sparseMapIn(records)
    const packedBytes = number(records, 'size') ?? header.sizeBytes
    const entry = entryOf(header, records, longName, longLink)
    pax = longName = longLink = null
    if (entry.kind !== 'file') {
      handler.begin(entry)
      handler.end()
      // Some archivers give the size of what a link names; nothing follows it.
      state = { at: 'header' }
    } else if (oldMap) {
      beginContent({ ...entry, sizeBytes: header.realSizeBytes }, oldMap, packedBytes)
    } else if (sparse === null) {
      beginContent({ ...entry, sizeBytes: packedBytes }, [{ at: 0, length: packedBytes }], packedBytes)
    } else {
      const real = { ...entry, sizeBytes: sparse.sizeBytes }
      if (sparse.extents) beginContent(real, sparse.extents, packedBytes)
      else state = { at: 'sparse map', entry: real, map: createSparseMapReader(), left: packedBytes }
    }
  }

  function beginContent(entry: TarEntry, extents: Extent[], packedBytes: number): void {
    let end = 0
    let sum = 0
    for (const { at, length } of extents) {
      if (at < end || at + length > entry.sizeBytes)
        throw corrupt('a sparse file whose map contradicts itself')
      end = at + length
      sum += length
    }
    if (sum !== packedBytes) throw corrupt('a sparse file whose map contradicts its size')
    handler.begin(entry)
    isInEntry = true
    state = { at: 'content', extents, index: 0, done: 0, left: packedBytes, packedBytes }
    if (packedBytes === 0) endContent(0)
  }

  function takeContent(current: Extract<State, { at: 'content' }>, chunk: Buffer, from: number): number {
    const extent = current.extents[current.index]
    if (!extent) throw corrupt('a sparse file whose map contradicts its size')
    const bytes = chunk.subarray(from, from + extent.length - current.done)
    if (bytes.length > 0) handler.content(bytes, extent.at + current.done)
    current.done += bytes.length
    current.left -= bytes.length
    if (current.done === extent.length) {
      current.index++
      current.done = 0
    }
    if (current.left === 0) endContent(current.packedBytes)
    return bytes.length
  }

  function endContent(packedBytes: number): void {
    isInEntry = false
    handler.end()
    skip(padding(packedBytes))
  }

  function skip(left: number): void {
    state = left > 0 ? { at: 'padding', left } : { at: 'header' }
  }

  return {
    push,
    end() {
      const isWhole = state.at === 'over' || (state.at === 'header' && rest.length === 0 && pax === null)
      if (!isWhole || isInEntry) throw new EngineError('corrupt', 'it ends in the middle of an entry')
    },
  }
}

function entryOf(
  header: TarHeader,
  records: PaxRecords,
  longName: string | null,
  longLink: string | null,
): TarEntry {
  // A record without a value leaves what the header says.
  const text = (key: string) => records.get(key)?.toString('latin1') || undefined
  const name = text('GNU.sparse.name') ?? text('path') ?? longName ?? header.name
  const uid = number(records, 'uid') ?? header.uid
  const gid = number(records, 'gid') ?? header.gid
  if (uid > maxId || gid > maxId) throw corrupt(`${shown(name)}, whose owner cannot be`)
  const attributes = new Map<string, Buffer>()
  for (const [key, value] of records)
    if (key.startsWith('SCHILY.xattr.')) attributes.set(key.slice('SCHILY.xattr.'.length), value)
  return {
    kind: kindOf(header, name),
    name,
    linkName: text('linkpath') ?? longLink ?? header.linkName,
    mode: header.mode & 0o7777,
    uid,
    gid,
    ...timeOf(text('mtime'), header.mtime),
    sizeBytes: 0,
    attributes,
  }
}

function kindOf({ type }: TarHeader, name: string): EntryKind {
  switch (type) {
    case '\0':
    case '0':
    case '7':
      // How folders were written before they had a type.
      return name.endsWith('/') ? 'folder' : 'file'
    case 'S':
      return 'file'
    case '1':
      return 'link'
    case '2':
      return 'symlink'
    case '3':
    case '4':
      return 'device'
    case '5':
      return 'folder'
    case '6':
      return 'fifo'
    default:
      throw corrupt(`${shown(name)}, which is of the unknown kind ${JSON.stringify(type)}`)
  }
}

/** A number in a PAX record. */
function number(records: PaxRecords, key: string): number | undefined {
  const text = records.get(key)?.toString('latin1')
  if (text === undefined || text === '') return undefined
  if (!/^\d+$/.test(text)) throw corrupt(`a header whose ${key} is no number`)
  const value = Number(text)
  if (Number.isSafeInteger(value)) return value
  if (key !== 'size') throw corrupt(`a header whose ${key} cannot be`)
  throw new EngineError('limit-exceeded', `it has a file of ${text.slice(0, 40)} bytes`)
}

function timeOf(said: string | undefined, header: number): Pick<TarEntry, 'mtime' | 'mtimeNanoseconds'> {
  const [, sign = '', whole = '', fraction = ''] =
    /^(-?)(\d+)(?:\.(\d*))?$/.exec(said ?? String(header)) ?? []
  let seconds = Number(`${sign}${whole}`)
  let nanoseconds = Number(fraction.padEnd(9, '0').slice(0, 9))
  if (sign === '-' && nanoseconds > 0) {
    seconds -= 1
    nanoseconds = 1e9 - nanoseconds
  }
  // What no file system can keep.
  if (whole === '' || Math.abs(seconds) > 2 ** 40) return { mtime: 0, mtimeNanoseconds: 0 }
  return { mtime: seconds, mtimeNanoseconds: nanoseconds }
}

const padding = (sizeBytes: number) => (blockBytes - (sizeBytes % blockBytes)) % blockBytes

function untilZero(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes.toString('latin1', 0, end < 0 ? bytes.length : end)
}

function corrupt(what: string): EngineError {
  return new EngineError('corrupt', `it has ${what}`)
}
