/**
 * Keeps what the containers of this host's apps wrote.
 *
 * A line has a number within its app: the first that was ever kept is 1, each next one more, whatever container,
 * deployment or run it came from. Pages, permalinks and streams that go on after a break all go by it. Lines stand in
 * the order in which they were read, which within a container is the order in which it wrote them.
 *
 * An app's lines are in a row of SQLite files, its parts. A part is closed when a day ends or when it has grown, and
 * what has become too old or too much is removed part by part, oldest first.
 *
 * Lines are kept together with the position in the container's own log after them, in one transaction: a worker that
 * is killed at any moment neither loses a line nor keeps one twice.
 */
import type { LogCount, LogHistogram, LogPage, LogSearch } from '../../../platform/model/log-search.ts'

/** Who wrote lines. `name` is one life of a container, so that none continues another's. */
export interface LogSource {
  name: string
  containerId: string
  deploymentId: string
  /** `web`, or that of a worker. */
  process: string
  replica: number
}

export interface NewLine {
  /** ISO 8601 with up to nanoseconds. */
  time: string
  stream: 'stdout' | 'stderr'
  text: string
}

export interface KeepLogs {
  /** Of each app. */
  maxBytes: number
  maxAgeMs: number
  /** Of some apps together, such as those of a team. */
  groups?: { appIds: string[]; maxBytes: number }[]
  /** Less free on the disk, and the oldest of all apps go until there is. */
  minFreeBytes: number
}

export interface LogStore {
  /** Position after the last line of this source that was kept, or null. */
  position(appId: string, source: string): Promise<string | null>
  /** Number of the first of the lines; the others follow it one by one. Throws when the disk is full. */
  append(appId: string, source: LogSource, lines: NewLine[], position: string): Promise<number>
  /** A container is gone and will write no more. */
  end(appId: string, source: string): Promise<void>
  /** Number of the last line that was appended since the store was opened; undefined: none was. */
  newest(appId: string): number | undefined
  /** Throws LogSearchError when the search can't be carried out in time. */
  search(appId: string, search: LogSearch): Promise<LogPage>
  histogram(appId: string, count: LogCount): Promise<LogHistogram>
  /** Bytes on disk by app. */
  usage(): Promise<Record<string, number>>
  /** Removes what is too old or too much; answers how many bytes went. */
  prune(keep: KeepLogs): Promise<number>
  removeApp(appId: string): Promise<void>
  close(): Promise<void>
}

export class LogSearchError extends Error {}
