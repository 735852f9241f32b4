import { closeSync, fstatSync, type Stats } from 'node:fs'
import { lstat, opendir, readlink } from 'node:fs/promises'
import { openAt } from '../sys/in-root.ts'
import type { IdRange } from '../sys/user-namespace.ts'
import type { FileEntry, FileKind, FolderPage, ListOptions, PagePlace } from './file-tree.ts'
import { insideId, joinPath, kindOf, O_PATH, within } from './nodes.ts'

/** Of one folder; a folder with more is told to have more. */
const mostNames = 100_000

/** A page of an open folder. What vanishes meanwhile is left out. */
export async function listFolder(
  root: number,
  folder: number,
  path: Buffer,
  idRange: IdRange,
  { limit, after }: ListOptions,
): Promise<FolderPage> {
  // One more says that there is a next page.
  const { first, isCut } = await firstIn(folder, limit + 1, after)
  const page = first.slice(0, limit)
  const entries: FileEntry[] = []
  for (const { name } of page) {
    const entry = await entryOf(root, folder, path, name, idRange)
    if (entry !== null) entries.push(entry)
  }
  return { entries, next: first.length > limit ? (page.at(-1) ?? null) : null, isCut }
}

/** Null: it is not there any more. */
export async function entryOf(
  root: number,
  folder: number,
  path: Buffer,
  name: Buffer,
  idRange: IdRange,
): Promise<FileEntry | null> {
  const stats = await lstat(within(folder, name)).catch(() => null)
  if (stats === null) return null
  const link = stats.isSymbolicLink() ? await lookThrough(root, folder, path, name) : null
  return { ...describe(name, stats, idRange), link }
}

export function describe(name: Buffer, stats: Stats, idRange: IdRange): Omit<FileEntry, 'link'> {
  return {
    name,
    kind: kindOf(stats),
    sizeBytes: stats.size,
    mode: stats.mode & 0o7777,
    uid: insideId(stats.uid, idRange),
    gid: insideId(stats.gid, idRange),
    changedAt: stats.mtime,
  }
}

async function lookThrough(
  root: number,
  folder: number,
  path: Buffer,
  name: Buffer,
): Promise<FileEntry['link']> {
  const target = await readlink(within(folder, name), { encoding: 'buffer' }).catch(() => null)
  return target && { target, leadsTo: kindAt(root, joinPath(path, name)) }
}

function kindAt(root: number, path: Buffer): FileKind | null {
  try {
    const fd = openAt(root, path, O_PATH)
    try {
      return kindOf(fstatSync(fd))
    } finally {
      closeSync(fd)
    }
  } catch {
    return null
  }
}

/** The first of a folder, in order; however many there are, only these are kept. */
async function firstIn(
  folder: number,
  most: number,
  after: PagePlace | undefined,
): Promise<{ first: PagePlace[]; isCut: boolean }> {
  const first: PagePlace[] = []
  let seen = 0
  for await (const entry of await openNames(folder)) {
    if (seen++ === mostNames) return { first, isCut: true }
    const place = { name: entry.name as unknown as Buffer, isFolder: entry.isDirectory() }
    if (after !== undefined && compare(place, after) <= 0) continue
    const last = first.length === most ? first.at(-1) : undefined
    if (last !== undefined && compare(place, last) > 0) continue
    first.splice(placeIn(first, place), 0, place)
    if (first.length > most) first.pop()
  }
  return { first, isCut: false }
}

/** Where it belongs in what is sorted. */
function placeIn(sorted: PagePlace[], place: PagePlace): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const found = sorted[middle]
    if (found !== undefined && compare(found, place) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Names as bytes, which Node's types don't know of. */
export const openNames = (folder: number) =>
  opendir(`/proc/self/fd/${folder}/.`, { encoding: 'buffer' as BufferEncoding, bufferSize: 1_000 })

function compare(one: PagePlace, other: PagePlace): number {
  if (one.isFolder !== other.isFolder) return one.isFolder ? -1 : 1
  return Buffer.compare(one.name, other.name)
}
