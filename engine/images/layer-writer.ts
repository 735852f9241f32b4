/**
 * Writes a layer's entries below `/`, which must be the layer's own folder: whatever links an archive makes, they lead
 * nowhere else. Calls are synchronous: a layer has tens of thousands of small files, and this process waits for nothing
 * else.
 */
import fs from 'node:fs'
import type { Header } from 'tar-stream'
import { EngineError } from '../errors.ts'
import { makeWhiteout, SystemCallError, setAttribute } from '../sys/syscalls.ts'
import { ownerOf, timeOf } from './pax.ts'
import { isAllowedAttribute, meaningOf } from './unpack-rules.ts'

/** The list goes to the engine in one message. */
const maxImpliedBytes = 4 * 2 ** 20
const maxKnownFolders = 100_000

export interface LayerWriter {
  put(header: Header, attributes: Map<string, Buffer>, content: AsyncIterable<Buffer>): Promise<void>
  /** After the last entry. Answers with the folders that the layer needs and does not list. */
  finish(): string[]
}

const modeOf = (header: Header) => (header.mode ?? 0o644) & 0o7777

export function createLayerWriter(): LayerWriter {
  const implied = new Set<string>()
  const whiteouts = new Set<string>()
  const folderTimes = new Map<string, number>()
  const knownFolders = new Set<string>()
  let impliedBytes = 0

  /** Makes the folders that a path lies in, each marked as implied until an entry of its own comes. */
  function needParent(path: string): void {
    const slash = path.lastIndexOf('/')
    if (slash < 0) return
    const parent = path.slice(0, slash)
    if (knownFolders.has(parent)) return
    needParent(parent)
    const found = fs.statSync(`/${parent}`, { throwIfNoEntry: false })
    if (found === undefined || !found.isDirectory()) {
      fs.rmSync(`/${parent}`, { force: true })
      fs.mkdirSync(`/${parent}`, 0o755)
      if (whiteouts.has(parent)) makeOpaque(parent)
      else imply(parent)
    }
    if (knownFolders.size >= maxKnownFolders) knownFolders.clear()
    knownFolders.add(parent)
  }

  function imply(folder: string): void {
    implied.add(folder)
    impliedBytes += Buffer.byteLength(folder)
    if (impliedBytes > maxImpliedBytes)
      throw new EngineError('limit-exceeded', 'it has too many folders that it does not list')
  }

  /** Makes room for an entry: what was there goes, unless both are folders. True if a folder stands. */
  function clear(path: string, keepFolder: boolean): boolean {
    const found = fs.lstatSync(`/${path}`, { throwIfNoEntry: false })
    if (found === undefined) return false
    if (keepFolder && found.isDirectory()) return true
    fs.rmSync(`/${path}`, { recursive: true, force: true })
    // A folder, or a link to one: what lay below is there no more.
    if (!found.isFile()) knownFolders.clear()
    return false
  }

  function makeOpaque(folder: string): void {
    needParent(`${folder}/x`)
    setAttribute(`/${folder}`, 'trusted.overlay.opaque', Buffer.from('y'))
  }

  function hide(path: string): void {
    needParent(path)
    // It speaks of the layers below: what this layer itself brought stays, as a folder that shows nothing below.
    const found = fs.lstatSync(`/${path}`, { throwIfNoEntry: false })
    whiteouts.add(path)
    if (found === undefined) makeWhiteout(`/${path}`)
    else if (found.isDirectory()) makeOpaque(path)
  }

  function makeFolder(path: string, header: Header): void {
    if (!clear(path, true)) {
      fs.mkdirSync(`/${path}`, 0o700)
      if (whiteouts.has(path)) makeOpaque(path)
    }
    implied.delete(path)
    folderTimes.set(path, timeOf(header))
  }

  function makeLink(path: string, name: string): void {
    clear(path, false)
    const meaning = meaningOf(name)
    const refused = new EngineError(
      'corrupt',
      `it has a hard link to ${JSON.stringify(name.slice(0, 200))}, which it does not hold`,
    )
    if (meaning.kind !== 'entry') throw refused
    try {
      fs.linkSync(`/${meaning.path}`, `/${path}`)
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? refused : error
    }
  }

  /** The hot path: tens of thousands of files a layer, so every system call counts. */
  async function makeFile(
    path: string,
    header: Header,
    attributes: Map<string, Buffer>,
    content: AsyncIterable<Buffer>,
  ): Promise<void> {
    const mode = modeOf(header)
    const file = create(path, mode)
    try {
      for await (const chunk of content)
        for (let at = 0; at < chunk.length; ) at += fs.writeSync(file, chunk, at)
      const { uid, gid } = ownerOf(header)
      if (uid !== 0 || gid !== 0) fs.fchownSync(file, uid, gid)
      setAttributes(path, attributes)
      // A change of owner, and bytes written, take these bits away.
      if (mode > 0o777) fs.fchmodSync(file, mode)
      fs.futimesSync(file, timeOf(header), timeOf(header))
    } finally {
      fs.closeSync(file)
    }
  }

  function create(path: string, mode: number): number {
    const { O_WRONLY, O_CREAT, O_EXCL } = fs.constants
    const open = () => fs.openSync(`/${path}`, O_WRONLY | O_CREAT | O_EXCL, mode)
    try {
      return open()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      clear(path, false)
      return open()
    }
  }

  function setAttributes(path: string, attributes: Map<string, Buffer>): void {
    for (const [name, value] of attributes) {
      if (!isAllowedAttribute(name)) continue
      try {
        setAttribute(`/${path}`, name, value)
      } catch (error) {
        // The file system keeps none, or none of this kind on a link.
        if (!(error instanceof SystemCallError) || !['ENOTSUP', 'EOPNOTSUPP', 'EPERM'].includes(error.code))
          throw error
      }
    }
  }

  /** Owner, then attributes (a change of owner clears them), then mode, then times. */
  function dress(path: string, header: Header, attributes: Map<string, Buffer>): void {
    const { uid, gid } = ownerOf(header)
    fs.lchownSync(`/${path}`, uid, gid)
    setAttributes(path, attributes)
    if (header.type !== 'symlink') fs.chmodSync(`/${path}`, modeOf(header))
    if (header.type !== 'directory') fs.lutimesSync(`/${path}`, timeOf(header), timeOf(header))
  }

  return {
    async put(header, attributes, content) {
      const meaning = meaningOf(header.name)
      if (meaning.kind === 'refuse') throw new EngineError('corrupt', `it has ${meaning.why}`)
      if (meaning.kind === 'skip') return
      if (meaning.kind === 'opaque') return makeOpaque(meaning.folder)
      if (meaning.kind === 'whiteout') return hide(meaning.path)
      const { path } = meaning
      needParent(path)
      switch (header.type) {
        case 'file':
        case 'contiguous-file':
          return makeFile(path, header, attributes, content)
        case 'directory':
          makeFolder(path, header)
          break
        case 'symlink':
          clear(path, false)
          fs.symlinkSync(header.linkname ?? '', `/${path}`)
          break
        case 'link':
          // The file that it names has its owner and mode already.
          return makeLink(path, header.linkname ?? '')
        case 'fifo':
        case 'character-device':
        case 'block-device':
          // Containers get their devices from the runtime; a node from an image would only be refused by the kernel.
          return
        default:
          throw new EngineError('corrupt', `it has an entry of an unknown kind: ${header.type}`)
      }
      dress(path, header, attributes)
    },

    finish() {
      for (const [path, time] of folderTimes) {
        const found = fs.lstatSync(`/${path}`, { throwIfNoEntry: false })
        if (found?.isDirectory()) fs.lutimesSync(`/${path}`, time, time)
      }
      return [...implied]
    },
  }
}
