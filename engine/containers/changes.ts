/** What a container's writable layer holds, beside the layers below it. */
import { lstat, readdir } from 'node:fs/promises'
import { mergedView } from '../images/merged-view.ts'
import type { FileChange } from './containers.ts'

type Stats = Awaited<ReturnType<typeof lstat>>

interface Entry {
  /** Relative, without a slash before it. As bytes: a name may be anything. */
  path: Buffer
  stats: Stats
}

const slash = Buffer.from('/')
const under = (folder: Buffer, name: Buffer) =>
  folder.length === 0 ? name : Buffer.concat([folder, slash, name])

/**
 * Everything in a writable layer, folders before what is in them. Nobody may write to it meanwhile: a path is asked
 * about more than once.
 */
async function* entriesOf(folder: Buffer, below: Buffer = Buffer.alloc(0)): AsyncGenerator<Entry> {
  for (const name of await readdir(under(folder, below), { encoding: 'buffer' })) {
    const path = under(below, name)
    const stats = await lstat(under(folder, path))
    yield { path, stats }
    if (stats.isDirectory()) yield* entriesOf(folder, path)
  }
}

const isWhiteout = (stats: Stats) => stats.isCharacterDevice() && Number(stats.rdev) === 0

/** @param layers the image's layers, topmost first. Sorted by path. */
export async function changesOf(upper: string, layers: string[]): Promise<FileChange[]> {
  const below = mergedView(layers)
  const changes: FileChange[] = []
  for await (const { path, stats } of entriesOf(Buffer.from(upper))) {
    const found = isWhiteout(stats) ? null : await below.find(path.toString('latin1'))
    const kind = isWhiteout(stats) ? 'deleted' : found === null ? 'added' : 'modified'
    changes.push({ kind, path: `/${path.toString('utf8')}` })
  }
  return changes.sort((one, other) => (one.path < other.path ? -1 : 1))
}
