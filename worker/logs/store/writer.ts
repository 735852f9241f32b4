import { rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import type { KeepLogs, LogSource, NewLine } from './log-store.ts'
import { type OpenPart, openPart } from './open-part.ts'
import { appsIn, newPart, type PartFile, partBytes, partsOf, partTime, removePart } from './parts.ts'

/** A part that has grown to this is closed: what is removed goes in pieces of about this size. */
const partMaxBytes = 64 * 1024 * 1024
/** Each costs some memory and three descriptors. */
const maxOpen = 48

/** The half of the store that writes. Everything is done at once, by the one thread that it lives in. */
export class LogWriter {
  readonly #folder: string
  /** The newest part of an app, most recently used last. */
  readonly #open = new Map<string, OpenPart>()
  readonly #today: () => number

  /** @param today Days since 1970, UTC. */
  constructor(folder: string, today = () => Math.floor(Date.now() / 86_400_000)) {
    this.#folder = folder
    this.#today = today
  }

  position(appId: string, source: string): string | null {
    if (!this.#open.has(appId) && partsOf(this.#folderOf(appId)).length === 0) return null
    return this.#newest(appId).position(source)
  }

  append(appId: string, source: LogSource, lines: NewLine[], position: string): number {
    return this.#room(appId).append(source, lines, position)
  }

  end(appId: string, source: string): void {
    if (this.#open.has(appId) || partsOf(this.#folderOf(appId)).length > 0) this.#newest(appId).end(source)
  }

  usage(): Record<string, number> {
    const used = appsIn(this.#folder).map((appId) => {
      const parts = partsOf(this.#folderOf(appId))
      return [appId, parts.reduce((sum, part) => sum + partBytes(part), 0)] as const
    })
    return Object.fromEntries(used)
  }

  prune({ maxBytes, maxAgeMs, groups = [], minFreeBytes }: KeepLogs): number {
    let freed = 0
    for (const appId of appsIn(this.#folder)) {
      const parts = partsOf(this.#folderOf(appId)).map((file) => ({ file, bytes: partBytes(file) }))
      let total = parts.reduce((sum, { bytes }) => sum + bytes, 0)
      for (const { file, bytes } of parts) {
        if (total <= maxBytes && Date.now() - partTime(file) <= maxAgeMs) break
        freed += this.#remove(appId, file, bytes)
        total -= bytes
      }
    }
    for (const group of groups) freed += this.#shrink(group.appIds, group.maxBytes)
    return freed + this.#freeDisk(minFreeBytes)
  }

  removeApp(appId: string): void {
    this.#close(appId)
    rmSync(this.#folderOf(appId), { recursive: true, force: true })
  }

  close(): void {
    for (const appId of [...this.#open.keys()]) this.#close(appId)
  }

  /** The oldest of all, whosever they are. */
  #freeDisk(minFreeBytes: number): number {
    const isShort = () => {
      const { bavail, bsize } = statfsSync(this.#folder)
      return bavail * bsize < minFreeBytes
    }
    if (appsIn(this.#folder).length === 0 || !isShort()) return 0
    let freed = 0
    for (const { appId, file } of this.#oldestFirst(appsIn(this.#folder))) {
      if (!isShort()) break
      freed += this.#remove(appId, file, partBytes(file))
    }
    return freed
  }

  /** The oldest of some apps, until they take no more than this together. */
  #shrink(appIds: string[], maxBytes: number): number {
    const kept = new Set(appsIn(this.#folder))
    const parts = this.#oldestFirst(appIds.filter((appId) => kept.has(appId)))
    let total = parts.reduce((sum, { file }) => sum + partBytes(file), 0)
    let freed = 0
    for (const { appId, file } of parts) {
      if (total <= maxBytes) break
      const removed = this.#remove(appId, file, partBytes(file))
      total -= removed
      freed += removed
    }
    return freed
  }

  #oldestFirst(appIds: string[]): { appId: string; file: PartFile }[] {
    return appIds
      .flatMap((appId) => partsOf(this.#folderOf(appId)).map((file) => ({ appId, file, at: partTime(file) })))
      .sort((a, b) => a.at - b.at)
  }

  /** The newest is followed by an empty one, which knows the numbers and the sources that go on. */
  #remove(appId: string, file: PartFile, bytes: number): number {
    if (partsOf(this.#folderOf(appId)).at(-1)?.path === file.path) {
      const newest = this.#newest(appId)
      if (newest.next === newest.file.firstNumber) return 0
      this.#follow(appId, newest)
    }
    removePart(file)
    return bytes
  }

  #room(appId: string): OpenPart {
    const newest = this.#newest(appId)
    if (newest.next === newest.file.firstNumber) return newest
    const isOfToday = Math.floor(partTime(newest.file) / 86_400_000) === this.#today()
    return isOfToday && partBytes(newest.file) < partMaxBytes ? newest : this.#follow(appId, newest)
  }

  #follow(appId: string, before: OpenPart): OpenPart {
    const part = openPart(newPart(this.#folderOf(appId), before.next))
    part.adopt(before.sources())
    this.#close(appId)
    this.#open.set(appId, part)
    return part
  }

  #newest(appId: string): OpenPart {
    const folder = this.#folderOf(appId)
    const part = this.#open.get(appId) ?? this.#openNewest(folder)
    this.#open.delete(appId)
    this.#open.set(appId, part)
    const [oldest] = this.#open.keys()
    if (this.#open.size > maxOpen && oldest !== undefined) this.#close(oldest)
    return part
  }

  #openNewest(folder: string): OpenPart {
    const [file = newPart(folder, 1), before] = partsOf(folder).reverse()
    const part = openPart(file)
    // Cut off before it knew its sources: they are told it again.
    if (before !== undefined && part.next === file.firstNumber && part.sources().length === 0) {
      const older = openPart(before)
      part.adopt(older.sources())
      older.close()
    }
    return part
  }

  #close(appId: string): void {
    this.#open.get(appId)?.close()
    this.#open.delete(appId)
  }

  #folderOf(appId: string): string {
    if (!/^[a-z]+_[a-z0-9]+$/i.test(appId)) throw new Error(`${appId} is no id of an app`)
    return join(this.#folder, appId)
  }
}
