/** `cp` and `diff`. */
import {
  createReadStream,
  createWriteStream,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { basename, dirname, join, posix, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import tar, { type Header, type Pack } from 'tar-stream'
import type { ChangeRow, PathRow } from '../../platform/model/engine-door.ts'
import { CommandError, say } from '../say.ts'
import { type Door, EngineRefusal, openDoor } from './door.ts'
import { command, type EngineOptions, interruptible, printJson } from './options.ts'

export function addCopyCommands(engine: Command): void {
  command(engine, 'cp', 'copy files out of a container, or into it')
    .argument('<source>', 'CONTAINER:PATH, a path, or - for a tar from standard input')
    .argument('<target>', 'a path, CONTAINER:PATH, or - for a tar to standard output')
    .action(copy)
  command(engine, 'diff', 'what differs from the image: A added, C changed, D deleted')
    .argument('<container>', 'its name')
    .action(async (id: string, options: EngineOptions) => {
      const rows = await openDoor(options).ask<ChangeRow[]>(
        'GET',
        `/containers/${encodeURIComponent(id)}/changes`,
      )
      if (options.json) return printJson(rows)
      const letters = { added: 'A', modified: 'C', deleted: 'D' }
      for (const { kind, path } of rows) say(`${letters[kind]} ${path}`)
    })
}

interface Place {
  container: string
  path: string
}

async function copy(source: string, target: string, options: EngineOptions): Promise<void> {
  const [from, to] = [placeOf(source), placeOf(target)]
  const door = openDoor(options)
  await interruptible(async (signal) => {
    if (from && !to) return copyOut(door, from, target, signal)
    if (to && !from) return copyIn(door, source, to, signal)
    throw new CommandError('One of the two, and not both, must be CONTAINER:PATH.')
  })
}

/** web:/etc/hosts; a path with a slash before the colon is a path. */
function placeOf(text: string): Place | null {
  const match = /^([a-z0-9][a-z0-9_.-]*):(.*)$/.exec(text)
  return match ? { container: match[1] ?? '', path: posix.resolve('/', match[2] ?? '') } : null
}

const archiveOf = ({ container }: Place) => `/containers/${encodeURIComponent(container)}/archive`

async function copyOut(door: Door, from: Place, target: string, signal: AbortSignal): Promise<void> {
  const query = { path: from.path }
  const archive = await door.download('GET', archiveOf(from), { query, signal })
  if (target === '-') return pipeline(archive, process.stdout, { end: false })
  const isFolder = statSync(target, { throwIfNoEntry: false })?.isDirectory() === true
  const [folder, name] = isFolder
    ? [target, basename(from.path) || 'root']
    : [dirname(target), basename(target)]
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new CommandError(`There is no folder ${folder}.`)
  await unpack(archive, resolve(folder), name)
}

/** The archive comes from a container: nothing of it is written but below the folder. Its first name gets another one. */
async function unpack(archive: Readable, folder: string, first: string): Promise<void> {
  const extract = tar.extract()
  archive.on('error', (error) => extract.destroy(error))
  archive.pipe(extract)
  for await (const entry of extract) {
    const { name, type, mode = 0o644, linkname } = entry.header
    const parts = name.split('/').filter((part) => part !== '' && part !== '.')
    if (parts.includes('..')) throw new CommandError(`The archive has a name that leads up: ${name}`)
    const path = pathBelow(folder, [
      first,
      ...(name.startsWith('./') || name === '.' ? parts : parts.slice(1)),
    ])
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (type === 'directory') {
      if (!found?.isDirectory()) mkdirSync(path, { mode: mode & 0o777 })
      entry.resume()
      continue
    }
    if (found?.isDirectory()) throw new CommandError(`${path} is a folder, and would be replaced by a file.`)
    if (found) rmSync(path)
    if (type === 'symlink') {
      symlinkSync(linkname ?? '', path)
      entry.resume()
    } else await pipeline(entry, createWriteStream(path, { mode: mode & 0o777, flags: 'wx' }))
  }
}

function pathBelow(folder: string, parts: string[]): string {
  let path = folder
  for (const [index, part] of parts.entries()) {
    path = join(path, part)
    if (index < parts.length - 1 && !lstatSync(path).isDirectory())
      throw new CommandError(`The archive has a name below a link: ${path}`)
  }
  return path
}

async function copyIn(door: Door, source: string, to: Place, signal: AbortSignal): Promise<void> {
  const put = (path: string, upload: Readable) =>
    door.ask('PUT', archiveOf(to), { query: { path }, upload, signal })
  if (source === '-') return void (await put(to.path, process.stdin))
  if (!lstatSync(source, { throwIfNoEntry: false })) throw new CommandError(`There is no ${source}.`)
  const found = await kindOf(door, to)
  // As with cp -a: into a folder that is there, else as what the path says.
  const [folder, name] =
    found === 'folder'
      ? [to.path, basename(resolve(source))]
      : [posix.dirname(to.path), posix.basename(to.path)]
  const pack = tar.pack()
  const packing = add(pack, resolve(source), name).then(
    () => pack.finalize(),
    (error) => pack.destroy(error as Error),
  )
  await put(folder, Readable.from(pack as AsyncIterable<Buffer>, { objectMode: false }))
  await packing
}

async function kindOf(door: Door, place: Place): Promise<PathRow['kind'] | null> {
  try {
    const path = `/containers/${encodeURIComponent(place.container)}/path`
    // A link is looked through, as its target counts.
    return (await door.ask<PathRow>('GET', path, { query: { path: place.path } })).kind
  } catch (error) {
    if (error instanceof EngineRefusal && error.kind === 'not-found' && !/no container/.test(error.message))
      return null
    throw error
  }
}

/** Files, folders and links, owned by the container's root. */
async function add(pack: Pack, path: string, name: string): Promise<void> {
  const stats = lstatSync(path)
  const header = { name, mode: stats.mode & 0o7777, mtime: stats.mtime, uid: 0, gid: 0 }
  if (stats.isDirectory()) {
    await put(pack, { ...header, type: 'directory' })
    for (const child of readdirSync(path)) await add(pack, join(path, child), `${name}/${child}`)
  } else if (stats.isSymbolicLink())
    await put(pack, { ...header, type: 'symlink', linkname: readlinkSync(path) })
  else if (stats.isFile()) {
    await putFile(pack, { ...header, type: 'file', size: stats.size } as Header, path)
  }
}

/** As many bytes as its header says, though it grow or shrink meanwhile. */
async function putFile(pack: Pack, header: Header, path: string): Promise<void> {
  const { size = 0 } = header
  if (size === 0) return put(pack, header)
  const done = Promise.withResolvers<void>()
  const entry = pack.entry(header, (error) => (error ? done.reject(error) : done.resolve()))
  let sent = 0
  for await (const chunk of createReadStream(path, { end: size - 1 })) {
    sent += (chunk as Buffer).length
    if (!entry.write(chunk)) await drained(entry)
  }
  if (sent < size) throw new CommandError(`${path} became shorter while it was copied.`)
  entry.end(Buffer.alloc(0))
  await done.promise
}

function put(pack: Pack, header: Partial<Header> & { name: string }): Promise<void> {
  return new Promise((done, fail) =>
    pack.entry(header as Header, '', (error) => (error ? fail(error) : done())),
  )
}

function drained(entry: { once(event: 'drain', listener: () => void): unknown }): Promise<void> {
  return new Promise((done) => {
    entry.once('drain', done)
  })
}
