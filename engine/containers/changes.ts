/** What a container's writable layer holds, beside the layers below it. */
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError } from '../errors.ts'
import { mergedView } from '../images/merged-view.ts'
import type { FileChange } from './containers.ts'

type Stats = Awaited<ReturnType<typeof lstat>>

interface Entry {
  /** Relative, without a slash before it. */
  path: string
  file: string
  stats: Stats
}

/**
 * Everything in a writable layer, folders before what is in them. Nobody may write to it meanwhile: a path is asked
 * about more than once. Throws unsupported for a name that is not UTF-8.
 */
async function* entriesOf(folder: string, below = ''): AsyncGenerator<Entry> {
  for (const bytes of await readdir(join(folder, below), { encoding: 'buffer' })) {
    const name = bytes.toString('utf8')
    if (!Buffer.from(name).equals(bytes))
      throw new EngineError('unsupported', `the name of a file in /${below} is not UTF-8`)
    const path = join(below, name)
    const file = join(folder, path)
    const stats = await lstat(file)
    yield { path, file, stats }
    if (stats.isDirectory()) yield* entriesOf(folder, path)
  }
}

const isWhiteout = (stats: Stats) => stats.isCharacterDevice() && Number(stats.rdev) === 0

/** @param layers the image's layers, topmost first. Sorted by path. */
export async function changesOf(upper: string, layers: string[]): Promise<FileChange[]> {
  const below = mergedView(layers)
  const changes: FileChange[] = []
  for await (const { path, stats } of entriesOf(upper)) {
    if (isWhiteout(stats)) changes.push({ kind: 'deleted', path: `/${path}` })
    else {
      const found = await below.find(Buffer.from(path).toString('latin1'))
      changes.push({ kind: found === null ? 'added' : 'modified', path: `/${path}` })
    }
  }
  return changes.sort((one, other) => (one.path < other.path ? -1 : 1))
}
