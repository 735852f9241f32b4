/** Lines as their receivers want them. Nothing here sends. */
import { type LogLineLevel, levelOf } from '../model/log-level.ts'
import type { StoredLine } from '../model/log-search.ts'

/** Whose lines they are. */
export interface DrainedApp {
  id: string
  name: string
  slug: string
  environment: string
  project: string
  team: string
}

/** An array of objects, one for each line. */
export function httpBody(app: DrainedApp, lines: readonly StoredLine[]): string {
  return JSON.stringify(
    lines.map(({ number, time, stream, text, process, replica, deploymentId, containerId }) => ({
      ...{ time, text, level: levelOf(text), stream },
      ...{ team: app.team, project: app.project, environment: app.environment, app: app.slug, appId: app.id },
      ...{ process, replica: replica + 1, deploymentId, containerId, number },
    })),
  )
}

interface LokiStream {
  stream: Record<string, string>
  values: [string, string][]
}

/**
 * Loki's push API (https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs). What differs from line to
 * line, such as containers, is no label: each value of one makes a stream of its own there.
 */
export function lokiBody(app: DrainedApp, lines: readonly StoredLine[]): string {
  const streams = new Map<string, LokiStream>()
  for (const { time, text, stream, process, replica } of lines) {
    const labels = {
      ...{ team: app.team, project: app.project, environment: app.environment, app: app.slug },
      ...{ process, replica: String(replica + 1), stream, level: levelOf(text) ?? 'unknown' },
    }
    const key = `${process}.${replica}.${stream}.${labels.level}`
    const into: LokiStream = streams.get(key) ?? { stream: labels, values: [] }
    streams.set(key, into)
    into.values.push([nanoseconds(time), text])
  }
  return JSON.stringify({ streams: [...streams.values()] })
}

function nanoseconds(time: string): string {
  const [, seconds = '', fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(time) ?? []
  const ms = Date.parse(`${seconds}Z`)
  return `${Math.floor(ms / 1_000)}${fraction.slice(0, 9).padEnd(9, '0')}`
}

/** Facility local0; what says nothing of its own level is informational. */
const facility = 16
const severities: Record<LogLineLevel, number> = { fatal: 2, error: 3, warn: 4, info: 6, debug: 7, trace: 7 }
/** RFC 5424 asks receivers to take 2,048 octets at least; most take 64 KiB. */
const maxTextBytes = 60_000

/** RFC 5424 messages, each with its length before it (RFC 6587 §3.4.1, RFC 5425 §4.3). */
export function syslogMessages(app: DrainedApp, lines: readonly StoredLine[]): Buffer {
  return Buffer.concat(
    lines.map((line) => {
      const level = levelOf(line.text)
      const priority = facility * 8 + (level === null ? severities.info : severities[level])
      const { process, replica, stream, number, deploymentId } = line
      const facts = {
        ...{ team: app.team, project: app.project, environment: app.environment },
        ...{ deployment: deploymentId, stream, number: String(number) },
      }
      const data = Object.entries(facts).map(
        ([name, value]) => ` ${name}="${value.replace(/["\\\]]/g, '\\$&')}"`,
      )
      const header = `<${priority}>1 ${line.time} berth ${word(app.slug, 48)} ${word(`${process}.${replica + 1}`, 128)} -`
      const message = Buffer.concat([
        // 32473 is the enterprise number for those who have none of their own (RFC 5612).
        Buffer.from(`${header} [berth@32473${data.join('')}] `),
        textBytes(line.text),
      ])
      return Buffer.concat([Buffer.from(`${message.length} `), message])
    }),
  )
}

function textBytes(text: string): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length <= maxTextBytes) return bytes
  let end = maxTextBytes
  // Not in the middle of a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.subarray(0, end)
}

function word(text: string, longest: number): string {
  return text.replace(/[^\x21-\x7e]/g, '_').slice(0, longest) || '-'
}
