/** How the edge counts requests by app and domain: lines of haproxy.cfg, and how what comes of them is read. */
import { join } from 'node:path'
import { requestLogVariable } from '../../platform/model/request-log.ts'
import type { EdgeSettings } from './settings.ts'

/** Table of what is under way. */
export const openTable = 'open-requests'

/** What has sent as much may have taken as long: its time says nothing of the app. */
const largestTimedBody = 65_536

export function countedPath(settings: EdgeSettings): string {
  return join(settings.folder, 'counted.map')
}

/** As a value of the map, and so in the notes: only what has a route is ever counted, whatever hosts are asked for. */
export function countedOf(appId: string, routeKey: string): string {
  return `${appId},${routeKey.slice(0, -1)}`
}

/**
 * Behind the lookup of the route. A request is noted when it is over, and tracked while it is under way. One that this
 * process hands over is counted where it arrives. HAProxy 2.6 configuration manual, 8.2.4.
 */
export function counting(settings: EdgeSettings, unless: readonly string[]): string[] {
  const not = unless.map((name) => ` !${name}`).join('')
  return [
    `    http-request set-var(txn.counted) var(txn.key),map_beg(${countedPath(settings)})`,
    `    http-request track-sc0 var(txn.counted) table ${openTable} if { var(txn.counted) -m found }${not}`,
    `    http-request set-log-level silent unless { var(txn.counted) -m found }${not}`,
    `.if defined(${requestLogVariable})`,
    `    log "fd@\${${requestLogVariable}}" format raw local0`,
    '    log-format "%[date] %[var(txn.counted)] %ST %Tw %Tc %Tr %U %B"',
    '.endif',
  ]
}

export function openRequestsTable(): string[] {
  return [
    `backend ${openTable}`,
    '    stick-table type string len 520 size 100k expire 1m store conn_cur',
    '',
  ]
}

export interface RequestNote {
  /** Seconds since 1970. */
  at: number
  appId: string
  domain: string
  /** Null: nobody waited until an answer began. */
  status: number | null
  bytesIn: number
  bytesOut: number
  /** Until the answer began; null when none of the app's did, or when it tells of the visitor's upload instead. */
  latencyMs: number | null
}

/** Null for what is no note: HAProxy says a word now and then. */
export function parseRequestNote(line: string): RequestNote | null {
  const [at, counted = '', status, queued, connected, answered, received, sent, ...rest] = line.split(' ')
  const comma = counted.indexOf(',')
  const numbers = [at, status, queued, connected, answered, received, sent].map(Number)
  const [seconds = 0, code = 0, queuedMs = 0, connectedMs = 0, answeredMs = 0, bytesIn = 0, bytesOut = 0] =
    numbers
  if (comma < 1 || rest.length > 0 || sent === undefined || !numbers.every(Number.isSafeInteger)) return null
  return {
    at: seconds,
    appId: counted.slice(0, comma),
    domain: counted.slice(comma + 1),
    status: code >= 100 && code <= 599 ? code : null,
    bytesIn,
    bytesOut,
    latencyMs:
      answeredMs < 0 || bytesIn > largestTimedBody
        ? null
        : Math.max(0, queuedMs) + Math.max(0, connectedMs) + answeredMs,
  }
}

/** Of `show table`: how many are under way, by what they are counted for. */
export function parseOpenRequests(text: string): [counted: string, open: number][] {
  return [...text.matchAll(/^\S+ key=(\S+) .*\bconn_cur=(\d+)$/gm)].map(([, key = '', open]) => [
    key,
    Number(open),
  ])
}
