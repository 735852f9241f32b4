import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** One file of an app's lines. Its name is the number of the first line that is or will be in it. */
export interface PartFile {
  path: string
  firstNumber: number
}

const digits = 16

/** Oldest first. */
export function partsOf(folder: string): PartFile[] {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
  return names
    .filter((name) => /^\d{16}\.db$/.test(name))
    .sort()
    .map((name) => ({ path: join(folder, name), firstNumber: Number(name.slice(0, digits)) }))
}

export function newPart(folder: string, firstNumber: number): PartFile {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return { path: join(folder, `${String(firstNumber).padStart(digits, '0')}.db`), firstNumber }
}

/** With what SQLite keeps beside it. 0 for one that is gone. */
export function partBytes({ path }: PartFile): number {
  return sizeOf(path) + sizeOf(`${path}-wal`)
}

/** When it was last written, in milliseconds since 1970. */
export function partTime({ path }: PartFile): number {
  const times = [path, `${path}-wal`].map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0)
  return Math.max(...times)
}

/** The file itself first: what is left of one that was cut off here is never read again. */
export function removePart({ path }: PartFile): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) rmSync(file, { force: true })
}

/** Apps whose lines are kept below a folder. */
export function appsIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /^[a-z]+_[a-z0-9]+$/i.test(name))
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
