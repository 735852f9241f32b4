/**
 * A container's log as one row of bytes over several files: `log`, which conmon writes, and `log.<start>` for what was
 * put aside, named by where in the whole its first byte is. The newest one put aside is always kept, since it says
 * where `log` begins. Old ones go, so the row has a beginning that moves.
 *
 * `log.held` is a second name of `log`. While no engine is there to put it aside, the monitor begins anew by itself when
 * it is full, and takes the first name away; what was in it is then found by the second one.
 */
import { linkSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'

export interface LogSegment {
  path: string
  start: number
  sizeBytes: number
  /** Milliseconds since 1970. */
  changedAt: number
  inode: number
}

/**
 * Oldest first; none of a container that was removed. The last one is written to: `log`, or the one put aside last
 * while its monitor opens a new `log`.
 */
export function logSegments(folder: string): LogSegment[] {
  const starts = namesIn(folder)
    .flatMap((name) => /^log\.(\d{1,15})$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((one, other) => one - other)
  const aside = starts.flatMap((start) => segment(asideName(folder, start), start))
  const written = segment(join(folder, 'log'), endOf(aside))
  const held = segment(heldName(folder), endOf(aside))
  const isFull = held.some(({ inode }) => ![...aside, ...written].some((other) => other.inode === inode))
  if (!isFull) return [...aside, ...written]
  return [...aside, ...held, ...written.map((one) => ({ ...one, start: endOf(held) }))]
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

const asideName = (folder: string, start: number): string => join(folder, `log.${start}`)
const heldName = (folder: string): string => join(folder, 'log.held')

function endOf(segments: LogSegment[]): number {
  const last = segments.at(-1)
  return last ? last.start + last.sizeBytes : 0
}

function segment(path: string, start: number): LogSegment[] {
  const found = statSync(path, { throwIfNoEntry: false })
  return found ? [{ path, start, sizeBytes: found.size, changedAt: found.mtimeMs, inode: found.ino }] : []
}

/** Takes the first name of the file that is written to away: the monitor writes on into it. */
export function putAside(folder: string): void {
  const last = logSegments(folder).at(-1)
  if (last && isWritten(last)) renameSync(last.path, asideName(folder, last.start))
}

/** Whether it is the one that the monitor opens by name, and not one put aside. */
export const isWritten = ({ path }: LogSegment): boolean => path.endsWith('/log')

/** What is asked of every log twice a second: its size, and whether it has its second name; null: there is no `log`. */
export function writtenLog(folder: string): { sizeBytes: number; isHeld: boolean } | null {
  const written = statSync(join(folder, 'log'), { throwIfNoEntry: false })
  if (written === undefined) return null
  return { sizeBytes: written.size, isHeld: inodeOf(heldName(folder)) === written.ino }
}

const inodeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.ino

/** Whether `log` lacks its second name, or what a monitor left when it began anew has no other. */
export const mustHold = (folder: string): boolean => writtenLog(folder)?.isHeld === false

/** Gives `log` its second name; what had it before keeps a name of its own. */
export function holdLog(folder: string): void {
  const held = heldName(folder)
  const full = logSegments(folder).find(({ path }) => path === held)
  if (full) renameSync(held, asideName(folder, full.start))
  else rmSync(held, { force: true })
  linkSync(join(folder, 'log'), held)
}

/** Removes the oldest ones put aside, so that there are at most so many files with the one that is written to. */
export function dropOldest(folder: string, files: number): void {
  const aside = logSegments(folder).filter((one) => !isWritten(one))
  for (const { path } of aside.slice(0, Math.max(0, aside.length - (files - 1))))
    rmSync(path, { force: true })
}

export interface LogReader {
  /** Where the row begins and ends now. */
  bounds(): { start: number; end: number }
  /**
   * Reads at `position`, or from the beginning of the row if that is gone by now. No bytes: there are none yet.
   * `at` is where the bytes really are.
   */
  read(buffer: Buffer, position: number): Promise<{ at: number; bytesRead: number }>
  close(): Promise<void>
}

export function openLogReader(folder: string): LogReader {
  let current: { segment: LogSegment; file: FileHandle } | null = null

  async function close(): Promise<void> {
    await current?.file.close()
    current = null
  }

  /** The file that holds a position, or the one that will. */
  async function openAt(position: number): Promise<number> {
    await close()
    const segments = logSegments(folder)
    const first = segments[0]
    if (!first) return position
    const at = Math.max(first.start, position)
    const found = segments.findLast(({ start }) => start <= at) ?? first
    const file = await open(found.path, 'r').catch(() => null)
    if (file) current = { segment: found, file }
    return at
  }

  return {
    bounds() {
      const segments = logSegments(folder)
      return { start: segments[0]?.start ?? 0, end: endOf(segments) }
    },
    async read(buffer, position) {
      let at = position
      for (;;) {
        if (current === null || at < current.segment.start) at = await openAt(at)
        if (current === null) return { at, bytesRead: 0 }
        const { segment: here, file } = current
        // Asked before the read: once there is a newer file, nothing is added to this one.
        const isLast =
          inodeOf(join(folder, 'log')) === here.inode ||
          (await isStill(file, logSegments(folder).at(-1)?.path))
        const { bytesRead } = await file.read(buffer, 0, buffer.length, at - here.start)
        if (bytesRead > 0 || isLast) return { at, bytesRead }
        // The next file begins where this one ended.
        await close()
      }
    },
    close,
  }
}

async function isStill(file: FileHandle, path: string | undefined): Promise<boolean> {
  const named = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false })
  return named === undefined || named.ino === (await file.stat()).ino
}
