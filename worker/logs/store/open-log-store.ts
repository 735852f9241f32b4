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

  /** Apps whose last lines found no room. */
  const full = new Set<string>()
  const newest = new Map<string, number>()

  async function append(...[appId, ...values]: Parameters<LogStore['append']>): Promise<number> {
    try {
      const first = (await writer.ask('append', [appId, ...values])) as number
      full.delete(appId)
      newest.set(appId, first + values[1].length - 1)
      return first
    } catch (error) {
      if (error instanceof Error && /disk is full|ENOSPC|EDQUOT/.test(error.message)) full.add(appId)
      throw error
    }
  }

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
    append,
    newest: (appId) => newest.get(appId),
    end: async (...values) => void (await writer.ask('end', values)),
    usage: async () => (await writer.ask('usage', [])) as Record<string, number>,
    prune: async (keep) => (await writer.ask('prune', [keep])) as number,
    async removeApp(appId) {
      for (const known of [full, newest]) known.delete(appId)
      await writer.ask('removeApp', [appId])
    },
    async search(appId, search) {
      const page = await read<LogPage>('search', appId, search)
      return { ...page, isDiskFull: full.has(appId) }
    },
    histogram: (...values) => read<LogHistogram>('histogram', ...values),
    async close() {
      await Promise.all([reader.close(), writer.close()])
    },
  }
}
