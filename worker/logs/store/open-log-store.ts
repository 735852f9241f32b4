import { mkdirSync } from 'node:fs'
import type { LogHistogram, LogPage } from '../../../platform/model/log-search.ts'
import { LogSearchError, type LogStore } from './log-store.ts'
import { createLogThread, TooLong } from './thread-of.ts'

/** Beyond its own budget: what can't be looked at in steps, such as a regular expression on one line. */
const searchLimitMs = 5_000

/** Opens the store below a folder, made if need be. Threads begin when they are of use. */
export function openLogStore(folder: string, { idleMs }: { idleMs?: number } = {}): LogStore {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const writer = createLogThread(folder, 'writer', idleMs)
  const reader = createLogThread(folder, 'reader', idleMs)

  async function read<Result>(method: string, ...values: unknown[]): Promise<Result> {
    try {
      return (await reader.ask(method, values, searchLimitMs)) as Result
    } catch (error) {
      if (!(error instanceof TooLong)) throw error
      throw new LogSearchError(
        'The search takes too long. Search for a text, which is found fast, or for a shorter time.',
      )
    }
  }

  return {
    position: async (...values) => (await writer.ask('position', values)) as string | null,
    append: async (...values) => (await writer.ask('append', values)) as number,
    end: async (...values) => void (await writer.ask('end', values)),
    usage: async () => (await writer.ask('usage', [])) as Record<string, number>,
    prune: async (keep) => (await writer.ask('prune', [keep])) as number,
    removeApp: async (appId) => void (await writer.ask('removeApp', [appId])),
    search: (...values) => read<LogPage>('search', ...values),
    histogram: (...values) => read<LogHistogram>('histogram', ...values),
    async close() {
      await Promise.all([reader.close(), writer.close()])
    },
  }
}
