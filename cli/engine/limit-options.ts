/** The flags of limits, which `run`, `create` and `update` share. */
import type { UpdateRequest } from '../../platform/model/engine-door.ts'
import { CommandError } from '../say.ts'

export interface LimitOptions {
  /** Bytes. */
  memory?: number
  /** Bytes, of memory and swap together. */
  memorySwap?: number
  cpus?: number
  cpuShares?: number
  pidsLimit?: number
}

/** Throws CommandError for a limit that needs another, with this exit code. */
export function limitsOf(
  { memory, memorySwap, cpus, cpuShares, pidsLimit }: LimitOptions,
  { exitCode }: { exitCode?: number } = {},
): NonNullable<UpdateRequest['limits']> {
  if (memorySwap !== undefined && memory === undefined)
    throw new CommandError('Give --memory too: --memory-swap counts memory and swap together.', { exitCode })
  return {
    ...(memory === undefined ? {} : { memoryBytes: memory }),
    ...(memory === undefined || memorySwap === undefined
      ? {}
      : { swapBytes: Math.max(0, memorySwap - memory) }),
    ...(cpus === undefined ? {} : { cpuMillis: Math.round(cpus * 1_000) }),
    ...(cpuShares === undefined ? {} : { cpuWeight: weightOf(cpuShares) }),
    ...(pidsLimit === undefined ? {} : { pids: pidsLimit }),
  }
}

/** 1,024 shares are the weight of 100 that everybody has. */
function weightOf(cpuShares: number): number {
  return Math.max(1, Math.round((cpuShares * 100) / 1_024))
}
