import type { Readable } from 'node:stream'
import { EngineError } from '../errors.ts'
import type { IdRange } from '../sys/user-namespace.ts'
import type { FileContent, FilePath, FileTree } from './file-tree.ts'
import { describe, entryOf, listFolder } from './list.ts'
import { cleanPath, shown, splitPath, withFolder, withNode } from './nodes.ts'
import { packPath } from './pack-path.ts'
import { packed } from './packed.ts'
import { lentTo, readFile } from './read.ts'
import { removeNode } from './remove.ts'
import { makeFolder, type NewFile, writeFile } from './write.ts'

/** A root, for as long as somebody works in it. */
export interface LentRoot {
  /** Folder's descriptor; whoever lends it closes it. */
  root: number
  idRange: IdRange
  /** Of what is made in it, as ids of the host; null: whoever has the folder that it is made in. */
  owner: readonly [number, number] | null
  hasSpace: (bytes: number) => boolean
  /** Paths below the root on which something is mounted. */
  mounts: () => Buffer[]
  /** What is under way has to end now. */
  ended: AbortSignal
}

export type LendRoot = <T>(work: (lent: LentRoot) => Promise<T>) => Promise<T>

export function createFileTree(lend: LendRoot): FileTree {
  /** Lends the folder in which a name is, or is to be. */
  function inFolder<T>(path: FilePath, work: (lent: LentRoot, place: NewFile) => Promise<T>): Promise<T> {
    const whole = cleanPath(path)
    const { folder, name } = splitPath(whole)
    if (name.length === 0) throw new EngineError('invalid', 'this is the root folder: it stays as it is')
    return lend((lent) =>
      withFolder(lent.root, folder, (fd) =>
        work(lent, { folder: fd, name, path: whole, owner: lent.owner, hasSpace: lent.hasSpace }),
      ),
    )
  }

  async function entryAt({ root, idRange }: LentRoot, { folder, name, path }: NewFile) {
    const entry = await entryOf(root, folder, splitPath(path).folder, name, idRange)
    if (entry === null) throw new EngineError('not-found', `${shown(path)} was removed at once`)
    return entry
  }

  return {
    async look(path) {
      const whole = cleanPath(path)
      return lend(({ root, idRange }) =>
        withNode(root, whole, async (_, stats) => describe(splitPath(whole).name, stats, idRange)),
      )
    },
    async list(path, options) {
      const whole = cleanPath(path)
      return lend(({ root, idRange }) =>
        withFolder(root, whole, (folder) => listFolder(root, folder, whole, idRange, options)),
      )
    },
    async read(path, { maxBytes, signal }) {
      const whole = cleanPath(path)
      return handedOut<FileContent>((give) =>
        lend((lent) =>
          withNode(lent.root, whole, (fd, stats) =>
            readFile({ fd, stats, path: whole }, { maxBytes, ended: anyOf(lent.ended, signal) }, give),
          ),
        ),
      )
    },
    async pack(path, { maxBytes, maxEntries, signal }) {
      const whole = cleanPath(path)
      const text = whole.toString()
      if (!Buffer.from(text).equals(whole))
        throw new EngineError('unsupported', `the name of ${shown(whole)} is not UTF-8: it is not copied`)
      return handedOut<Readable>((give) =>
        lend((lent) =>
          withFolder(lent.root, whole, async () => {
            const ended = anyOf(lent.ended, signal)
            const stream = packed(
              (pack) => packPath(lent.root, text, lent.idRange, pack, { maxBytes, maxEntries }),
              ended,
            )
            await lentTo(stream, ended, () => give(stream))
          }),
        ),
      )
    },
    async write(path, content, options) {
      return inFolder(path, async (lent, place) => {
        const signal = anyOf(lent.ended, options.signal)
        await writeFile(place, content, { ...options, signal })
        return entryAt(lent, place)
      })
    },
    async makeFolder(path) {
      return inFolder(path, async (lent, place) => {
        await makeFolder(place)
        return entryAt(lent, place)
      })
    },
    async remove(path, options) {
      return inFolder(path, async (lent, place) => {
        // Found out at once where it can be, before any of it is gone; on its way it is looked at again.
        const mounted = lent.mounts().find((each) => isWithin(each, place.path))
        if (mounted !== undefined) throw hasMount(place.path, mounted)
        return removeNode(place, options)
      })
    },
  }
}

function isWithin(path: Buffer, folder: Buffer): boolean {
  return path.equals(folder) || path.indexOf(Buffer.concat([folder, Buffer.from('/')])) === 0
}

function hasMount(path: Buffer, mounted: Buffer): EngineError {
  const what = path.equals(mounted) ? 'it' : shown(mounted)
  return new EngineError(
    'failed-precondition',
    `${shown(path)} stays, as something is mounted on ${what}, such as a volume`,
  )
}

const anyOf = (one: AbortSignal, other: AbortSignal | undefined) =>
  other === undefined ? one : AbortSignal.any([one, other])

/** Resolves with what the work gives away, while the work goes on; throws what it throws before. */
function handedOut<T>(work: (give: (value: T) => void) => Promise<void>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    work(resolve).catch(reject)
  })
}
