/**
 * What a process gives up, for good, before it works on what strangers sent: all files but one folder, all privileges
 * but a few, all system calls but those it needs. Each holds for all of its threads. Sources: pivot_root(2),
 * capabilities(7), seccomp(2).
 */
import { readlinkSync } from 'node:fs'
import koffi from 'koffi'
import { EngineError } from '../errors.ts'
import { check, mount, mountFlags, unmount } from './syscalls.ts'

const libc = koffi.load('libc.so.6')
const calls = {
  syscallPaths: libc.func('long syscall(long, const char*, const char*)'),
  syscallIds: libc.func('long syscall(long, long, long, long)'),
  capset: libc.func('int capset(const void*, const void*)'),
  prctl: libc.func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)'),
  setresuid: libc.func('int setresuid(unsigned int, unsigned int, unsigned int)'),
}

interface CallNumbers {
  pivotRoot: number
  setresuid: number
}
const numbers: Partial<Record<NodeJS.Architecture, CallNumbers>> = {
  x64: { pivotRoot: 155, setresuid: 117 },
  arm64: { pivotRoot: 41, setresuid: 147 },
}

function numberOf(call: keyof CallNumbers): number {
  const known = numbers[process.arch]
  if (!known) throw new EngineError('unsupported', `layers cannot be unpacked on ${process.arch}`)
  return known[call]
}

/** Which mount namespace we are in: for whoever starts somebody that must be in another one. */
export function mountNamespace(): string {
  return readlinkSync('/proc/self/ns/mnt')
}

/**
 * Makes `root` the root of everybody in our mount namespace, and lets go of all else that was mounted: nothing outside
 * can be named any more.
 * @param outside mount namespace of who started us. In that one it would take the host's root from everybody, so it
 *   throws failed-precondition there and does nothing. Source: pivot_root(2), NOTES.
 */
export function enterRoot(root: string, outside: string): void {
  if (mountNamespace() === outside)
    throw new EngineError(
      'failed-precondition',
      `${root} is to be entered in a mount namespace of its own only`,
    )
  mount(root, root, '', mountFlags.bind | mountFlags.rec, '')
  process.chdir(root)
  check(calls.syscallPaths(numberOf('pivotRoot'), '.', '.'), 'pivot_root', root)
  unmount('.', { detach: true })
  process.chdir('/')
}

const setuid = 7
const sigkill = 9
/** Options of prctl(2). */
const options = { parentDeathSignal: 1, keepCapabilities: 8 }
const nobody = 65_534

/**
 * Gives up all capabilities but these. Those threads that run already, which Node starts for itself, keep none at all:
 * the kernel has no call for them, but libc gives a change of user to every thread, and who stops being root loses
 * what root has. Then this thread, which alone was told to keep it, becomes root again. Needs CAP_SETUID, which goes, and a parent that we are to end with.
 */
export function keepCapabilities(kept: number[]): void {
  check(calls.prctl(options.keepCapabilities, 1, 0, 0, 0), 'prctl', 'PR_SET_KEEPCAPS')
  check(calls.setresuid(nobody, nobody, nobody), 'setresuid', `user ${nobody}`)
  setCapabilities([...kept, setuid])
  // Not libc's: that one would make all of them root again.
  check(calls.syscallIds(numberOf('setresuid'), 0, 0, 0), 'setresuid', 'user 0')
  setCapabilities(kept)
  // The kernel forgets it when the user changes.
  check(calls.prctl(options.parentDeathSignal, sigkill, 0, 0, 0), 'prctl', 'PR_SET_PDEATHSIG')
}

function setCapabilities(kept: number[]): void {
  const header = Buffer.alloc(8)
  header.writeUInt32LE(0x20080522, 0)
  const set = kept.reduce((sum, number) => sum | (1n << BigInt(number)), 0n)
  const data = Buffer.alloc(24)
  for (const [index, half] of [set & 0xffffffffn, set >> 32n].entries()) {
    data.writeUInt32LE(Number(half), index * 12)
    data.writeUInt32LE(Number(half), index * 12 + 4)
  }
  check(calls.capset(header, data), 'capset', kept.join(', '))
}
