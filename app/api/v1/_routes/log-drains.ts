import { createRoute, z } from '@hono/zod-openapi'
import {
  createDrain,
  deleteDrain,
  getDrain,
  listDrains,
  testDrain,
  updateDrain,
} from '../../../../platform/log-drains/drains.ts'
import { createDrainSchema, updateDrainSchema } from '../../../../platform/model/log-drains.ts'
import { type Api, asked, created, idParam, json, noContent, ok, teamParam } from './router.ts'
import { LogDrain, pageOf } from './schemas.ts'
import { teamIdOf } from './teams.ts'

const tags = ['Log drains']
const nothing = json(z.strictObject({}), { required: false })
const tested = z.object({
  problem: z
    .string()
    .nullable()
    .meta({ description: 'Why the receiver did not take the line; null: it did' }),
})

export function addLogDrainRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/teams/{team}/log-drains', tags, summary: 'List a team’s log drains' },
      description: 'All of them, oldest first, with how far they have come. Their headers are not told.',
      request: { params: teamParam },
      responses: ok(pageOf(LogDrain)),
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      return c.json({ data: await listDrains(...asked(c), teamId), nextCursor: null }, 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/teams/{team}/log-drains', tags, summary: 'Make a log drain' },
      description: 'What apps write from now on is sent there.',
      request: { params: teamParam, body: json(createDrainSchema) },
      responses: created(LogDrain),
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      return c.json(await createDrain(...asked(c), teamId, c.req.valid('json')), 201)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/log-drains/{id}', tags, summary: 'Read a log drain' },
      request: { params: idParam },
      responses: ok(LogDrain),
    }),
    async (c) => c.json(await getDrain(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'patch', path: '/log-drains/{id}', tags, summary: 'Change a log drain' },
      description: 'Only what is given changes. What was not taken yet goes to the new address.',
      request: { params: idParam, body: json(updateDrainSchema) },
      responses: ok(LogDrain),
    }),
    async (c) => c.json(await updateDrain(...asked(c), c.req.valid('param').id, c.req.valid('json')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/log-drains/{id}', tags, summary: 'Delete a log drain' },
      request: { params: idParam },
      responses: noContent('Deleted'),
    }),
    async (c) => {
      await deleteDrain(...asked(c), c.req.valid('param').id)
      return c.body(null, 204)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/log-drains/{id}/test', tags, summary: 'Send a test line' },
      request: { params: idParam, body: nothing },
      responses: ok(tested),
    }),
    async (c) => c.json(await testDrain(...asked(c), c.req.valid('param').id), 200),
  )
}
