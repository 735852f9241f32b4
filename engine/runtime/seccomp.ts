/** The seccomp profile of every container, strict in shape: what is not named does not exist. Source: seccomp(2). */
import { allowedSyscalls } from './seccomp-names.ts'

/** CLONE_NEW* of all namespaces that clone(2) can make. */
const namespaceFlags = 0x7e020000
/** CLONE_NEWUSER. */
const newUserFlag = 0x10000000
const nestingCalls = ['unshare', 'mount', 'umount2']
const eperm = 1
const enosys = 38
const afAlg = 38
const afVsock = 40

export interface SeccompRule {
  names: readonly string[]
  action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO'
  errnoRet?: number
  args?: { index: number; value: number; valueTwo?: number; op: string }[]
}

export interface SeccompProfile {
  defaultAction: 'SCMP_ACT_ERRNO'
  defaultErrnoRet: number
  architectures: string[]
  syscalls: SeccompRule[]
}

const architectures: Partial<Record<NodeJS.Architecture, string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
}

const allow = (names: string[], args?: SeccompRule['args']): SeccompRule => ({
  names,
  action: 'SCMP_ACT_ALLOW',
  ...(args ? { args } : {}),
})

export interface SeccompOptions {
  refused?: readonly string[]
  nesting?: boolean
  ignoresSync?: boolean
}

/** What waits until bytes are on disk. */
const syncCalls = ['fsync', 'fdatasync', 'sync', 'syncfs', 'sync_file_range', 'msync']

/**
 * No mount, no setns, no new namespaces by clone's flags; clone3, whose flags no filter can read, does not exist, and
 * libraries fall back to clone. Sockets of AF_ALG (CVE-2026-31431) and AF_VSOCK are left out; socketcall, the 32-bit way
 * to them, is refused by name, since libseccomp lets it through wherever `socket` has a rule. `refused` are calls that
 * are refused too. With `nesting` mounts and new namespaces are allowed, all but user namespaces, in which a process
 * would have capabilities that its container does not have. With `ignoresSync` calls that wait for the disk say that all
 * is well and do nothing.
 */
export function seccompProfile(options: SeccompOptions = {}): SeccompProfile {
  const { refused = [], nesting = false, ignoresSync = false } = options
  const profile = usualProfile(nesting)
  const ignored = ignoresSync ? syncCalls.filter((name) => !refused.includes(name)) : []
  return answering(answering(profile, refused, eperm), ignored, 0)
}

/** The same, but these calls return with that error, or without one. */
function answering(profile: SeccompProfile, names: readonly string[], errnoRet: number): SeccompProfile {
  if (names.length === 0) return profile
  const kept = profile.syscalls
    .map((rule) => ({ ...rule, names: rule.names.filter((name) => !names.includes(name)) }))
    .filter((rule) => rule.names.length > 0)
  const rule: SeccompRule = { names: [...names].sort(), action: 'SCMP_ACT_ERRNO', errnoRet }
  return { ...profile, syscalls: [...kept, rule] }
}

function usualProfile(nesting: boolean): SeccompProfile {
  const flags = nesting ? newUserFlag : namespaceFlags
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: enosys,
    architectures: architectures[process.arch] ?? [],
    syscalls: [
      allow([...allowedSyscalls]),
      allow(['clone'], [{ index: 0, value: flags, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }]),
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: enosys },
      {
        names: ['setns', 'bpf', 'ptrace', 'keyctl', 'socketcall', ...(nesting ? [] : nestingCalls)],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: 1,
      },
      ...(nesting
        ? [
            allow(['mount', 'umount2', 'pivot_root']),
            allow(['unshare'], [{ index: 0, value: newUserFlag, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }]),
          ]
        : []),
      allow(['socket'], [{ index: 0, value: afAlg, op: 'SCMP_CMP_LT' }]),
      allow(['socket'], [{ index: 0, value: 39, op: 'SCMP_CMP_EQ' }]),
      allow(['socket'], [{ index: 0, value: afVsock, op: 'SCMP_CMP_GT' }]),
      ...[0x0, 0x8, 0x20000, 0x20008, 0xffffffff].map((value) =>
        allow(['personality'], [{ index: 0, value, op: 'SCMP_CMP_EQ' }]),
      ),
    ],
  }
}
