import { constants, lstatSync, openSync, readSync, rmSync } from 'node:fs'
import koffi from 'koffi'
import { requestLogPath } from '../../platform/model/request-log.ts'

const libc = koffi.load('libc.so.6')
const mkfifo = libc.func('int mkfifo(const char*, unsigned int)')
const fcntl = libc.func('int fcntl(int, int, int)')
/** F_SETPIPE_SZ of fcntl(2). */
const setPipeSize = 1031
const roomBytes = 2 ** 20

/**
 * Makes the pipe of notes unless it is there, with room for some 14,000 of them. Answers a descriptor that never blocks
 * and never ends.
 */
export function openRequestLog(home: string): number {
  const path = requestLogPath(home)
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there !== undefined && !there.isFIFO()) rmSync(path, { recursive: true })
  if (!there?.isFIFO() && Number(mkfifo(path, 0o600)) < 0)
    throw new Error(`the pipe ${path} could not be made: errno ${koffi.errno()}`)
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  // Whoever may not have so much room (fs.pipe-user-pages-soft) has less of it.
  fcntl(descriptor, setPipeSize, roomBytes)
  return descriptor
}

const buffer = Buffer.alloc(2 ** 18)
const mostAtOnceBytes = 16 * 2 ** 20

/** Takes each line that is there. Notes are written whole, so that the last one is too. */
export function readRequestNotes(descriptor: number, take: (line: string) => void): void {
  let rest = ''
  for (let bytes = 0; bytes < mostAtOnceBytes || rest !== ''; ) {
    const count = readSome(descriptor)
    if (count === 0) return
    bytes += count
    const lines = (rest + buffer.toString('latin1', 0, count)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  }
}

function readSome(descriptor: number): number {
  try {
    return readSync(descriptor, buffer)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0
    throw error
  }
}
