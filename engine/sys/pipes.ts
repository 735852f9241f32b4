/**
 * Named pipes between us and a process that somebody else starts. Whoever opens one end waits for the other, so both
 * ends are opened here first. Source: fifo(7).
 */
import { closeSync, constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import koffi from 'koffi'
import { EngineError } from '../errors.ts'

const libc = koffi.load('libc.so.6')
const mkfifo = libc.func('int mkfifo(const char*, unsigned int)')
const fcntl = libc.func('int fcntl(int, int, int)')
const ioctl = libc.func('int ioctl(int, unsigned long, void*)')
/** How many bytes are there to read. Source: ioctl_pipe, FIONREAD in asm-generic/ioctls.h. */
const countBytes = 0x541b
const { O_RDONLY, O_WRONLY, O_RDWR, O_NONBLOCK } = constants
const lastWordsMs = 500
const lookEveryMs = 25
/** F_SETPIPE_SZ of fcntl(2). */
const setPipeSize = 1_031
/** What anybody may ask for by default. */
const usualMostBytes = 1_048_576

function makePipe(path: string): void {
  if (Number(mkfifo(path, 0o600)) < 0)
    throw new EngineError('internal', `cannot make the pipe ${path}: errno ${koffi.errno()}`)
}

/**
 * What the process will write. `ended` says that it has: what is in the pipe is read, and then it ends.
 * @param aheadBytes what it may write before somebody reads it, as far as the kernel gives that; default 64 KiB.
 */
export function openOutput(path: string, aheadBytes?: number): { stream: Readable; ended: () => void } {
  makePipe(path)
  const reader = openSync(path, O_RDONLY | O_NONBLOCK)
  if (aheadBytes !== undefined && Number(fcntl(reader, setPipeSize, aheadBytes)) < 0)
    fcntl(reader, setPipeSize, Math.min(aheadBytes, usualMostBytes))
  // Without a writer the pipe would end before it began.
  let keeper: number | null = openSync(path, O_WRONLY | O_NONBLOCK)
  const stream = new Socket({ fd: reader, readable: true, writable: false })
  return {
    stream,
    ended() {
      if (keeper === null) return
      closeSync(keeper)
      keeper = null
      // Somebody whom it started may hold the pipe for as long as it likes, and whoever reads may be slow: the end
      // comes when all that it wrote itself was read.
      const wholeBytes = stream.bytesRead + bytesIn(reader)
      const soonest = Date.now() + lastWordsMs
      const timer = setInterval(() => {
        if (Date.now() < soonest || stream.bytesRead < wholeBytes) return
        clearInterval(timer)
        stream.push(null)
      }, lookEveryMs)
      timer.unref()
      stream.once('end', () => clearInterval(timer))
      stream.once('close', () => clearInterval(timer))
    },
  }
}

function bytesIn(pipe: number): number {
  const count = Buffer.alloc(4)
  return Number(ioctl(pipe, countBytes, count)) < 0 ? 0 : count.readInt32LE()
}

/** What the process will read; it reads the end of it when the stream has ended. */
export function openInput(path: string): Writable {
  makePipe(path)
  const stream = new Socket({ fd: openSync(path, O_RDWR | O_NONBLOCK), readable: false, writable: true })
  // A process that does not read to the end is none of our faults.
  stream.on('error', () => {})
  return stream
}
