/**
 * A filter of system calls for the process that we are, by libseccomp, which crun needs as well. (Those of containers
 * are the runtime's to load: runtime/seccomp.ts.) Source: seccomp_rule_add(3), seccomp_attr_set(3).
 */
import koffi from 'koffi'
import { EngineError } from '../errors.ts'

const library = koffi.load('libseccomp.so.2')
const lib = {
  init: library.func('void* seccomp_init(uint32_t)'),
  number: library.func('int seccomp_syscall_resolve_name(const char*)'),
  add: library.func('int seccomp_rule_add_array(void*, uint32_t, int, unsigned int, const void*)'),
  set: library.func('int seccomp_attr_set(void*, int, uint32_t)'),
  load: library.func('int seccomp_load(const void*)'),
  release: library.func('void seccomp_release(void*)'),
}

const allow = 0x7fff0000
/** ENOSYS: libraries try another way, where there is one. */
const refuse = 0x00050000 | 38
const threadSync = 4
const noSuchCall = -1
const equal = 4
const maskedEqual = 7

/** Of the argument's bits those of `mask`, all of them by default, must be `value`. */
export interface ArgumentIs {
  index: number
  value: number
  mask?: number
}

/** A name alone, or with what its arguments must be. Of several rules for one call, one must fit. */
export type CallRule = string | { call: string; when: ArgumentIs[] }

/**
 * From now on every thread of this process may make these system calls only; any other does not exist. Needs
 * no_new_privs. Throws internal, and unsupported where the kernel has no such filters.
 */
export function allowOnly(rules: CallRule[]): void {
  const filter = lib.init(refuse)
  try {
    succeed(lib.set(filter, threadSync, 1), 'threads')
    for (const rule of rules) {
      const { call, when } = typeof rule === 'string' ? { call: rule, when: [] } : rule
      const number = lib.number(call)
      if (number === noSuchCall)
        throw new EngineError('internal', `${call} is no system call that libseccomp knows`)
      // Below zero: one that this processor does not have, such as open on arm64.
      if (number >= 0) succeed(lib.add(filter, allow, number, when.length, conditions(when)), call)
    }
    succeed(lib.load(filter), 'loading it')
  } finally {
    lib.release(filter)
  }
}

function succeed(result: number, what: string): void {
  if (result !== 0)
    throw new EngineError(
      'unsupported',
      `this kernel takes no filter of system calls (${what}: error ${-result})`,
    )
}

/** struct scmp_arg_cmp: index, operator, two values. */
function conditions(when: ArgumentIs[]): Buffer | null {
  if (when.length === 0) return null
  const bytes = Buffer.alloc(when.length * 24)
  for (const [at, { index, value, mask }] of when.entries()) {
    bytes.writeUInt32LE(index, at * 24)
    bytes.writeUInt32LE(mask === undefined ? equal : maskedEqual, at * 24 + 4)
    bytes.writeBigUInt64LE(BigInt(mask ?? value), at * 24 + 8)
    bytes.writeBigUInt64LE(BigInt(value), at * 24 + 16)
  }
  return bytes
}
