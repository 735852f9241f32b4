import type { KeepLogs } from './store/log-store.ts'

/** Of each app a month, and at most 1 GiB; less while the host's disk is nearly full. */
export const keptLogs: KeepLogs = {
  maxBytes: 2 ** 30,
  maxAgeMs: 30 * 86_400_000,
  minFreeBytes: 2 * 2 ** 30,
}
