/**
 * The master of a terminal that a runtime made: received over a Unix socket (SCM_RIGHTS), which Node's own sockets
 * can't, then read, written and resized. Sources: unix(7), cmsg(3), ioctl_tty(2).
 */
import { closeSync, constants, rmSync, writeSync } from 'node:fs'
import { PassThrough, type Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { ReadStream } from 'node:tty'
import koffi from 'koffi'
import { EngineError } from '../errors.ts'

const libc = koffi.load('libc.so.6')
const calls = {
  socket: libc.func('int socket(int, int, int)'),
  bind: libc.func('int bind(int, const void*, unsigned int)'),
  listen: libc.func('int listen(int, int)'),
  accept4: libc.func('int accept4(int, void*, void*, int)'),
  recvmsg: libc.func('long recvmsg(int, void*, int)'),
  ioctl: libc.func('int ioctl(int, unsigned long, const void*)'),
  fcntl: libc.func('int fcntl(int, int, int)'),
}
const afUnix = 1
const sockStream = 1
const nonBlock = 0o4000
const closeOnExec = 0o2000000
const messageCloseOnExec = 0x40000000
const setWindowSize = 0x5414
const setFlags = 4
const writeAgainMs = 5

export interface TerminalSize {
  rows: number
  columns: number
}

export interface Terminal {
  readonly output: Readable
  readonly input: Writable
  resize(size: TerminalSize): void
}

/** Listens at `path` (107 bytes at most) for one terminal. `receive` throws when none came in time, or at the signal. */
export function listenForTerminal(path: string): {
  receive(options: { timeoutMs: number; signal: AbortSignal }): Promise<Terminal>
  close(): void
} {
  const name = Buffer.from(path)
  if (name.length > 107) throw new EngineError('internal', `${path} is too long for a socket`)
  const listener = must(calls.socket(afUnix, sockStream | nonBlock | closeOnExec, 0), 'socket')
  const address = Buffer.alloc(2 + name.length + 1)
  address.writeUInt16LE(afUnix, 0)
  name.copy(address, 2)
  must(calls.bind(listener, address, address.length), 'bind')
  must(calls.listen(listener, 1), 'listen')
  return {
    async receive({ timeoutMs, signal }) {
      const until = Date.now() + timeoutMs
      const poll = async (attempt: () => number): Promise<number> => {
        for (;;) {
          const result = attempt()
          if (result >= 0) return result
          signal.throwIfAborted()
          if (Date.now() > until) throw new EngineError('unavailable', `no terminal came in ${timeoutMs} ms`)
          await sleep(2)
        }
      }
      const connection = await poll(() => calls.accept4(listener, null, null, nonBlock | closeOnExec))
      try {
        return openTerminal(await poll(() => receiveDescriptor(connection)))
      } finally {
        closeSync(connection)
      }
    },
    close() {
      closeSync(listener)
      rmSync(path, { force: true })
    },
  }
}

/** -1 while there is none. */
function receiveDescriptor(socket: number): number {
  const memory = koffi.alloc('uint8_t', 512)
  try {
    const at = BigInt(koffi.address(memory))
    const view = Buffer.from(koffi.view(memory, 512))
    view.fill(0)
    // struct iovec at 64: 128 bytes of text at 128. struct msghdr at 0: control data at 256.
    view.writeBigUInt64LE(at + 128n, 64)
    view.writeBigUInt64LE(128n, 72)
    view.writeBigUInt64LE(at + 64n, 16)
    view.writeBigUInt64LE(1n, 24)
    view.writeBigUInt64LE(at + 256n, 32)
    view.writeBigUInt64LE(64n, 40)
    if (Number(calls.recvmsg(socket, memory, messageCloseOnExec)) < 0) return -1
    const isDescriptor = view.readInt32LE(256 + 8) === 1 && view.readInt32LE(256 + 12) === 1
    return isDescriptor ? view.readInt32LE(256 + 16) : -1
  } finally {
    koffi.free(memory)
  }
}

function openTerminal(fd: number): Terminal {
  calls.fcntl(fd, setFlags, nonBlock | constants.O_RDWR)
  const master = new ReadStream(fd)
  const output = new PassThrough()
  let isOpen = true
  master.pipe(output)
  // When the last process has let go of the terminal, reading it fails with EIO: that is its end.
  master.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EIO') output.destroy(error)
  })
  master.once('close', () => {
    isOpen = false
    output.end()
  })
  output.once('close', () => master.destroy())
  const input = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const write = (rest: Buffer) => {
        if (!isOpen) return done()
        try {
          const written = writeSync(fd, rest)
          if (written === rest.length) return done()
          setTimeout(write, writeAgainMs, rest.subarray(written))
        } catch (error) {
          const { code } = error as NodeJS.ErrnoException
          // The other side does not read: it is asked again, and nothing is lost.
          if (code === 'EAGAIN') setTimeout(write, writeAgainMs, rest)
          else done(code === 'EIO' ? null : (error as Error))
        }
      }
      write(chunk)
    },
  })
  return {
    output,
    input,
    resize({ rows, columns }) {
      if (!isOpen) return
      const size = Buffer.alloc(8)
      size.writeUInt16LE(rows, 0)
      size.writeUInt16LE(columns, 2)
      must(calls.ioctl(fd, setWindowSize, size), 'ioctl')
    },
  }
}

function must(result: number, call: string): number {
  if (result < 0) throw new EngineError('internal', `${call} failed with errno ${koffi.errno()}`)
  return result
}
