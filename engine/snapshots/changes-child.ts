/**
 * Writes a container's writable layer to standard output as a layer's tar. Runs in a process of its own whose root is
 * that folder: the container may be changing it at this moment, and whatever links it plants lead nowhere else. Calls
 * are synchronous, as this process does nothing else.
 */
import fs from 'node:fs'
import { enterRoot } from '../sys/confine.ts'
import { readAttribute, readAttributes } from '../sys/syscalls.ts'
import type { IdRange } from '../sys/user-namespace.ts'
import { capabilityForImage } from './capability.ts'
import { type TarEntry, tarEnd, tarHeader, tarPadding } from './tar-writer.ts'

export interface ChangesRequest {
  root: string
  /** Mount namespace of who asks. */
  outside: string
  idRange: IdRange
}

const standardOutput = 1
const nobody = 65_534
const slash = Buffer.from('/')
const chunk = Buffer.alloc(1 << 20)

process.once('message', (request: ChangesRequest) => {
  try {
    enterRoot(request.root, request.outside)
    writeFolder(Buffer.alloc(0), request.idRange, new Map())
    write(tarEnd)
    process.exit(0)
  } catch (error) {
    fs.writeSync(2, error instanceof Error ? error.message : String(error))
    process.exit(1)
  }
})
process.once('disconnect', () => process.exit(1))

/** @param links names of the files that have several, by their inode */
function writeFolder(folder: Buffer, idRange: IdRange, links: Map<bigint, Buffer>): void {
  const names = fs.readdirSync(Buffer.concat([slash, folder]), { encoding: 'buffer' }).sort(Buffer.compare)
  for (const name of names) {
    const path = folder.length === 0 ? name : Buffer.concat([folder, slash, name])
    const found = lookAt(path)
    if (found === null) continue
    const common = {
      path,
      mode: Number(found.mode),
      uid: idInside(Number(found.uid), idRange),
      gid: idInside(Number(found.gid), idRange),
      mtimeNs: found.mtimeNs,
      sizeBytes: 0,
    }
    if (found.isCharacterDevice() && found.rdev === 0n) writeWhiteout(folder, name, common)
    else if (found.isDirectory()) {
      write(tarHeader({ ...common, type: 'directory', attributes: attributesOf(path, idRange) }))
      if (attribute(path, 'trusted.overlay.opaque')?.toString() === 'y')
        writeWhiteout(path, Buffer.from('.wh..opq'), common)
      writeFolder(path, idRange, links)
    } else if (found.isSymbolicLink()) {
      const target = fs.readlinkSync(absolute(path), { encoding: 'buffer' })
      write(tarHeader({ ...common, type: 'symlink', target }))
    } else if (found.isFIFO()) write(tarHeader({ ...common, type: 'fifo' }))
    else if (found.isFile()) {
      const first = links.get(found.ino)
      if (first) {
        write(tarHeader({ ...common, type: 'link', target: first }))
        continue
      }
      if (found.nlink > 1n) links.set(found.ino, path)
      writeFile({ ...common, type: 'file', attributes: attributesOf(path, idRange) })
    }
    // Sockets end with their process, and devices are the runtime's.
  }
}

/** The size is what the file has when it is opened: what it gains meanwhile is left out, what it loses is zeros. */
function writeFile(entry: TarEntry): void {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants
  const file = fs.openSync(absolute(entry.path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const sizeBytes = fs.fstatSync(file).size
    write(tarHeader({ ...entry, sizeBytes }))
    for (let done = 0; done < sizeBytes; ) {
      const wanted = Math.min(chunk.length, sizeBytes - done)
      const read = fs.readSync(file, chunk, 0, wanted, done)
      if (read === 0) chunk.fill(0, 0, wanted)
      write(chunk.subarray(0, read || wanted))
      done += read || wanted
    }
    write(tarPadding(sizeBytes))
  } finally {
    fs.closeSync(file)
  }
}

function writeWhiteout(folder: Buffer, name: Buffer, common: Omit<TarEntry, 'type'>): void {
  const whiteout = Buffer.concat([Buffer.from('.wh.'), name])
  const path = folder.length === 0 ? whiteout : Buffer.concat([folder, slash, whiteout])
  write(tarHeader({ ...common, path, type: 'file', mode: 0o644 }))
}

function write(bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += fs.writeSync(standardOutput, bytes, done)
}

const absolute = (path: Buffer) => Buffer.concat([slash, path])
/** As system calls take it: with a NUL at its end. */
const forCall = (path: Buffer) => Buffer.concat([slash, path, Buffer.alloc(1)])
const attribute = (path: Buffer, name: string) => readAttribute(forCall(path), name)

/** Null when it is gone again. */
function lookAt(path: Buffer): fs.BigIntStats | null {
  return fs.lstatSync(absolute(path), { bigint: true, throwIfNoEntry: false }) ?? null
}

function idInside(id: number, { base, size }: IdRange): number {
  return id >= base && id < base + size ? id - base : nobody
}

function attributesOf(path: Buffer, idRange: IdRange): Map<string, Buffer> {
  const all = new Map<string, Buffer>()
  for (const [name, value] of readAttributes(forCall(path))) {
    if (name.startsWith('user.')) all.set(name, value)
    const capability = name === 'security.capability' ? capabilityForImage(value, idRange.base) : null
    if (capability) all.set(name, capability)
  }
  return all
}
