import type { Viewer } from './access.ts'
import { type LogLinePage, type LogListInput, listLogs } from './logs.ts'
import type { LogLine } from './model/events.ts'
import type { Platform } from './open.ts'

export const downloadFormats = ['text', 'json'] as const
export type DownloadFormat = (typeof downloadFormats)[number]

const pageLines = 1_000

/**
 * Every line that is kept and matches, oldest first, as text in pieces: `time process.replica text`, or JSON, one line
 * each. Up to the line that was the last when it began. Throws as listLogs does, before anything is answered; what
 * goes wrong later is thrown by the iteration.
 */
export async function downloadLogs(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  filter: Omit<LogListInput, 'cursor' | 'limit' | 'before' | 'after'>,
  format: DownloadFormat,
): Promise<AsyncGenerator<string, void, undefined>> {
  const ask = (cursor: string | undefined) =>
    listLogs(platform, viewer, appId, { ...filter, after: 0, limit: pageLines, cursor })
  const first = await ask(undefined)
  return pages(first, ask, format)
}

async function* pages(
  first: LogLinePage,
  ask: (cursor: string) => Promise<LogLinePage>,
  format: DownloadFormat,
): AsyncGenerator<string, void, undefined> {
  const end = first.last ?? 0
  let page = first
  for (;;) {
    const lines = page.data.filter(({ number }) => number <= end)
    if (lines.length > 0) yield lines.map((line) => show(line, format)).join('')
    if (page.nextCursor === null || lines.length < page.data.length) return
    page = await ask(page.nextCursor)
  }
}

function show(line: LogLine, format: DownloadFormat): string {
  return format === 'json'
    ? `${JSON.stringify(line)}\n`
    : `${line.time} ${line.process}.${line.replica + 1} ${line.text}\n`
}
