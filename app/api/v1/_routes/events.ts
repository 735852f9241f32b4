import { createRoute, z } from '@hono/zod-openapi'
import { PlatformError } from '../../../../platform/errors.ts'
import type { Entry } from '../../../../platform/event-log.ts'
import { followDeployment, followTeam } from '../../../../platform/follow-events.ts'
import { followLogs } from '../../../../platform/follow-logs.ts'
import { type DownloadFormat, downloadFormats, downloadLogs } from '../../../../platform/log-download.ts'
import { listLogs, logHistogram, logHistogramInputSchema, logListSchema } from '../../../../platform/logs.ts'
import { followTimeline, listTimeline } from '../../../../platform/timeline.ts'
import { eventStream } from '../../../_server/event-stream.ts'
import { type Api, type ApiContext, asked, idParam, ok, teamParam } from './router.ts'
import { LogHistogram, LogLinePage, pageOf, pageQuery, TimelineEntry } from './schemas.ts'
import { teamIdOf } from './teams.ts'

const tags = ['Live']
const position = {
  lastEventId: z
    .string()
    .max(40)
    .optional()
    .meta({ description: 'Go on after this event, as the header Last-Event-ID does; `$`: only what is new' }),
}
export const followQuery = z.strictObject(position)
const described = <Schema extends z.ZodType>(schema: Schema, description: string): Schema =>
  schema.meta({ description })
const filterQuery = {
  query: described(
    logListSchema.shape.query,
    'What must be in a line: `timeout`, `"exact phrase"`, `/regular expression/i`, `level:error`, `level:>=warn`, `user.id:42`, `-not`',
  ),
  stream: logListSchema.shape.stream,
  container: logListSchema.shape.container,
  deployment: logListSchema.shape.deployment,
  process: logListSchema.shape.process,
  replica: logListSchema.shape.replica,
  since: described(logListSchema.shape.since, 'Written then or later'),
  until: described(logListSchema.shape.until, 'Written then or before'),
}
const logQuery = z.strictObject({
  ...filterQuery,
  cursor: pageQuery.shape.cursor,
  limit: logListSchema.shape.limit,
  before: described(logListSchema.shape.before, 'Lines before the one with this number, newest first'),
  after: described(logListSchema.shape.after, 'Lines after the one with this number, oldest first'),
  ...position,
  follow: z.enum(['true', 'false']).optional().meta({ description: 'The same as Accept: text/event-stream' }),
  tail: z.coerce
    .number()
    .int()
    .min(0)
    .max(5_000)
    .optional()
    .meta({ type: 'integer', description: 'When following: so many lines of what was written before' }),
})
const countQuery = z.strictObject({ ...filterQuery, buckets: logHistogramInputSchema.shape.buckets })

const downloadQuery = z.strictObject({ ...filterQuery, format: z.enum(downloadFormats).default('text') })

const timelineQuery = pageQuery.extend({
  ...position,
  follow: logQuery.shape.follow,
  kind: z.string().max(1_000).optional().meta({
    description: 'Kinds or areas, with commas between: `deployment.failed,health`',
  }),
})

const stream = {
  description:
    'Server-sent events: `id`, and `data` with JSON. Comments come every 15 seconds when nothing happens.',
  content: { 'text/event-stream': { schema: z.string() } },
}
const { default: problem } = ok(z.string())

export function addEventRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/teams/{team}/events', tags, summary: 'Follow what changes in a team' },
      request: { params: teamParam, query: followQuery },
      responses: { 200: stream, default: problem },
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      return answerStream(c, (options) => followTeam(...asked(c), teamId, options))
    },
  )
  api.openapi(
    createRoute({
      ...{
        method: 'get',
        path: '/deployments/{id}/events',
        tags,
        summary: 'Follow a deployment from its beginning',
      },
      request: { params: idParam, query: followQuery },
      responses: { 200: stream, default: problem },
    }),
    async (c) =>
      answerStream(c, (options) => followDeployment(...asked(c), c.req.valid('param').id, options)),
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/apps/{id}/logs', tags, summary: 'Search or follow what an app writes' },
      description:
        'As JSON: a page of lines, newest first, or with `after` oldest first. With `Accept: text/event-stream`: live, every line; an event `{"skipped": n}` says that n lines between are not shown.',
      request: { params: idParam, query: logQuery },
      responses: {
        200: {
          description: 'A page of lines, or server-sent events',
          content: {
            'application/json': { schema: LogLinePage },
            'text/event-stream': { schema: z.string() },
          },
        },
        default: problem,
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param')
      const { tail, follow, lastEventId, ...search } = c.req.valid('query')
      const live = follow === 'true' || (c.req.header('accept') ?? '').includes('text/event-stream')
      if (!live) return c.json(await listLogs(...asked(c), id, search), 200)
      return answerStream(c, (options) => followLogs(...asked(c), id, { ...options, tail }))
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/apps/{id}/logs/histogram', tags },
      summary: 'Count what an app wrote, over time',
      request: { params: idParam, query: countQuery },
      responses: { 200: ok(LogHistogram)[200], default: problem },
    }),
    async (c) => c.json(await logHistogram(...asked(c), c.req.valid('param').id, c.req.valid('query')), 200),
  )
}

/** The whole log, or what matches, as a file. */
export function addLogDownloadRoute(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/apps/{id}/logs/download', tags, summary: 'Download what an app wrote' },
      description:
        'Every line that is kept and matches, oldest first: as text, or as JSON, one line each. Where it can’t be read to its end, the connection is broken off.',
      request: { params: idParam, query: downloadQuery },
      responses: {
        200: {
          description: 'The lines',
          content: {
            'text/plain': { schema: z.string() },
            'application/x-ndjson': { schema: z.string() },
          },
        },
        default: problem,
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param')
      const { format, ...filter } = c.req.valid('query')
      const lines = await downloadLogs(...asked(c), id, filter, format)
      return textFile(lines, format) as never
    },
  )
}

const files = {
  text: { type: 'text/plain; charset=utf-8', name: 'log.txt' },
  json: { type: 'application/x-ndjson', name: 'log.ndjson' },
}

function textFile(pieces: AsyncGenerator<string>, format: DownloadFormat): Response {
  const { type, name } = files[format]
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await pieces.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(value))
    },
    async cancel() {
      await pieces.return(undefined)
    },
  })
  return new Response(body, {
    headers: {
      ...{ 'content-type': type, 'content-disposition': `attachment; filename="${name}"` },
      ...{ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' },
    },
  })
}

/** What happened to an app: the same list as a page and as a stream. */
export function addTimelineRoute(api: Api): void {
  api.openapi(
    createRoute({
      ...{
        method: 'get',
        path: '/apps/{id}/timeline',
        tags,
        summary: 'Read or follow what happens to an app',
      },
      description:
        'As JSON: a page, newest first. With `Accept: text/event-stream`: what happens from now on, live. An entry may come twice; its id says so.',
      request: { params: idParam, query: timelineQuery },
      responses: {
        200: {
          description: 'A page of entries, or server-sent events',
          content: {
            'application/json': { schema: pageOf(TimelineEntry) },
            'text/event-stream': { schema: z.string() },
          },
        },
        default: problem,
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param')
      const { follow, cursor, limit, kind } = c.req.valid('query')
      const live = follow === 'true' || (c.req.header('accept') ?? '').includes('text/event-stream')
      if (!live) return c.json(await listTimeline(...asked(c), id, { kind }, { cursor, limit }), 200)
      return answerStream(c, (options) => followTimeline(...asked(c), id, { kind }, options))
    },
  )
}

type Follow = (options: { after?: string; signal: AbortSignal }) => Promise<AsyncIterable<Entry<unknown>>>

export async function answerStream(c: ApiContext, follow: Follow): Promise<never> {
  const after = c.req.header('last-event-id') || c.req.query('lastEventId')
  if (after !== undefined && !/^(\d{1,16}-\d{1,16}|\$)$/.test(after)) {
    throw new PlatformError('bad-request', 'Last-Event-ID is not an id that this stream gave out.')
  }
  const response = await eventStream({
    signal: c.req.raw.signal,
    open: (signal) => follow({ after, signal }),
    onError: (error) =>
      c.get('platform').log.warn({ err: error, requestId: c.get('requestId') }, 'a stream broke'),
  })
  // Hono's types know JSON, text and bytes, not a stream without an end.
  return response as never
}
