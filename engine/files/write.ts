import { randomBytes } from 'node:crypto'
import { constants, statfsSync } from 'node:fs'
import { chown, type FileHandle, lstat, mkdir, open, rename, rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { EngineError } from '../errors.ts'
import { linkOpenFile, SystemCallError } from '../sys/syscalls.ts'
import type { WriteOptions } from './file-tree.ts'
import { inWords, shown, told, within } from './nodes.ts'
import { changing } from './turns.ts'

const { O_RDWR, O_DIRECTORY, O_NOFOLLOW } = constants
/** A file without a name, which is gone with whoever had it open. Source: open(2). */
const O_TMPFILE = 0o20000000 | O_DIRECTORY
const setGroupId = 0o2000

export interface NewFile {
  /** Held open. */
  folder: number
  name: Buffer
  /** Whole, for sentences. */
  path: Buffer
  /** Who it belongs to where it replaces nothing, as ids of the host; default: whoever has the folder. */
  owner: readonly [number, number] | null
  hasSpace: (bytes: number) => boolean
}

export async function writeFile(
  { folder, name, path, owner, hasSpace }: NewFile,
  content: Readable,
  { maxBytes, replace = false, signal }: WriteOptions,
): Promise<void> {
  const old = await lstat(within(folder, name)).catch(() => null)
  if (old?.isDirectory()) throw new EngineError('already-exists', `${shown(path)} is a folder`)
  if (old !== null && !replace) throw new EngineError('already-exists', `${shown(path)} is there already`)
  if (old !== null && !old.isFile() && !old.isSymbolicLink())
    throw new EngineError('invalid', `${shown(path)} is no file that can be replaced`)
  const givenUp = new EngineError('canceled', 'the transfer was given up')
  const giveUp = () => content.destroy(givenUp)
  signal?.addEventListener('abort', giveUp, { once: true })
  try {
    if (signal?.aborted) throw givenUp
    const file = await changing(() => open(within(folder, '.'), O_TMPFILE | O_RDWR, 0o600))
    try {
      let whole = 0
      for await (const chunk of content as AsyncIterable<Buffer>) {
        whole += chunk.length
        if (whole > maxBytes)
          throw new EngineError('limit-exceeded', `${shown(path)} would have more than ${maxBytes} bytes`)
        if (!hasSpace(chunk.length) || !hasRoom(folder, chunk.length)) throw noSpace(path)
        await writeAll(file, chunk)
      }
      if (signal?.aborted) throw givenUp
      const isReplaced = old?.isFile() === true
      const [uid, gid] = isReplaced ? [old.uid, old.gid] : await ownerIn(folder, owner)
      await changing(async () => {
        // In this order: a change of owner takes set-user-id away.
        await file.chown(uid, gid)
        await file.chmod(isReplaced ? old.mode & 0o777 : 0o644)
        await file.datasync()
      })
      await giveName(file, folder, name, path, replace)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw inWords(path, error)
  } finally {
    signal?.removeEventListener('abort', giveUp)
  }
}

export async function makeFolder({ folder, name, path, owner }: NewFile): Promise<void> {
  if (!hasRoom(folder, 1)) throw noSpace(path)
  try {
    const [uid, gid] = await ownerIn(folder, owner)
    await changing(() => mkdir(within(folder, name), 0o755))
    const made = await open(within(folder, name), constants.O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    try {
      await changing(() => chown(`/proc/self/fd/${made.fd}`, uid, gid))
    } finally {
      await made.close()
    }
  } catch (error) {
    throw inWords(path, error)
  }
}

/** Who has the folder, where nobody is said; and its group, where that goes on to what is in it. */
async function ownerIn(folder: number, owner: NewFile['owner']): Promise<readonly [number, number]> {
  const { uid, gid, mode } = await lstat(within(folder, '.'))
  if (owner === null) return [uid, gid]
  return [owner[0], (mode & setGroupId) === 0 ? owner[1] : gid]
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; )
    done += (await changing(() => file.write(chunk, done))).bytesWritten
}

async function giveName(
  file: FileHandle,
  folder: number,
  name: Buffer,
  path: Buffer,
  replace: boolean,
): Promise<void> {
  const zero = Buffer.alloc(1)
  try {
    return linkOpenFile(file.fd, folder, Buffer.concat([name, zero]))
  } catch (error) {
    if (!(error instanceof SystemCallError) || error.code !== 'EEXIST' || !replace) throw error
  }
  // A rename replaces, a link does not.
  const between = Buffer.from(`.berth-${randomBytes(8).toString('hex')}`)
  told(path, () => linkOpenFile(file.fd, folder, Buffer.concat([between, zero])))
  try {
    await changing(() => rename(within(folder, between), within(folder, name)))
  } catch (error) {
    await rm(within(folder, between), { force: true })
    throw error
  }
}

/** Asked, as the kernel holds the host's root to no quota. A file system without a number of files says 0 of 0. */
function hasRoom(folder: number, bytes: number): boolean {
  const { bavail, bsize, files, ffree } = statfsSync(within(folder, '.'))
  return bavail * bsize >= bytes && (files === 0 || ffree > 0)
}

function noSpace(path: Buffer): EngineError {
  return new EngineError('limit-exceeded', `there is no space left for ${shown(path)}`)
}
