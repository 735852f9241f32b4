/**
 * What is left to do for a layer once those below it are known: a layer is unpacked alone, at the same time as the
 * others, and some of what it says speaks of them.
 *
 * - Folders that it implies take owner, mode, attributes and time from those that they would hide otherwise; where the
 *   layers below have a link to a folder instead, what the layer brought goes into that folder.
 * - Opaque folders get overlayfs's mark, which the process that unpacks may not set.
 * - A hard link to a file of a layer below: the file comes up, under all of its names, as overlayfs would do it.
 *
 * Nobody else works in the staged folder by now, but what is in it is hostile: no path with a link on its way is used.
 */
import { constants } from 'node:fs'
import {
  chmod,
  copyFile,
  lchown,
  link,
  lstat,
  mkdir,
  readdir,
  readlink,
  rename,
  rm,
  rmdir,
  symlink,
} from 'node:fs/promises'
import { EngineError } from '../errors.ts'
import { makeFifo, readAttributes, setAttribute, setTime } from '../sys/syscalls.ts'
import { fromBytes, shown, toBytes } from './byte-path.ts'
import type { Findings } from './layer-writer.ts'
import { type Found, type MergedView, mergedView } from './merged-view.ts'
import { isAllowedAttribute } from './unpack-rules.ts'

/**
 * @param staged the layer's folder, before it is visible
 * @param below folders of the layers below, topmost first
 */
export async function settleLayer(staged: string, findings: Findings, below: string[]): Promise<void> {
  const layer = openStaged(staged, findings, mergedView(below))
  for (const path of findings.implied.toSorted(byLength)) await layer.adopt(path)
  for (const path of findings.opaque) await layer.makeOpaque(path)
  for (const { path, target } of findings.links) await layer.link(path, target)
  await layer.restoreTimes()
}

function openStaged(staged: string, { opaque }: Findings, below: MergedView) {
  const root = Buffer.from(staged).toString('latin1')
  const at = (path: string) => fromBytes(path === '' ? root : `${root}/${path}`)
  const zeroEnded = (file: string | Buffer) => Buffer.concat([Buffer.from(file), Buffer.alloc(1)])
  const look = (path: string) => lstat(at(path)).catch(() => null)
  const opaqueFolders = new Set(opaque)
  /** Folders that went where a link below leads to. */
  const moved = new Map<string, string>()
  /** Times of folders, to be put back when all is done. */
  const times = new Map<string, bigint>()
  /** Where a file of a layer below was brought up to. */
  const broughtUp = new Map<string, string>()

  async function isPlainFolder(path: string): Promise<boolean> {
    for (const folder of [...parentsOf(path), path]) if (!(await look(folder))?.isDirectory()) return false
    return true
  }

  function isHidden(path: string): boolean {
    return opaqueFolders.has('') || [...parentsOf(path), path].some((folder) => opaqueFolders.has(folder))
  }

  function now(path: string): string {
    for (const folder of [path, ...parentsOf(path).reverse()]) {
      const to = moved.get(folder)
      if (to !== undefined) return to + path.slice(folder.length)
    }
    return path
  }

  /** To be called before a folder's entries change. */
  async function keepTime(folder: string): Promise<void> {
    if (!times.has(folder)) times.set(folder, (await lstat(at(folder), { bigint: true })).mtimeNs)
  }

  async function takeFrom(folder: string, found: Found): Promise<void> {
    await lchown(at(folder), found.stats.uid, found.stats.gid)
    copyAttributes(found.file, at(folder))
    await chmod(at(folder), found.stats.mode & 0o7777)
    times.set(folder, (await lstat(found.file, { bigint: true })).mtimeNs)
  }

  function copyAttributes(from: string | Buffer, to: string | Buffer): void {
    for (const [name, value] of readAttributes(zeroEnded(from)))
      if (isAllowedAttribute(name)) setAttribute(zeroEnded(to), name, value)
  }

  /** Makes folders that are not there, as the layers below have them. False where something else is in the way. */
  async function need(folder: string): Promise<boolean> {
    for (const path of folder === '' ? [] : [...parentsOf(folder), folder]) {
      const found = await look(path)
      if (found?.isDirectory()) continue
      if (found) return false
      await keepTime(parentOf(path))
      await mkdir(at(path), 0o755)
      const model = isHidden(path) ? null : await below.find(path)
      if (model?.stats.isDirectory()) await takeFrom(path, model)
    }
    return true
  }

  /** Puts what is at one path to another; of two folders the entries. */
  async function move(from: string, to: string): Promise<void> {
    const there = await look(to)
    if (there?.isDirectory() && (await look(from))?.isDirectory()) {
      for (const name of await readdir(at(from), { encoding: 'buffer' }))
        await move(`${from}/${toBytes(name)}`, `${to}/${toBytes(name)}`)
      return rmdir(at(from))
    }
    if (there) await rm(at(to), { recursive: true })
    await keepTime(parentOf(from))
    await keepTime(parentOf(to))
    await rename(at(from), at(to))
  }

  /** Brings a file of a layer below up, under its own path. False where this layer has something in the way. */
  async function bringUp({ file, stats }: Found, path: string): Promise<boolean> {
    if (isHidden(path) || (await look(path)) !== null || !(await need(parentOf(path)))) return false
    await keepTime(parentOf(path))
    const target = at(path)
    if (stats.isSymbolicLink()) await symlink(await readlink(file, { encoding: 'buffer' }), target)
    else if (stats.isFIFO()) makeFifo(zeroEnded(target))
    else await copyFile(file, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    await lchown(target, stats.uid, stats.gid)
    copyAttributes(file, target)
    if (!stats.isSymbolicLink()) await chmod(target, stats.mode & 0o7777)
    const { mtimeNs } = await lstat(file, { bigint: true })
    setTimeOf(target, mtimeNs)
    return true
  }

  function setTimeOf(file: string | Buffer, nanoseconds: bigint): void {
    const seconds = nanoseconds / 1_000_000_000n
    setTime(zeroEnded(file), Number(seconds), Number(nanoseconds - seconds * 1_000_000_000n))
  }

  /** The other names that a file has in its own layer, as far as they are still to be seen. */
  async function bringUpNames(source: Found): Promise<void> {
    if (source.stats.nlink < 2) return
    for await (const path of namesOf(source)) {
      const seen = path === source.path ? null : await below.find(path)
      if (seen?.root !== source.root || isHidden(path) || (await look(path)) || !(await need(parentOf(path))))
        continue
      await keepTime(parentOf(path))
      await link(at(source.path), at(path))
    }
  }

  return {
    async adopt(path: string): Promise<void> {
      const here = now(path)
      if (isHidden(path) || !(await isPlainFolder(here))) return
      const found = await below.find(here)
      if (found?.stats.isDirectory()) return takeFrom(here, found)
      const real = found?.stats.isSymbolicLink() ? await below.follow(here) : null
      if (!real?.stats.isDirectory() || real.path === '' || real.path.startsWith(`${here}/`)) return
      if (!(await need(real.path))) return
      await move(here, real.path)
      moved.set(path, real.path)
    },

    async makeOpaque(path: string): Promise<void> {
      const here = now(path)
      if (await isPlainFolder(here))
        setAttribute(zeroEnded(at(here)), 'trusted.overlay.opaque', Buffer.from('y'))
    },

    async link(path: string, target: string): Promise<void> {
      const here = now(path)
      const source = await below.find(target)
      if (source === null || source.stats.isDirectory())
        throw new EngineError(
          'corrupt',
          `it has a hard link to ${shown(target)}, which neither it nor a layer below holds`,
        )
      if (!(await isPlainFolder(parentOf(here))) || (await look(here))) return
      await keepTime(parentOf(here))
      const key = Buffer.from(source.file).toString('latin1')
      const known = broughtUp.get(key)
      if (known !== undefined) return link(at(known), at(here))
      if (await bringUp(source, source.path)) {
        broughtUp.set(key, source.path)
        await bringUpNames(source)
        return link(at(source.path), at(here))
      }
      // This layer has something else there by now, but the link was to what was there before.
      await bringUp(source, here)
      broughtUp.set(key, here)
    },

    async restoreTimes(): Promise<void> {
      for (const [folder, time] of times) if (await isPlainFolder(folder)) setTimeOf(at(folder), time)
    },
  }
}

const byLength = (a: string, b: string) => a.length - b.length

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0))
}

/** Outermost first, neither the root nor the path itself. */
function parentsOf(path: string): string[] {
  const parents: string[] = []
  for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1))
    parents.push(path.slice(0, slash))
  return parents
}

/** Every path in its layer that is this very file. */
async function* namesOf({ root, stats }: Found): AsyncIterable<string> {
  const base = Buffer.from(root).toString('latin1')
  const folders = ['']
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await readdir(fromBytes(`${base}/${folder}`), { withFileTypes: true, encoding: 'buffer' })
    for (const entry of entries) {
      const path = folder === '' ? toBytes(entry.name) : `${folder}/${toBytes(entry.name)}`
      if (entry.isDirectory()) folders.push(path)
      else if ((await lstat(fromBytes(`${base}/${path}`))).ino === stats.ino) yield path
    }
  }
}
