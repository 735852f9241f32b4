/** Runs where layers are unpacked, and tells what it can do there: first as it starts, then with all given up. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import koffi from 'koffi'
import { isEngineError } from '../../engine/errors.ts'
import { unpackCalls } from '../../engine/images/unpack-calls.ts'
import { enterRoot, keepCapabilities, mountNamespace } from '../../engine/sys/confine.ts'
import { allowOnly } from '../../engine/sys/seccomp-filter.ts'
import { check, makeFifo, makeWhiteout, mount, setAttribute } from '../../engine/sys/syscalls.ts'

export interface SandboxReport {
  namespaces: Record<string, string>
  interfaces: string[]
  limits: string
  pid: number
  /** What became of entering a root in the namespace that is said to be the outer one. */
  refused: string
  root: string[]
  /** What was tried, and the code of the error that it met. */
  tried: Record<string, string>
}

const libc = koffi.load('libc.so.6')
const mknod = libc.func('int mknod(const char*, unsigned int, unsigned long)')
const socket = libc.func('int socket(int, int, int)')
const unshare = libc.func('int unshare(int)')

function attempt(what: () => unknown): string {
  try {
    what()
    return 'done'
  } catch (error) {
    if (isEngineError(error, 'failed-precondition')) return error.kind
    return (error as { code?: string }).code ?? String(error)
  }
}

// To be looked at from outside, until it is ended.
process.channel?.ref()
process.once('message', ({ root, outside, namespace }: Record<string, string>) => {
  if (root === undefined || outside === undefined || namespace === undefined) return
  const kinds = ['user', 'mnt', 'pid', 'net', 'ipc', 'uts']
  const before = {
    namespaces: Object.fromEntries(kinds.map((kind) => [kind, readlinkSync(`/proc/self/ns/${kind}`)])),
    interfaces: Object.keys(networkInterfaces()),
    limits: readFileSync('/proc/self/limits', 'utf8'),
    pid: process.pid,
    refused: attempt(() => enterRoot(root, mountNamespace())),
  }
  enterRoot(root, namespace)
  keepCapabilities([0, 1, 3, 4, 31])
  allowOnly(unpackCalls)
  const attempts: Record<string, () => unknown> = {
    'reading outside': () => readdirSync(outside),
    'the way up': () => readdirSync('/../../../../proc'),
    'mounting a tmpfs': () => mount('none', '/', 'tmpfs', 0, ''),
    'marking for overlayfs': () =>
      setAttribute(Buffer.from('/\0'), 'trusted.overlay.opaque', Buffer.from('y')),
    'a signal': () => process.kill(process.pid, 0),
    'a program': () => {
      const { error } = spawnSync('/inside')
      if (error) throw error
    },
    'a socket': () => check(socket(1, 1, 0), 'socket', ''),
    'a namespace': () => check(unshare(0x20000), 'unshare', ''),
    'a disk': () => check(mknod('/disk', 0o060600, 0x800), 'mknod', ''),
    'a device': () => check(mknod('/null', 0o020600, 0x103), 'mknod', ''),
    'a whiteout': () => makeWhiteout(Buffer.from('/white\0')),
    'a FIFO': () => makeFifo(Buffer.from('/fifo\0')),
    'two gigabytes': () => Buffer.allocUnsafeSlow(2 ** 31).fill(1),
    'writing inside': () => writeFileSync('/inside', 'x'),
  }
  const tried = Object.fromEntries(Object.entries(attempts).map(([what, work]) => [what, attempt(work)]))
  process.send?.({ ...before, root: readdirSync('/').sort(), tried } satisfies SandboxReport)
})
