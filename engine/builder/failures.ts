/** Why a build ended, from its last words. Pure. */
import type { BuildFailureReason, BuildPhase } from './builder.ts'

/** Of buildah 1.28: what it says of an image that it can't have. */
const ofBaseImage =
  /(creating build container|copying system image|initializing source|pinging container registry|reading manifest|short-name)/i
const ofDisk = /no space left on device|disk quota exceeded/i
const ofProcesses =
  /resource temporarily unavailable|can't fork|cannot fork|fork failed|retry: no child processes|newosproc/i

export interface Ending {
  phase: BuildPhase
  exitCode: number | null
  /** The last lines of it. */
  lines: readonly string[]
  wasOutOfMemory: boolean
}

export function reasonOf({ phase, exitCode, lines, wasOutOfMemory }: Ending): BuildFailureReason {
  const text = lines.join('\n')
  if (ofDisk.test(text)) return 'disk-full'
  if (wasOutOfMemory && exitCode !== 0) return 'out-of-memory'
  if (ofProcesses.test(text)) return 'too-many-processes'
  if (phase === 'unpacking') return 'source-invalid'
  if (phase === 'pushing') return 'push-failed'
  const last = lastError(lines)
  if (ofBaseImage.test(last) && !/building at STEP "(RUN|COPY|ADD)/.test(last)) return 'base-image'
  return 'failed'
}

/** What buildah said in the end, without its own beginning. */
export function lastError(lines: readonly string[]): string {
  const found =
    lines.findLast((line) => /^(\S+ )?error:/i.test(line)) ?? lines.findLast((line) => line.trim() !== '')
  return (found ?? 'it said nothing').replace(/^error: /i, '')
}
