/** A folder as the archive that is sent: what belongs to the source, and no byte from outside of it. */
import { once } from 'node:events'
import { constants, type Stats } from 'node:fs'
import { lstat, open, readdir, readFile, readlink } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import tar, { type Header } from 'tar-stream'
import { maxUploadBytes } from '../../platform/model/builds.ts'
import {
  type FolderEntry,
  type FolderReader,
  maxSourceBytes,
  maxSourceFiles,
  type SourceRules,
  sourceEntries,
} from '../../platform/model/source-folder.ts'
import { bytes } from '../engine/table.ts'
import { CommandError } from '../say.ts'

type EntryHeader = Partial<Header> & Pick<Header, 'name'>

const chunkBytes = 256 * 1024

export interface SourceFile {
  /** Inside the folder, with slashes. */
  path: string
  kind: 'file' | 'folder' | 'link'
  sizeBytes: number
  mode: number
  /** What a link says. */
  target: string
}

export interface Source {
  folder: string
  files: SourceFile[]
  sizeBytes: number
  /** What a person should know of it. */
  notes: string[]
}

export type SourceOptions = Pick<SourceRules, 'dockerfile' | 'ignoresGit'>

/** Lists what will be sent. Throws CommandError for what is no folder, or too much. */
export async function listSource(folder: string, options: SourceOptions = {}): Promise<Source> {
  const found = await lstat(folder).catch(() => null)
  // The folder that one names may be a link itself; nothing in it is followed.
  if (found === null || !(found.isDirectory() || found.isSymbolicLink()))
    throw new CommandError(`${folder} is no folder.`)
  const source: Source = { folder, files: [], sizeBytes: 0, notes: [] }
  for await (const { path, entry } of sourceEntries(readerOf(folder), options)) {
    const { stats } = entry
    if (stats.isDirectory()) add({ path, kind: 'folder', sizeBytes: 0, mode: stats.mode, target: '' })
    else if (stats.isFile()) add({ path, kind: 'file', sizeBytes: stats.size, mode: stats.mode, target: '' })
    else if (stats.isSymbolicLink()) {
      const target = await readlink(join(folder, path))
      if (leadsOut(folder, path, target))
        source.notes.push(`${path} leads out of the folder, to ${target}: only the link itself is sent.`)
      add({ path, kind: 'link', sizeBytes: 0, mode: stats.mode, target })
    } else source.notes.push(`${path} is no file, folder or link: it is not sent.`)
  }
  if (source.sizeBytes > maxSourceBytes) throw tooLarge(source, maxSourceBytes)
  if (!source.files.some(({ kind }) => kind !== 'folder'))
    throw new CommandError(`There is nothing to send in ${folder}.`)
  return source

  function add(file: SourceFile): void {
    source.files.push(file)
    source.sizeBytes += file.sizeBytes
    if (source.files.length > maxSourceFiles)
      throw new CommandError(
        `${folder} has more than ${maxSourceFiles.toLocaleString('en')} files. Leave out what the build does not need, ` +
          `with .gitignore or .dockerignore. ${largest(source)}`,
      )
  }
}

function readerOf(folder: string): FolderReader<FolderEntry & { stats: Stats }> {
  return {
    async children(at) {
      const found = []
      for (const name of await readdir(join(folder, at))) {
        const stats = await lstat(join(folder, at, name)).catch(() => null)
        if (stats !== null) found.push({ name, isFolder: stats.isDirectory(), stats })
      }
      return found
    },
    text: (path) => readFile(join(folder, path), 'utf8').catch(() => ''),
  }
}

export interface PackOptions {
  /** Bytes of files that are packed, and bytes that left. */
  onProgress?: (packedBytes: number, sentBytes: number) => void
}

/** The archive, made while it is read. It ends with an error when a file changes meanwhile, or it becomes too large. */
export function packSource(source: Source, { onProgress }: PackOptions = {}): Readable {
  const pack = tar.pack()
  const gzip = createGzip({ level: 6 })
  let packed = 0
  let sent = 0
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sent += chunk.length
      onProgress?.(packed, sent)
      if (sent > maxUploadBytes) done(tooLarge(source, maxUploadBytes))
      else done(null, chunk)
    },
  })
  // Whoever reads it is told. The three end one another, each with an error that nobody else is there to hear.
  for (const stream of [pack, gzip, count]) stream.on('error', () => undefined)
  pipeline(pack, gzip, count).catch(() => undefined)
  fill().then(
    () => pack.finalize(),
    (error: Error) => count.destroy(error),
  )
  return count

  async function fill(): Promise<void> {
    for (const file of source.files) {
      if (count.destroyed) return
      const { path: name, kind, sizeBytes, target } = file
      const mode = file.mode & 0o777
      const common = { name, mode, mtime: new Date(0) }
      if (kind === 'folder') await entry({ ...common, type: 'directory' })
      else if (kind === 'link') await entry({ ...common, type: 'symlink', linkname: target })
      else await packFile(file, { ...common, type: 'file', size: sizeBytes })
    }
  }

  function entry(header: EntryHeader): Promise<void> {
    return new Promise((done, failed) => pack.entry(header, (error) => (error ? failed(error) : done())))
  }

  async function packFile({ path, sizeBytes }: SourceFile, header: EntryHeader): Promise<void> {
    const changed = () => new CommandError(`${path} changed while it was packed: deploy again.`)
    // What became a link meanwhile is not followed.
    const handle = await open(join(source.folder, path), constants.O_RDONLY | constants.O_NOFOLLOW).catch(
      (error: NodeJS.ErrnoException) => {
        throw error.code === 'EACCES' ? new CommandError(`${path} may not be read by you.`) : changed()
      },
    )
    try {
      const { promise: isWhole, resolve: done, reject: failed } = Promise.withResolvers<void>()
      const into = pack.entry(header, (error) => (error ? failed(error) : done()))
      into.on('error', failed)
      into.on('close', () => failed(new CommandError('The upload was given up.')))
      isWhole.catch(() => undefined)
      let left = sizeBytes
      while (left > 0) {
        const chunk = Buffer.allocUnsafe(Math.min(left, chunkBytes))
        const { bytesRead } = await handle.read(chunk, 0, chunk.length)
        if (bytesRead === 0) throw changed()
        left -= bytesRead
        packed += bytesRead
        if (!into.write(chunk.subarray(0, bytesRead))) await Promise.race([once(into, 'drain'), isWhole])
      }
      if ((await handle.read(Buffer.alloc(1), 0, 1)).bytesRead > 0) throw changed()
      into.end(undefined)
      await isWhole
    } finally {
      await handle.close()
    }
  }
}

function tooLarge(source: Source, limit: number): CommandError {
  return new CommandError(
    `The source in ${source.folder} is larger than ${bytes(limit)}. Leave out what the build does not need, with ` +
      `.gitignore or .dockerignore. ${largest(source)}`,
  )
}

/** What lies at the top and weighs most. */
function largest({ files }: Source): string {
  const weights = new Map<string, { sizeBytes: number; count: number }>()
  for (const { path, sizeBytes } of files) {
    const top = path.split('/')[0] ?? path
    const { sizeBytes: known, count } = weights.get(top) ?? { sizeBytes: 0, count: 0 }
    weights.set(top, { sizeBytes: known + sizeBytes, count: count + 1 })
  }
  const first = [...weights]
    .sort(([, a], [, b]) => b.sizeBytes - a.sizeBytes || b.count - a.count)
    .slice(0, 3)
  return `Largest: ${first.map(([name, { sizeBytes, count }]) => `${name} (${bytes(sizeBytes)}, ${count} files)`).join(', ')}.`
}

function leadsOut(folder: string, path: string, target: string): boolean {
  const from = relative(resolve(folder), resolve(dirname(resolve(folder, path)), target))
  return from === '..' || from.startsWith('../')
}
