import { streams } from '../event-log.ts'
import type { LogLine } from '../model/events.ts'
import type { Platform } from '../open.ts'
import { isAway } from '../redis-away.ts'

/**
 * Shows lines that are kept to those who follow. An entry's id is the line's number, so whoever misses some sees it,
 * and reads them where they are kept. Never throws for that reason.
 */
export async function publishLogLines(platform: Platform, appId: string, lines: LogLine[]): Promise<void> {
  const stream = streams.appLogs(appId)
  if (lines.length === 0 || isAway(platform.redis)) return
  try {
    if ((await send(platform, stream, lines)) === 'behind') {
      // What is there has numbers that were not given yet: those of a store that is gone, or was put back.
      await platform.redis.del(stream.name)
      await send(platform, stream, lines)
    }
  } catch (error) {
    platform.log.warn({ err: error, app: appId }, 'lines of a log could not be shown; they are kept')
  }
}

async function send(
  platform: Platform,
  stream: ReturnType<typeof streams.appLogs>,
  lines: LogLine[],
): Promise<'sent' | 'behind'> {
  const pipeline = platform.redis.pipeline()
  for (const line of lines)
    pipeline.xadd(
      stream.name,
      ...['MAXLEN', '~', stream.maxLength, `${line.number}-0`, 'event', JSON.stringify(line)],
    )
  pipeline.expire(stream.name, stream.keepForSeconds)
  const failed = (await pipeline.exec())?.find(([error]) => error !== null)?.[0]
  if (!failed) return 'sent'
  if (/equal or smaller/.test(failed.message)) return 'behind'
  throw failed
}
