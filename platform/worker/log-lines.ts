import { streams } from '../event-log.ts'
import type { LogLine } from '../model/events.ts'
import type { Platform } from '../open.ts'

/** Where the reader of a container's log is. `source` names one life of a container, so that none continues another's. */
export interface LogPosition {
  source: string
  cursor: string
}

/** Null when nothing of it was appended yet. */
export async function logCursor(platform: Platform, source: string): Promise<string | null> {
  return platform.redis.get(positionKey(source))
}

/**
 * Appends lines together with the position after them, in one step: a worker that is killed at any moment neither
 * loses a line nor appends one twice. Throws when Redis does not take them.
 */
export async function appendLogLines(
  platform: Platform,
  appId: string,
  lines: LogLine[],
  position: LogPosition,
): Promise<void> {
  const stream = streams.appLogs(appId)
  const transaction = platform.redis.multi()
  for (const line of lines)
    transaction.xadd(stream.name, 'MAXLEN', '~', stream.maxLength, '*', 'event', JSON.stringify(line))
  transaction.expire(stream.name, stream.keepForSeconds)
  transaction.set(positionKey(position.source), position.cursor, 'EX', stream.keepForSeconds)
  const results = await transaction.exec()
  const failed = results?.find(([error]) => error !== null)?.[0]
  if (results === null || failed) throw failed ?? new Error('Redis gave up the transaction.')
}

function positionKey(source: string): string {
  return `berth:log-position:${source}`
}
