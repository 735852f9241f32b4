import { createRoute, z } from '@hono/zod-openapi'
import { deleteApp, getApp, startApp, stopApp, updateApp } from '../../../../platform/apps.ts'
import { updateAppSchema } from '../../../../platform/model/inputs.ts'
import { scaleAppSchema } from '../../../../platform/model/scale.ts'
import { scaleApp } from '../../../../platform/scale.ts'
import { type Api, accepted, asked, idParam, json, ok } from './router.ts'
import { App } from './schemas.ts'

const tags = ['Apps']

export function addAppRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/apps/{id}', tags, summary: 'Read an app' },
      request: { params: idParam },
      responses: ok(App),
    }),
    async (c) => c.json(await getApp(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'patch', path: '/apps/{id}', tags, summary: 'Change an app' },
      description: 'Only what is given changes. What runs goes on as it is until the next deployment.',
      request: { params: idParam, body: json(updateAppSchema) },
      responses: ok(App),
    }),
    async (c) => c.json(await updateApp(...asked(c), c.req.valid('param').id, c.req.valid('json')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/apps/{id}/scale', tags, summary: 'Scale an app' },
      description:
        'Changes replicas, memory and processors of what is live without a new deployment; those after it run so too. ' +
        'Its `scale` says how far it is: `isPending` until it is true, `problem` when it could not be and was put back.',
      request: { params: idParam, body: json(scaleAppSchema) },
      responses: accepted(App, 'It will be done; the app’s timeline tells when'),
    }),
    async (c) => c.json(await scaleApp(...asked(c), c.req.valid('param').id, c.req.valid('json')), 202),
  )
  for (const { verb, summary, change } of [
    { verb: 'stop', summary: 'Stop an app', change: stopApp },
    { verb: 'start', summary: 'Start an app that was stopped', change: startApp },
  ]) {
    api.openapi(
      createRoute({
        ...{ method: 'post', path: `/apps/{id}/${verb}`, tags, summary },
        request: { params: idParam, body: json(z.strictObject({}), { required: false }) },
        responses: accepted(App, 'It will be done; the team’s events tell when'),
      }),
      async (c) => c.json(await change(...asked(c), c.req.valid('param').id), 202),
    )
  }
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/apps/{id}', tags, summary: 'Delete an app and everything of it' },
      request: { params: idParam },
      responses: accepted(App, 'It is being deleted; reading it answers 404 when it is gone'),
    }),
    async (c) => c.json(await deleteApp(...asked(c), c.req.valid('param').id), 202),
  )
}
