/**
 * What layers show together, found out without mounting them: for what must be known of the layers below while a layer
 * is still made. The rules are overlayfs's own. Links are followed inside the view and lead nowhere else, and no system
 * call is given a path that has one on its way. Paths are text of one character a byte (byte-path.ts).
 */
import type { Stats } from 'node:fs'
import { lstat, readlink } from 'node:fs/promises'
import { readAttribute } from '../sys/syscalls.ts'
import { fromBytes } from './byte-path.ts'

export interface Found {
  /** Path in the view, without links on the way. */
  path: string
  /** Folder of the layer that it is in, and its path as the system takes it. */
  root: string
  file: string | Buffer
  stats: Stats
}

export interface MergedView {
  /** What is at a path, itself no link followed; null if there is nothing. '' is the root. */
  find(path: string): Promise<Found | null>
  /** The same, but a link at the end is followed too. */
  follow(path: string): Promise<Found | null>
}

interface Node {
  found: Found
  /** Of a folder: the layers that have a part of it, topmost first. */
  roots: string[]
}

const maxLinks = 40

/** @param layers folders of the layers, topmost first */
export function mergedView(layers: string[]): MergedView {
  // Many are asked about what is in the same folder.
  const known = new Map<string, Promise<Node | null>>()

  async function look(path: string, candidates: string[]): Promise<Node | null> {
    const roots: string[] = []
    let top: Found | null = null
    for (const root of candidates) {
      const file = fromBytes(path === '' ? root : `${Buffer.from(root).toString('latin1')}/${path}`)
      const stats = await lstat(file).catch(() => null)
      if (stats === null) continue
      if (!stats.isDirectory()) {
        // A whiteout hides what is below, and so does a file.
        if (top === null && !isWhiteout(stats)) top = { path, root, file, stats }
        break
      }
      top ??= { path, root, file, stats }
      roots.push(root)
      if (isOpaque(file)) break
    }
    return top && { found: top, roots }
  }

  function child(parent: Node, name: string): Promise<Node | null> {
    const path = parent.found.path === '' ? name : `${parent.found.path}/${name}`
    const looked = known.get(path) ?? look(path, parent.roots)
    known.set(path, looked)
    return looked
  }

  async function walk(path: string, isFollowed: boolean): Promise<Found | null> {
    const root = await look('', layers)
    if (root === null) return null
    let links = 0
    let way = [root]
    const names = path.split('/').reverse()
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      if (name === '' || name === '.') continue
      if (name === '..') {
        if (way.length > 1) way.pop()
        continue
      }
      const parent = way.at(-1) ?? root
      if (parent.roots.length === 0) return null
      const next = await child(parent, name)
      if (next === null) return null
      const isLast = names.length === 0
      if (next.found.stats.isSymbolicLink() && (isFollowed || !isLast)) {
        if (++links > maxLinks) return null
        const target = (await readlink(next.found.file, { encoding: 'buffer' })).toString('latin1')
        if (target.startsWith('/')) way = [root]
        names.push(...target.split('/').reverse())
        continue
      }
      way.push(next)
    }
    return way.at(-1)?.found ?? null
  }

  return {
    find: (path) => walk(path, false),
    follow: (path) => walk(path, true),
  }
}

function isWhiteout(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0
}

function isOpaque(file: string | Buffer): boolean {
  const path = Buffer.concat([Buffer.from(file), Buffer.alloc(1)])
  return readAttribute(path, 'trusted.overlay.opaque')?.toString() === 'y'
}
