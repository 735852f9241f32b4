/** `berth logs TEAM/PROJECT/APP`: what an app wrote, and with -f what it writes. */
import type { LogGap, LogLine } from '../../platform/model/events.ts'
import { createLineMatcher, LogQueryError, parseLogQuery } from '../../platform/model/log-query.ts'
import { ApiError } from '../api.ts'
import { type Client, clientOf, findLogin, type LoginOptions } from '../client.ts'
import { findApp } from '../deploy/find-app.ts'
import { harmless } from '../deploy/follow.ts'
import { eventsWithIds } from '../deploy/stream.ts'
import { CommandError, paint } from '../say.ts'
import { type HomeOptions, homeFolder, readSecret, readSettings } from '../settings.ts'

/** Exit code where nobody answers, or the app's host does not. */
const noAnswerCode = 2

export interface AppLogsOptions extends HomeOptions, LoginOptions {
  follow?: boolean
  lines?: number
  since?: string
  until?: string
  process?: string
  replica?: number
  deployment?: string
  stream?: string
  grep?: string
  json?: boolean
}

interface LogPage {
  data: LogLine[]
  nextCursor: string | null
  last: number | null
  isDiskFull: boolean
}

type Params = Record<string, string>

const usualLines = 100
const pageLines = 1_000

export async function appLogs(name: string, options: AppLogsOptions): Promise<void> {
  const print = printer(options.json === true)
  try {
    await show(name, options, print)
  } catch (error) {
    throw withExitCode(error)
  }
}

async function show(name: string, options: AppLogsOptions, print: Print): Promise<void> {
  // Before anybody is asked, so that a search that can't be read is said at once.
  matcherOf(paramsOf(options, Date.now()))
  const client = clientFor(options)
  const log = `/apps/${name.startsWith('app_') ? name : (await findApp(client, name)).app.id}/logs`
  const deployment = options.deployment && (await deploymentId(client, log, options.deployment))
  const params = paramsOf({ ...options, deployment }, Date.now())
  const page = (range: Params) =>
    client.get<LogPage>(`${log}?${new URLSearchParams({ ...params, ...range })}`)
  const last = await printKept(page, options, print)
  if (options.follow) await follow({ client, log, page, isWanted: matcherOf(params), print, from: last })
}

/** Prints what is kept; answers the last line of the log then. */
async function printKept(
  page: (range: Params) => Promise<LogPage>,
  { lines, since }: AppLogsOptions,
  print: Print,
): Promise<number> {
  if (since !== undefined && lines === undefined) {
    let found = await page({ after: '0', limit: String(pageLines) })
    const end = found.last ?? 0
    for (;;) {
      await print(found.data.filter(({ number }) => number <= end))
      if (found.nextCursor === null || (found.data.at(-1)?.number ?? 0) >= end) return end
      found = await page({ after: '0', limit: String(pageLines), cursor: found.nextCursor })
    }
  }
  const wanted = lines ?? usualLines
  let found = await page({ limit: String(Math.min(pageLines, Math.max(1, wanted))) })
  const end = Math.max(found.last ?? 0, found.data[0]?.number ?? 0)
  if (found.isDiskFull)
    process.stderr.write('berth: the host’s disk is full: what the app writes now is not kept\n')
  const newest = [...found.data]
  while (newest.length < wanted && found.nextCursor !== null) {
    found = await page({
      limit: String(Math.min(pageLines, wanted - newest.length)),
      cursor: found.nextCursor,
    })
    newest.push(...found.data)
  }
  await print(newest.slice(0, wanted).toReversed())
  return end
}

interface Following {
  client: Client
  log: string
  page: (range: Params) => Promise<LogPage>
  isWanted: (line: LogLine) => boolean
  print: Print
  from: number
}

/** Goes on after a line without an end. A lost connection is opened again where it stopped. */
async function follow({ client, log, page, isWanted, print, from }: Following): Promise<void> {
  let last = from
  const stream = eventsWithIds<LogLine | LogGap>(client, `${log}?follow=true`, {
    signal: new AbortController().signal,
    after: `${last}-0`,
    patienceMs: Number.POSITIVE_INFINITY,
    onLost: () => process.stderr.write('berth: the connection is lost; trying again\n'),
  })
  for await (const { id, data } of stream) {
    const number = Number(id?.split('-')[0])
    if ('skipped' in data) await printSkipped(page, print, last, number)
    else if (isWanted(data)) await print([data])
    last = number
  }
}

/** The stream leaves lines out for those who are slow; they are kept, and read page by page. */
async function printSkipped(
  page: (range: Params) => Promise<LogPage>,
  print: Print,
  after: number,
  end: number,
): Promise<void> {
  let at = after
  while (at < end) {
    const { data, nextCursor } = await page({ after: String(at), limit: String(pageLines) })
    await print(data.filter(({ number }) => number <= end))
    at = data.at(-1)?.number ?? end
    if (nextCursor === null) return
  }
}

type Print = (lines: LogLine[]) => Promise<void>

function printer(isJson: boolean): Print {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever read it, such as `head`, has seen enough.
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  return async (lines) => {
    if (lines.length === 0) return
    const text = lines.map((line) => (isJson ? `${JSON.stringify(line)}\n` : lineText(line))).join('')
    if (!process.stdout.write(text)) await new Promise((resolve) => process.stdout.once('drain', resolve))
  }
}

function lineText({ time, process, replica, text }: LogLine): string {
  return `${paint('dim', time)} ${paint('cyan', `${process}.${replica + 1}`)} ${harmless(text)}\n`
}

function matcherOf(params: Params): (line: LogLine) => boolean {
  const { query, process, replica, deployment, stream, until } = params
  const isMatch = createLineMatcher(query === undefined ? [] : terms(query))
  return (line) =>
    (process === undefined || line.process === process) &&
    (replica === undefined || line.replica === Number(replica)) &&
    (deployment === undefined || line.deploymentId === deployment) &&
    (stream === undefined || line.stream === stream) &&
    (until === undefined || line.time <= until) &&
    isMatch(line)
}

function terms(query: string) {
  try {
    return parseLogQuery(query)
  } catch (error) {
    if (error instanceof LogQueryError) throw new CommandError(error.message)
    throw error
  }
}

/** What the API is asked with. Replicas are counted from 1, as everywhere people see them. */
export function paramsOf(options: AppLogsOptions, nowMs: number): Params {
  const { since, until, replica, grep, process, deployment, stream } = options
  if (options.follow && until !== undefined)
    throw new CommandError('--until ends where -f goes on: give one of them.')
  const all = {
    ...{ query: grep, process, deployment, stream },
    replica: replica === undefined ? undefined : String(replica - 1),
    since: since === undefined ? undefined : moment(since, nowMs, '--since'),
    until: until === undefined ? undefined : moment(until, nowMs, '--until'),
  }
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => Boolean(entry[1])),
  )
}

const unitMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function moment(text: string, nowMs: number, option: string): string {
  const ago = /^(\d{1,6})([smhd])$/.exec(text)
  const ms = ago ? nowMs - Number(ago[1]) * (unitMs[ago[2] ?? ''] ?? 0) : Date.parse(text)
  if (Number.isNaN(ms))
    throw new CommandError(
      `${option} must be a time such as 2026-05-01T12:00:00Z, or so long ago as 15m, 2h or 3d.`,
    )
  return new Date(ms).toISOString()
}

/** People know it by its number. */
async function deploymentId(client: Client, log: string, given: string): Promise<string> {
  if (given.startsWith('dep_')) return given
  const number = Number(given.replace(/^#/, ''))
  const path = log.replace(/logs$/, 'deployments')
  for (let cursor = ''; ; ) {
    const page = await client.get<{ data: { id: string; number: number }[]; nextCursor: string | null }>(
      `${path}?limit=100${cursor}`,
    )
    const found = page.data.find((each) => each.number === number)
    if (found) return found.id
    if (page.nextCursor === null) throw new CommandError(`There is no deployment ${given}.`)
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`
  }
}

/** On a host of Berth whoever has not signed in asks as its operator. */
function clientFor(options: AppLogsOptions): Client {
  try {
    return clientOf(findLogin(options))
  } catch (error) {
    const home = homeFolder(options)
    const settings = readSettings(home)
    if (options.url !== undefined || process.env.BERTH_URL || settings === null) throw error
    return clientOf({
      url: `http://127.0.0.1:${settings.webPort}`,
      token: readSecret(home, 'operator.token'),
    })
  }
}

/** Tells a refusal from that nobody is there to ask. */
function withExitCode(error: unknown): unknown {
  if (!(error instanceof CommandError)) return error
  const isAway =
    error instanceof ApiError ? [502, 503, 504].includes(error.status) : error.cause !== undefined
  return isAway ? new CommandError(error.message, { cause: error, exitCode: noAnswerCode }) : error
}
