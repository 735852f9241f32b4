/** The platform of the machine that we run on. */
import { readFileSync } from 'node:fs'
import type { Platform } from '../oci/manifest.ts'

/** What each level of x86-64 adds. Source: x86-64 psABI, "Micro-Architecture Levels"; names as in /proc/cpuinfo. */
const amd64Levels = [
  ['v2', ['cx16', 'lahf_lm', 'popcnt', 'pni', 'sse4_1', 'sse4_2', 'ssse3']],
  ['v3', ['avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe', 'xsave']],
  ['v4', ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl']],
] as const

let known: Platform | undefined

/** Such as linux/amd64/v3. Looked up once. */
export function hostPlatform(): Platform {
  known ??= look()
  return known
}

function look(): Platform {
  if (process.arch === 'x64') return { os: 'linux', architecture: 'amd64', variant: amd64Level(cpuFlags()) }
  if (process.arch === 'arm') {
    const version: unknown = (process.config.variables as Record<string, unknown>).arm_version
    return { os: 'linux', architecture: 'arm', variant: `v${version ?? 7}` }
  }
  return { os: 'linux', architecture: process.arch === 'ia32' ? '386' : process.arch }
}

/** The highest level whose flags, and those of the levels below, are all there. */
export function amd64Level(flags: Set<string>): string {
  let level = 'v1'
  for (const [name, needed] of amd64Levels) {
    if (!needed.every((flag) => flags.has(flag))) break
    level = name
  }
  return level
}

function cpuFlags(): Set<string> {
  try {
    const [, flags = ''] = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? []
    return new Set(flags.trim().split(/\s+/))
  } catch {
    // What every processor of this kind runs.
    return new Set()
  }
}
