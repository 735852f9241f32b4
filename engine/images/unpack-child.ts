/**
 * Unpacks one layer. Runs in a process of its own whose root is the layer's folder, so that whatever an archive says
 * it can reach nothing else. Reads a tar from standard input; says what happened in one message.
 */
import fs from 'node:fs'
import tar, { type Header } from 'tar-stream'
import { enterRoot, makeWhiteout, setAttribute } from '../sys/syscalls.ts'
import { isAllowedAttribute, meaningOf } from './unpack-rules.ts'

export interface UnpackRequest {
  root: string
  maxBytes: number
  maxEntries: number
}

export type UnpackAnswer =
  | { ok: true; implied: string[]; entries: number; bytes: number }
  | { ok: false; kind: 'corrupt' | 'limit-exceeded' | 'internal'; message: string }

class Refused extends Error {
  readonly kind: 'corrupt' | 'limit-exceeded'
  constructor(kind: 'corrupt' | 'limit-exceeded', message: string) {
    super(message)
    this.kind = kind
  }
}

/** Folders that an entry needed and the layer does not list: they take their owner and mode from lower layers. */
const implied = new Set<string>()
const whiteouts = new Set<string>()
const folderTimes = new Map<string, Date>()
let entries = 0
let bytes = 0

process.once('message', (request: UnpackRequest) => {
  unpack(request)
    .then((): UnpackAnswer => ({ ok: true, implied: [...implied], entries, bytes }))
    .catch((error: unknown): UnpackAnswer => {
      const kind = error instanceof Refused ? error.kind : isTarError(error) ? 'corrupt' : 'internal'
      return { ok: false, kind, message: error instanceof Error ? error.message : String(error) }
    })
    .then((answer) => process.send?.(answer, () => process.exit(answer.ok ? 0 : 1)))
})
process.once('disconnect', () => process.exit(1))

function isTarError(error: unknown): boolean {
  return error instanceof Error && /tar|header|Unexpected end/i.test(error.message) && !('code' in error)
}

async function unpack({ root, maxBytes, maxEntries }: UnpackRequest): Promise<void> {
  process.umask(0)
  enterRoot(root)
  const extract = tar.extract()
  process.stdin.on('error', (error) => extract.destroy(error)).pipe(extract)
  for await (const entry of extract) {
    if (++entries > maxEntries)
      throw new Refused('limit-exceeded', `the layer has more than ${maxEntries} entries`)
    const header = entry.header
    bytes += header.size ?? 0
    if (bytes > maxBytes)
      throw new Refused('limit-exceeded', `the layer unpacks to more than ${maxBytes} bytes`)
    const meaning = meaningOf(header.name)
    if (meaning.kind === 'refuse') throw new Refused('corrupt', `the layer has ${meaning.why}`)
    if (meaning.kind === 'opaque') makeOpaque(meaning.folder)
    if (meaning.kind === 'whiteout') hide(meaning.path)
    if (meaning.kind === 'entry' && (header.type === 'file' || header.type === 'contiguous-file')) {
      await writeFile(meaning.path, header, entry as AsyncIterable<Buffer>)
      continue
    }
    if (meaning.kind === 'entry') make(meaning.path, header)
    entry.resume()
  }
  for (const [path, time] of folderTimes) {
    const found = fs.lstatSync(path, { throwIfNoEntry: false })
    if (found?.isDirectory()) fs.lutimesSync(path, time, time)
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

const knownFolders = new Set<string>([''])

/** Makes the folders that a path lies in, each marked as implied until an entry of its own comes. */
function needParent(path: string): void {
  const parent = parentOf(path)
  if (knownFolders.has(parent)) return
  needParent(parent)
  const found = fs.statSync(`/${parent}`, { throwIfNoEntry: false })
  if (found === undefined || !found.isDirectory()) {
    fs.rmSync(`/${parent}`, { force: true })
    fs.mkdirSync(`/${parent}`, 0o755)
    implied.add(parent)
    if (whiteouts.has(parent)) makeOpaque(parent)
  }
  knownFolders.add(parent)
}

/** Makes room for an entry: what was there goes, unless both are folders. */
function clear(path: string, keepFolder: boolean): boolean {
  const found = fs.lstatSync(`/${path}`, { throwIfNoEntry: false })
  if (found === undefined) return false
  if (keepFolder && found.isDirectory()) return true
  fs.rmSync(`/${path}`, { recursive: true, force: true })
  if (found.isDirectory()) knownFolders.clear()
  knownFolders.add('')
  return false
}

function makeOpaque(folder: string): void {
  needParent(`${folder}/x`)
  setAttribute(`/${folder}`, 'trusted.overlay.opaque', Buffer.from('y'))
}

function hide(path: string): void {
  needParent(path)
  // A whiteout speaks of the layers below: what this layer itself brought stays, as a folder that shows nothing below.
  const found = fs.lstatSync(`/${path}`, { throwIfNoEntry: false })
  whiteouts.add(path)
  if (found === undefined) makeWhiteout(`/${path}`)
  else if (found.isDirectory()) makeOpaque(path)
}

function make(path: string, header: Header): void {
  needParent(path)
  const target = `/${path}`
  const isFolder = header.type === 'directory'
  const stands = clear(path, isFolder)
  switch (header.type) {
    case 'directory':
      if (!stands) {
        fs.mkdirSync(target, 0o700)
        if (whiteouts.has(path)) makeOpaque(path)
      }
      implied.delete(path)
      folderTimes.set(target, header.mtime ?? new Date(0))
      break
    case 'symlink':
      fs.symlinkSync(header.linkname ?? '', target)
      break
    case 'link':
      link(header.linkname ?? '', target)
      // The file it names has its owner and mode already.
      return
    case 'fifo':
    case 'character-device':
    case 'block-device':
      // Containers get their devices from the runtime; a node from an image would only be refused by the kernel.
      return
    default:
      throw new Refused('corrupt', `the layer has an entry of an unknown kind: ${header.type}`)
  }
  dress(target, header)
}

function link(name: string, target: string): void {
  const meaning = meaningOf(name)
  if (meaning.kind !== 'entry')
    throw new Refused('corrupt', `the layer has a hard link to ${JSON.stringify(name)}`)
  try {
    fs.linkSync(`/${meaning.path}`, target)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new Refused(
      'corrupt',
      `the layer has a hard link to ${JSON.stringify(name)}, which it does not hold`,
    )
  }
}

async function writeFile(path: string, header: Header, content: AsyncIterable<Buffer>): Promise<void> {
  needParent(path)
  clear(path, false)
  const target = `/${path}`
  const file = fs.openSync(target, fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL, 0o600)
  try {
    for await (const chunk of content)
      for (let at = 0; at < chunk.length; ) at += fs.writeSync(file, chunk, at)
  } finally {
    fs.closeSync(file)
  }
  dress(target, header)
}

/** Owner, then attributes (a change of owner clears them), then mode, then times. */
function dress(target: string, header: Header): void {
  fs.lchownSync(target, header.uid ?? 0, header.gid ?? 0)
  for (const [key, value] of Object.entries(header.pax ?? {})) {
    const name = key.startsWith('SCHILY.xattr.') ? key.slice('SCHILY.xattr.'.length) : ''
    if (!isAllowedAttribute(name) || typeof value !== 'string' || value.includes('\ufffd')) continue
    try {
      setAttribute(target, name, Buffer.from(value, 'utf8'))
    } catch (error) {
      if (!['ENOTSUP', 'EOPNOTSUPP', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? ''))
        throw error
    }
  }
  if (header.type !== 'symlink') fs.chmodSync(target, (header.mode ?? 0o644) & 0o7777)
  const time = header.mtime ?? new Date(0)
  if (header.type !== 'directory') fs.lutimesSync(target, time, time)
}
