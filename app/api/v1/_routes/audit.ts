import { Readable } from 'node:stream'
import { createRoute, z } from '@hono/zod-openapi'
import { csvHeader, csvLine } from '../../../../platform/audit-csv.ts'
import { type AuditScope, exportAudit, listAudit } from '../../../../platform/audit-log.ts'
import { getAuditRetention, setAuditRetention } from '../../../../platform/audit-retention.ts'
import { auditFilterSchema, auditRetentionSchema } from '../../../../platform/model/inputs.ts'
import type { AuditEvent as Event } from '../../../../platform/model/resources.ts'
import { type Api, type ApiContext, asked, json, ok, teamParam } from './router.ts'
import { AuditEvent, pageOf, pageQuery } from './schemas.ts'
import { teamIdOf } from './teams.ts'

const tags = ['Audit']

const shape = auditFilterSchema.shape
const filter = {
  actor: shape.actor.meta({
    description:
      'Id of a person (with her tokens) or of a token, `operator`, `system`, `anonymous`, or part of a name',
  }),
  action: shape.action.meta({ description: 'Such as `app.delete`, or an area such as `app`' }),
  target: shape.target.meta({ description: 'Id, kind or part of the name of what it was done to' }),
  since: shape.since.meta({ description: 'A time, or a day' }),
  until: shape.until.meta({ description: 'Before this time or day' }),
}
const listQuery = pageQuery.extend(filter)
const exportQuery = z.strictObject({
  ...filter,
  format: z.enum(['csv', 'jsonl']).default('jsonl').meta({ description: 'CSV, or JSON Lines' }),
})

const file = {
  description: 'A file with all entries, newest first',
  content: { 'text/csv': { schema: z.string() }, 'application/x-ndjson': { schema: z.string() } },
}
const { default: problem } = ok(z.string())

/** Logs of teams and of the installation: the same, but for whom they are. */
export function addAuditRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{
        method: 'get',
        path: '/teams/{team}/audit',
        tags,
        summary: 'Who did what in a team, newest first',
      },
      request: { params: teamParam, query: listQuery },
      responses: ok(pageOf(AuditEvent)),
    }),
    async (c) => {
      const { cursor, limit, ...wanted } = c.req.valid('query')
      const scope = { teamId: await teamIdOf(c, c.req.valid('param').team) }
      return c.json(await listAudit(...asked(c), scope, wanted, { cursor, limit }), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/teams/{team}/audit/export', tags, summary: 'Take a team’s audit log away' },
      request: { params: teamParam, query: exportQuery },
      responses: { 200: file, default: problem },
    }),
    async (c) => sendFile(c, { teamId: await teamIdOf(c, c.req.valid('param').team) }, c.req.valid('query')),
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/admin/audit', tags, summary: 'Who did what anywhere, newest first' },
      request: { query: listQuery },
      responses: ok(pageOf(AuditEvent)),
    }),
    async (c) => {
      const { cursor, limit, ...wanted } = c.req.valid('query')
      return c.json(await listAudit(...asked(c), 'installation', wanted, { cursor, limit }), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/admin/audit/export', tags, summary: 'Take the whole audit log away' },
      request: { query: exportQuery },
      responses: { 200: file, default: problem },
    }),
    async (c) => sendFile(c, 'installation', c.req.valid('query')),
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/admin/audit/retention', tags, summary: 'How long the audit log is kept' },
      responses: ok(auditRetentionSchema),
    }),
    async (c) => c.json(await getAuditRetention(...asked(c)), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'put', path: '/admin/audit/retention', tags, summary: 'Set how long the log is kept' },
      description: 'In days; null: for ever. What is older goes within an hour.',
      request: { body: json(auditRetentionSchema) },
      responses: ok(auditRetentionSchema),
    }),
    async (c) => c.json(await setAuditRetention(...asked(c), c.req.valid('json')), 200),
  )
}

async function sendFile(
  c: ApiContext,
  scope: AuditScope,
  { format, ...wanted }: z.output<typeof exportQuery>,
): Promise<never> {
  const source = await exportAudit(...asked(c), scope, wanted, format)
  const day = new Date().toISOString().slice(0, 10)
  const response = new Response(
    Readable.toWeb(Readable.from(linesOf(source, format))) as ReadableStream<Uint8Array>,
    {
      headers: {
        'content-type': format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson; charset=utf-8',
        'content-disposition': `attachment; filename="audit-${day}.${format}"`,
        'cache-control': 'no-store, no-transform',
      },
    },
  )
  // Hono's types know JSON, text and bytes, not a stream.
  return response as never
}

/** One piece a batch, read only when the client has taken the one before. */
async function* linesOf(source: AsyncIterable<Event[]>, format: 'csv' | 'jsonl'): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  if (format === 'csv') yield encoder.encode(csvHeader)
  const line = format === 'csv' ? csvLine : (event: Event) => `${JSON.stringify(event)}\n`
  for await (const events of source) yield encoder.encode(events.map(line).join(''))
}
