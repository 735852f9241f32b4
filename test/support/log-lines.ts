import { streams } from '../../platform/event-log.ts'
import type { LogLine } from '../../platform/model/events.ts'
import type { Platform } from '../../platform/open.ts'
import { publishLogLines } from '../../platform/worker/log-lines.ts'

/** As a worker shows lines after it kept them. Their numbers follow those of the lines before. */
export async function showLines(
  platform: Platform,
  appId: string,
  texts: string[],
  from: Partial<LogLine> = {},
): Promise<void> {
  const [newest] = await platform.redis.xrevrange(streams.appLogs(appId).name, '+', '-', 'COUNT', 1)
  const first = Number(newest?.[0].split('-')[0] ?? 0) + 1
  const lines = texts.map((text, index) => logLine(text, first + index, from))
  await publishLogLines(platform, appId, lines)
}

export function logLine(text: string, number: number, from: Partial<LogLine> = {}): LogLine {
  return {
    time: '2026-01-01T00:00:00.000000Z',
    stream: 'stdout',
    text,
    containerId: 'c',
    deploymentId: 'd',
    process: 'web',
    replica: 0,
    number,
    ...from,
  }
}
