/** Runs in a worker of the browser: says which lines a search is true of. See search-aside.ts. */
import type { LogLine } from '@/platform/model/events.ts'
import { createLineMatcher, type LineMatcher, parseLogQuery } from '@/platform/model/log-query.ts'

export type AsideMessage = { query: string } | { id: number; lines: LogLine[] }
export interface AsideAnswer {
  id: number
  matches: boolean[]
}

let isMatch: LineMatcher = () => false

self.onmessage = ({ data }: MessageEvent<AsideMessage>) => {
  if ('query' in data) isMatch = createLineMatcher(parseLogQuery(data.query))
  else self.postMessage({ id: data.id, matches: data.lines.map(isMatch) } satisfies AsideAnswer)
}
