import { createRoute, z } from '@hono/zod-openapi'
import { deleteApp, getApp, startApp, stopApp, updateApp } from '../../../../platform/apps.ts'
import { discardChanges } from '../../../../platform/discard-changes.ts'
import { getEdgeAccess, setEdgeAccess } from '../../../../platform/edge-access.ts'
import { processSchema } from '../../../../platform/model/app-settings.ts'
import { setEdgeAccessSchema } from '../../../../platform/model/edge-access.ts'
import { updateAppSchema } from '../../../../platform/model/inputs.ts'
import { discardChangesSchema } from '../../../../platform/model/pending-changes.ts'
import { scaleAppSchema } from '../../../../platform/model/scale.ts'
import { pendingChanges } from '../../../../platform/pending-changes.ts'
import { putProcess, removeProcess } from '../../../../platform/processes.ts'
import { scaleApp } from '../../../../platform/scale.ts'
import { type Api, accepted, asked, idParam, json, ok } from './router.ts'
import { App, EdgeAccess, PendingChanges } from './schemas.ts'

const tags = ['Apps']
const processParam = idParam.extend({
  name: z.string().max(100).meta({ description: 'Name of the process, such as worker' }),
})

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
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/apps/{id}/access', tags, summary: 'Read whom the edge lets in to an app' },
      request: { params: idParam },
      responses: ok(EdgeAccess),
    }),
    async (c) => c.json(await getEdgeAccess(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'put', path: '/apps/{id}/access', tags, summary: 'Say whom the edge lets in to an app' },
      description:
        'At once, without a deployment. `users`: visitors give one of these names with its password (basic ' +
        'authentication); passwords are write-only, and stay where they are left away. `addresses`: visitors come from ' +
        'one of these networks. Empty lists let everybody in.',
      request: { params: idParam, body: json(setEdgeAccessSchema) },
      responses: ok(EdgeAccess),
    }),
    async (c) => c.json(await setEdgeAccess(...asked(c), c.req.valid('param').id, c.req.valid('json')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'put', path: '/apps/{id}/processes/{name}', tags },
      summary: 'Make a process of an app, or replace one',
      description:
        'What runs beside `web` from the same image, with a command of its own and no port. The next deployment runs it; ' +
        'POST /apps/{id}/scale with its name changes how many of it are live.',
      request: { params: processParam, body: json(processSchema) },
      responses: ok(App),
    }),
    async (c) => {
      const { id, name } = c.req.valid('param')
      return c.json(await putProcess(...asked(c), id, name, c.req.valid('json')), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/apps/{id}/processes/{name}', tags },
      summary: 'Remove a process of an app',
      description: 'What runs of it goes on until the next deployment.',
      request: { params: processParam },
      responses: ok(App),
    }),
    async (c) => {
      const { id, name } = c.req.valid('param')
      return c.json(await removeProcess(...asked(c), id, name), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/apps/{id}/pending-changes', tags },
      summary: 'List what is changed and not deployed yet',
      description:
        'Settings, variables and volumes in which the next deployment would differ from the live one, also where a shared ' +
        'variable or something that a variable refers to changed. Secrets come without their values.',
      request: { params: idParam },
      responses: ok(PendingChanges),
    }),
    async (c) => c.json(await pendingChanges(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/apps/{id}/discard-changes', tags },
      summary: 'Put back what is changed and not deployed yet',
      description: 'All of it, or only these fields. Answers with what still waits.',
      request: { params: idParam, body: json(discardChangesSchema, { required: false }) },
      responses: ok(PendingChanges),
    }),
    async (c) =>
      c.json(await discardChanges(...asked(c), c.req.valid('param').id, c.req.valid('json') ?? {}), 200),
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
