import { createRoute, z } from '@hono/zod-openapi'
import { createChannelSchema, updateChannelSchema } from '../../../../platform/model/notifications.ts'
import {
  createChannel,
  deleteChannel,
  getChannel,
  listChannels,
  rotateSecret,
  testChannel,
  updateChannel,
} from '../../../../platform/notifications/channels.ts'
import { listDeliveries, redeliver } from '../../../../platform/notifications/deliveries.ts'
import { type Api, accepted, asked, created, idParam, json, noContent, ok, teamParam } from './router.ts'
import {
  NewNotificationChannel,
  NotificationChannel,
  NotificationDelivery,
  pageOf,
  pageQuery,
} from './schemas.ts'
import { teamIdOf } from './teams.ts'

const tags = ['Notifications']
const nothing = json(z.strictObject({}), { required: false })
const sent = z.object({ deliveryIds: z.array(z.string()) })
const newSecret = z.object({ secret: z.string().meta({ description: 'Shown this once.' }) })

export function addNotificationRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{
        method: 'get',
        path: '/teams/{team}/notification-channels',
        tags,
        summary: 'List a team’s channels',
      },
      description: 'All of them, oldest first. Their addresses and keys are not told.',
      request: { params: teamParam },
      responses: ok(pageOf(NotificationChannel)),
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      return c.json({ data: await listChannels(...asked(c), teamId), nextCursor: null }, 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/teams/{team}/notification-channels', tags, summary: 'Make a channel' },
      description: 'A webhook’s answer has the key that its messages are signed with, this once.',
      request: { params: teamParam, body: json(createChannelSchema) },
      responses: created(NewNotificationChannel),
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      return c.json(await createChannel(...asked(c), teamId, c.req.valid('json')), 201)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/notification-channels/{id}', tags, summary: 'Read a channel' },
      request: { params: idParam },
      responses: ok(NotificationChannel),
    }),
    async (c) => c.json(await getChannel(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'patch', path: '/notification-channels/{id}', tags, summary: 'Change a channel' },
      description: 'Only what is given changes. `isEnabled: true` also tries one again that Berth gave up.',
      request: { params: idParam, body: json(updateChannelSchema) },
      responses: ok(NotificationChannel),
    }),
    async (c) => c.json(await updateChannel(...asked(c), c.req.valid('param').id, c.req.valid('json')), 200),
  )
  api.openapi(
    createRoute({
      ...{
        method: 'delete',
        path: '/notification-channels/{id}',
        tags,
        summary: 'Delete a channel and its log',
      },
      request: { params: idParam },
      responses: noContent('Deleted'),
    }),
    async (c) => {
      await deleteChannel(...asked(c), c.req.valid('param').id)
      return c.body(null, 204)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/notification-channels/{id}/test', tags, summary: 'Send a test' },
      description: 'The log of deliveries says what came of it.',
      request: { params: idParam, body: nothing },
      responses: accepted(sent, 'It is being sent'),
    }),
    async (c) => c.json({ deliveryIds: await testChannel(...asked(c), c.req.valid('param').id) }, 202),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/notification-channels/{id}/rotate-secret', tags },
      summary: 'Replace the key of a webhook',
      description: 'The one before signs nothing from now on.',
      request: { params: idParam, body: nothing },
      responses: ok(newSecret),
    }),
    async (c) => c.json(await rotateSecret(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/notification-channels/{id}/deliveries', tags },
      summary: 'List what was sent through a channel',
      description: 'Newest first, with what the receiver answered to each attempt. Kept for 30 days.',
      request: { params: idParam, query: pageQuery },
      responses: ok(pageOf(NotificationDelivery)),
    }),
    async (c) =>
      c.json(await listDeliveries(...asked(c), c.req.valid('param').id, c.req.valid('query')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/notification-deliveries/{id}/redeliver', tags, summary: 'Send once more' },
      description: 'With the id that it had, so that a receiver can tell.',
      request: { params: idParam, body: nothing },
      responses: accepted(NotificationDelivery, 'It is being sent'),
    }),
    async (c) => c.json(await redeliver(...asked(c), c.req.valid('param').id), 202),
  )
}
