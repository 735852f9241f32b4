import { z } from 'zod'
import type { Viewer } from './access.ts'
import { type AppPlace, appAccess } from './app-access.ts'
import { askHost } from './ask-host.ts'
import { PlatformError } from './errors.ts'
import { streams } from './event-log.ts'
import type { LogLine } from './model/events.ts'
import { pageInputSchema } from './model/inputs.ts'
import { LogQueryError, maxLogQueryChars, parseLogQuery } from './model/log-query.ts'
import { type LogFilter, type LogHistogram, type LogPage, logFilterSchema } from './model/log-search.ts'
import type { Page } from './model/resources.ts'
import type { Platform } from './open.ts'
import { afterNumber, parsePage, toPage } from './pages.ts'
import { validate } from './validate.ts'

const filterShape = {
  /** platform/model/log-query.ts */
  query: z.string().max(maxLogQueryChars).optional(),
  stream: logFilterSchema.shape.stream,
  container: logFilterSchema.shape.containerId,
  deployment: logFilterSchema.shape.deploymentId,
  process: logFilterSchema.shape.process,
  replica: z.coerce.number().int().min(0).max(10_000).optional(),
  since: logFilterSchema.shape.since,
  until: logFilterSchema.shape.until,
}
const lineNumber = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional()

export const logListSchema = z.strictObject({
  ...pageInputSchema.shape,
  limit: z.coerce.number().int().min(1, 'must be 1–1000').max(1_000, 'must be 1–1000').default(50),
  ...filterShape,
  /** Lines before this one, newest first; or after this one, oldest first. */
  before: lineNumber,
  after: lineNumber,
})
export const logHistogramInputSchema = z.strictObject({
  ...filterShape,
  buckets: z.coerce.number().int().min(1).max(500).default(60),
})

export type LogListInput = z.input<typeof logListSchema>
export type LogHistogramInput = z.input<typeof logHistogramInputSchema>

export interface LogLinePage extends Page<LogLine> {
  /** The search was ended here, after its time was up, and goes on with the next page; null: it was not. */
  searchedTo: string | null
  /** Numbers of the first and the last line that are kept; null when there is none. */
  first: number | null
  last: number | null
  /** What is written now can't be kept: it stays with its container until there is room. */
  isDiskFull: boolean
}

/**
 * Lines that are kept of what an app's containers wrote: newest first, or with `after` oldest first. Throws `invalid`
 * for a search that can't be read, `conflict` for one that takes too long, `unavailable` while the host is away.
 */
export async function listLogs(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  input: LogListInput = {},
): Promise<LogLinePage> {
  const place = await appAccess(platform, viewer, appId, 'app.read-logs')
  const { cursor, limit, before, after, ...rest } = validate(logListSchema, input)
  if (before !== undefined && after !== undefined)
    throw invalid('after', 'Lines are asked for before one or after one, not both.')
  const from = cursor === undefined ? undefined : afterNumber(parsePage({ cursor }))
  const order = after === undefined ? ('newest' as const) : ('oldest' as const)
  const range = order === 'newest' ? { before: from ?? before } : { after: from ?? after }
  const filter = filterOf(rest)
  const search = { ...filter, ...range, order, limit }
  const page = (await askHost(platform, place.hostId, {
    about: 'log-lines',
    appId,
    search,
  }).catch(async (error) => {
    // What was written lately is also here.
    const isPlain = Object.keys(filter).length === 0 && order === 'newest'
    if (!isPlain || !(error instanceof PlatformError) || error.code !== 'unavailable') throw error
    return lately(platform, appId, { before: range.before, limit })
  })) as LogPage
  const { data, nextCursor } = toPage(
    page.lines,
    limit,
    ({ number }) => number,
    (line) => line,
  )
  const next =
    page.next === null
      ? nextCursor
      : toPage(
          [page.next, 0],
          1,
          (number) => number,
          () => 0,
        ).nextCursor
  return {
    data,
    nextCursor: next,
    ...{ searchedTo: page.stoppedAt, first: page.first, last: page.last, isDiskFull: page.isDiskFull },
  }
}

/** How many lines match, spread over time. Throws as listLogs does. */
export async function logHistogram(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  input: LogHistogramInput = {},
): Promise<LogHistogram> {
  const place = await appAccess(platform, viewer, appId, 'app.read-logs')
  const { buckets, ...rest } = validate(logHistogramInputSchema, input)
  const count = { ...filterOf(rest), buckets }
  return (await askHost(platform, place.hostId, { about: 'log-counts', appId, count })) as LogHistogram
}

/** Lines with these numbers, where they are kept still; the oldest first. */
export async function linesBetween(
  platform: Platform,
  place: Pick<AppPlace, 'appId' | 'hostId'>,
  { after, before, limit }: { after: number; before: number; limit: number },
): Promise<LogLine[]> {
  const search = { after, before, limit, order: 'oldest' as const }
  const page = (await askHost(platform, place.hostId, {
    about: 'log-lines',
    appId: place.appId,
    search,
  })) as LogPage
  return page.lines
}

interface FilterInput {
  query?: string
  stream?: 'stdout' | 'stderr'
  container?: string
  deployment?: string
  process?: string
  replica?: number
  since?: string
  until?: string
}

/** Only what is given. */
function filterOf({ query, container, deployment, ...rest }: FilterInput): LogFilter {
  const terms = query === undefined ? [] : readQuery(query)
  const all = {
    ...rest,
    terms: terms.length > 0 ? terms : undefined,
    containerId: container,
    deploymentId: deployment,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

function readQuery(query: string): LogFilter['terms'] & object {
  try {
    return parseLogQuery(query)
  } catch (error) {
    if (error instanceof LogQueryError) throw invalid('query', error.message)
    throw error
  }
}

function invalid(path: string, message: string): PlatformError {
  return new PlatformError('invalid', message, { fields: [{ path, message }] })
}

async function lately(
  platform: Platform,
  appId: string,
  { before, limit }: { before: number | undefined; limit: number },
): Promise<LogPage> {
  const stream = streams.appLogs(appId)
  const rows = await platform.redis.xrevrange(
    stream.name,
    before === undefined ? '+' : `(${before}-0`,
    '-',
    ...(['COUNT', limit + 1] as const),
  )
  const lines = rows.map(([, fields]) => stream.parse(JSON.parse(fields[1] ?? 'null')))
  const next = lines.length > limit ? (lines[limit - 1]?.number ?? null) : null
  const [newest] = lines
  const last = newest?.number ?? null
  return { lines: lines.slice(0, limit), next, stoppedAt: null, first: null, last, isDiskFull: false }
}
