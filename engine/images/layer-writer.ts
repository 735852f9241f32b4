/**
 * Writes a layer's entries below `/`, which must be the layer's own folder: whatever links an archive makes, they lead
 * nowhere else. Calls are synchronous: a layer has tens of thousands of small files, and this process waits for nothing
 * else. Paths are text of one character a byte (byte-path.ts).
 */
import fs from 'node:fs'
import { posix } from 'node:path'
import { EngineError } from '../errors.ts'
import {
  makeFifo,
  makeWhiteout,
  SystemCallError,
  setAttribute,
  setTime,
  startWriteback,
} from '../sys/syscalls.ts'
import { fromBytes, shown, toBytes } from './byte-path.ts'
import type { EntryHandler, TarEntry } from './tar-reader.ts'
import { isAllowedAttribute, meaningOf } from './unpack-rules.ts'

/** What a layer says that cannot be done inside it alone. Paths are text of one character a byte. */
export interface Findings {
  /** Folders that it needs and does not list. */
  implied: string[]
  /** Folders that hide what the layers below have in them. */
  opaque: string[]
  /** Hard links to files that it does not hold itself: a layer below may. */
  links: { path: string; target: string }[]
}

export interface LayerWriter extends EntryHandler {
  /** After the last entry. */
  finish(): Findings
}

/** The lists go to the engine in one message. */
const maxFindingsBytes = 4 * 2 ** 20
const maxKnownFolders = 100_000
/** The disk works while we do. */
const leastWritebackBytes = 128 * 1_024
const writebackBytes = 8 * 2 ** 20
/** Small files are too many to be named one by one: the file system is synced now and then. */
const filesBetweenSyncs = 5_000

/** @param manySmallFiles called each time that a good many were written, none of which is on its way to the disk yet */
export function createLayerWriter(manySmallFiles: () => void = () => {}): LayerWriter {
  const implied = new Set<string>()
  const opaque = new Set<string>()
  const links = new Map<string, string>()
  const whiteouts = new Set<string>()
  const folderTimes = new Map<string, TarEntry>()
  const knownFolders = new Set<string>()
  let findingsBytes = 0
  let smallFiles = 0
  let file: { fd: number; path: string; entry: TarEntry; end: number; writtenBack: number } | null = null

  const at = (path: string) => fromBytes(`/${path}`)
  const look = (path: string) => fs.lstatSync(at(path), { throwIfNoEntry: false })

  /** Makes the folders that a path lies in, each marked as implied until an entry of its own comes. */
  function needParent(path: string): void {
    const slash = path.lastIndexOf('/')
    if (slash < 0) return
    const parent = path.slice(0, slash)
    if (knownFolders.has(parent)) return
    needParent(parent)
    const found = fs.statSync(at(parent), { throwIfNoEntry: false })
    const target = found === undefined ? targetOf(parent) : null
    if (target !== null) {
      // A link to what is not there yet, such as bin to usr/bin in an archive in the order of the alphabet.
      needParent(`${target}/x`)
    } else if (found === undefined || !found.isDirectory()) {
      clear(parent, false)
      fs.mkdirSync(at(parent), 0o755)
      if (whiteouts.has(parent)) makeOpaque(parent)
      else {
        count(parent)
        implied.add(parent)
      }
    }
    if (knownFolders.size >= maxKnownFolders) knownFolders.clear()
    knownFolders.add(parent)
  }

  /** Where a link leads to, as a path of the layer; null if there is no link. */
  function targetOf(path: string): string | null {
    if (!look(path)?.isSymbolicLink()) return null
    const target = toBytes(fs.readlinkSync(at(path), { encoding: 'buffer' }))
    const resolved = posix.resolve('/', posix.dirname(path), target).slice(1)
    // A path for itself, or for what lies in it, would never end.
    const isEndless = resolved === '' || `${resolved}/`.startsWith(`${path}/`)
    return isEndless || meaningOf(resolved).kind !== 'entry' ? null : resolved
  }

  function count(...paths: string[]): void {
    for (const path of paths) findingsBytes += path.length
    if (findingsBytes > maxFindingsBytes)
      throw new EngineError(
        'limit-exceeded',
        'it has too many folders, or targets of links, that it does not list',
      )
  }

  /** Makes room for an entry: what was there goes, unless both are folders. True if a folder stands. */
  function clear(path: string, keepFolder: boolean): boolean {
    links.delete(path)
    const found = look(path)
    if (found === undefined) return false
    if (keepFolder && found.isDirectory()) return true
    if (found.isDirectory()) removeFolder(path)
    else fs.unlinkSync(at(path))
    // A folder, or a link to one: what lay below is there no more.
    if (!found.isFile()) knownFolders.clear()
    return false
  }

  function removeFolder(path: string): void {
    for (const entry of fs.readdirSync(at(path), { withFileTypes: true, encoding: 'buffer' })) {
      const child = `${path}/${toBytes(entry.name)}`
      if (entry.isDirectory()) removeFolder(child)
      else fs.unlinkSync(at(child))
    }
    fs.rmdirSync(at(path))
    implied.delete(path)
    opaque.delete(path)
  }

  function makeOpaque(folder: string): void {
    needParent(`${folder}/x`)
    count(folder)
    opaque.add(folder)
  }

  function hide(path: string): void {
    needParent(path)
    // It speaks of the layers below: what this layer itself brought stays, as a folder that shows nothing below.
    const found = look(path)
    whiteouts.add(path)
    if (found === undefined && !links.has(path)) makeWhiteout(Buffer.from(`/${path}\0`, 'latin1'))
    else if (found?.isDirectory()) makeOpaque(path)
  }

  /** Whether this layer hides what those below have at a path. */
  function isHidden(path: string): boolean {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1))
      if (opaque.has(path.slice(0, slash)) || whiteouts.has(path.slice(0, slash))) return true
    return opaque.has('') || whiteouts.has(path)
  }

  function makeFolder(path: string, entry: TarEntry): void {
    if (!clear(path, true)) {
      fs.mkdirSync(at(path), 0o700)
      if (whiteouts.has(path)) makeOpaque(path)
    }
    implied.delete(path)
    folderTimes.set(path, entry)
  }

  function makeLink(path: string, name: string): void {
    const meaning = meaningOf(name)
    const refused = new EngineError('corrupt', `it has a hard link to ${shown(name)}, which it does not hold`)
    if (meaning.kind !== 'entry') throw refused
    const target = links.get(meaning.path) ?? meaning.path
    if (target === path) throw refused
    clear(path, false)
    // A whiteout: what it hid is there no more.
    if (look(target)?.isCharacterDevice()) throw refused
    try {
      fs.linkSync(at(target), at(path))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      if (isHidden(target)) throw refused
      count(path, target)
      links.set(path, target)
    }
  }

  function create(path: string, mode: number): number {
    const { O_WRONLY, O_CREAT, O_EXCL } = fs.constants
    const open = () => fs.openSync(at(path), O_WRONLY | O_CREAT | O_EXCL, mode)
    try {
      return open()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      clear(path, false)
      return open()
    }
  }

  function setAttributes(path: string, attributes: Map<string, Buffer>): void {
    if (attributes.size === 0) return
    for (const [name, value] of attributes) {
      if (!isAllowedAttribute(name)) continue
      try {
        setAttribute(Buffer.from(`/${path}\0`, 'latin1'), name, value)
      } catch (error) {
        // The file system keeps none, or none of this kind on a link.
        if (!(error instanceof SystemCallError) || !['ENOTSUP', 'EOPNOTSUPP', 'EPERM'].includes(error.code))
          throw error
      }
    }
  }

  /** Node's own function knows microseconds only, and is the faster one. */
  function setTimes(path: string, { mtime, mtimeNanoseconds }: TarEntry): void {
    if (mtimeNanoseconds === 0) fs.lutimesSync(at(path), mtime, mtime)
    else setTime(Buffer.from(`/${path}\0`, 'latin1'), mtime, mtimeNanoseconds)
  }

  /** Owner, then attributes (a change of owner clears them), then mode, then times. */
  function dress(path: string, entry: TarEntry): void {
    const { kind, uid, gid, mode, attributes } = entry
    fs.lchownSync(at(path), uid, gid)
    setAttributes(path, attributes)
    if (kind !== 'symlink') fs.chmodSync(at(path), mode)
    if (kind !== 'folder') setTimes(path, entry)
  }

  return {
    begin(entry) {
      const meaning = meaningOf(entry.name)
      if (meaning.kind === 'refuse') throw new EngineError('corrupt', `it has ${meaning.why}`)
      if (meaning.kind === 'skip') return
      if (meaning.kind === 'opaque') return makeOpaque(meaning.folder)
      if (meaning.kind === 'whiteout') return hide(meaning.path)
      const { path } = meaning
      needParent(path)
      switch (entry.kind) {
        case 'file':
          if (links.size > 0) links.delete(path)
          file = { fd: create(path, entry.mode), path, entry, end: 0, writtenBack: 0 }
          return
        case 'folder':
          makeFolder(path, entry)
          break
        case 'symlink':
          clear(path, false)
          fs.symlinkSync(fromBytes(entry.linkName), at(path))
          break
        case 'link':
          // The file that it names has its owner and mode already.
          return makeLink(path, entry.linkName)
        case 'fifo':
          clear(path, false)
          makeFifo(Buffer.from(`/${path}\0`, 'latin1'))
          break
        case 'device':
          // Containers get their devices from the runtime; a node from an image would only be refused by the kernel.
          return
      }
      dress(path, entry)
    },

    content(bytes, position) {
      if (!file) return
      for (let done = 0; done < bytes.length; )
        done += fs.writeSync(file.fd, bytes, done, bytes.length - done, position + done)
      file.end = position + bytes.length
      if (file.end - file.writtenBack < writebackBytes) return
      startWriteback(file.fd)
      file.writtenBack = file.end
    },

    /** The hot path: tens of thousands of files a layer, so every system call counts. */
    end() {
      if (!file) return
      const { fd, path, entry, end, writtenBack } = file
      file = null
      try {
        if (end < entry.sizeBytes) fs.ftruncateSync(fd, entry.sizeBytes)
        if (entry.uid !== 0 || entry.gid !== 0) fs.fchownSync(fd, entry.uid, entry.gid)
        setAttributes(path, entry.attributes)
        // A change of owner, and bytes written, take these bits away.
        if (entry.mode > 0o777) fs.fchmodSync(fd, entry.mode)
        if (entry.mtimeNanoseconds === 0) fs.futimesSync(fd, entry.mtime, entry.mtime)
        else setTimes(path, entry)
        if (end - writtenBack >= leastWritebackBytes) startWriteback(fd)
        else if (++smallFiles % filesBetweenSyncs === 0) manySmallFiles()
      } finally {
        fs.closeSync(fd)
      }
    },

    finish() {
      for (const [path, entry] of folderTimes) if (look(path)?.isDirectory()) setTimes(path, entry)
      return {
        implied: [...implied],
        opaque: [...opaque],
        links: [...links].map(([path, target]) => ({ path, target })),
      }
    },
  }
}
