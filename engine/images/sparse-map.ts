/**
 * Where the bytes of a sparse file belong: everything else in it is a hole. GNU tar has written such maps in four ways.
 * Source: GNU tar manual, "Storing Sparse Files".
 */
import { EngineError } from '../errors.ts'
import type { PaxRecords } from './pax.ts'
import { readCount } from './tar-header.ts'

export interface Extent {
  at: number
  length: number
}

const maxExtents = 1_000_000

export interface SparseFile {
  /** With its holes. */
  sizeBytes: number
  /** Null when the map stands before the file's content. */
  extents: Extent[] | null
}

/** What a PAX header says of a sparse file; null when the file is none. */
export function sparseMapIn(records: PaxRecords): SparseFile | null {
  const text = (key: string) => records.get(`GNU.sparse.${key}`)?.toString('latin1')
  const isVersion1 = text('major') === '1' && text('minor') === '0'
  const map = text('map')
  if (!isVersion1 && map === undefined) return null
  const sizeBytes = readDecimal(text('realsize') ?? text('size') ?? '')
  return { sizeBytes, extents: isVersion1 ? null : inPairs((map ?? '').split(',').map(readDecimal)) }
}

/** Reads `count` entries of the old format's map at `from`. `more` says that another block of them follows. */
export function readOldSparseMap(
  block: Buffer,
  from: number,
  count: number,
  extents: Extent[],
): { more: boolean } {
  for (let index = 0; index < count; index++) {
    const at = from + index * 24
    if (block[at] === 0) break
    extents.push({
      at: readCount(block, at, 12, 'a place in a sparse file'),
      length: readCount(block, at + 12, 12, 'a size'),
    })
    if (extents.length > maxExtents) throw tooMany()
  }
  return { more: block[from + count * 24] === 1 }
}

/** Takes the next block; answers with the whole map once that completes it. */
export type ReadSparseMap = (block: Buffer) => Extent[] | null

/** For the map that stands before the content: decimal numbers, each on a line, the first one is their count. */
export function createSparseMapReader(): ReadSparseMap {
  let text = ''
  const numbers: number[] = []
  return (block) => {
    const lines = (text + block.toString('latin1')).split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) {
      numbers.push(readDecimal(line))
      const [count = 0] = numbers
      if (count > maxExtents) throw tooMany()
      if (numbers.length === 1 + 2 * count) return inPairs(numbers.slice(1))
    }
    if (text.length > 20) throw broken()
    return null
  }
}

function inPairs(numbers: number[]): Extent[] {
  if (numbers.length % 2 !== 0) throw broken()
  if (numbers.length > 2 * maxExtents) throw tooMany()
  return Array.from({ length: numbers.length / 2 }, (_, index) => ({
    at: numbers[2 * index] ?? 0,
    length: numbers[2 * index + 1] ?? 0,
  }))
}

function readDecimal(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw broken()
  return value
}

const broken = () => new EngineError('corrupt', 'it has a sparse file whose map is broken')
const tooMany = () =>
  new EngineError('limit-exceeded', `it has a sparse file of more than ${maxExtents} parts`)
