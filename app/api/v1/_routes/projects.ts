import { createRoute } from '@hono/zod-openapi'
import { createApp, listApps } from '../../../../platform/apps.ts'
import { createAppSchema, searchSchema, updateProjectSchema } from '../../../../platform/model/inputs.ts'
import { deleteProject, getProject, updateProject } from '../../../../platform/projects.ts'
import { type Api, asked, basePath, created, idParam, json, noContent, ok } from './router.ts'
import { App, Project, pageOf, pageQuery } from './schemas.ts'

const tags = ['Projects']

export function addProjectRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/projects/{id}', tags, summary: 'Read a project' },
      request: { params: idParam },
      responses: ok(Project),
    }),
    async (c) => c.json(await getProject(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'patch', path: '/projects/{id}', tags, summary: 'Rename a project' },
      request: { params: idParam, body: json(updateProjectSchema) },
      responses: ok(Project),
    }),
    async (c) => c.json(await updateProject(...asked(c), c.req.valid('param').id, c.req.valid('json')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/projects/{id}', tags, summary: 'Delete a project that has no apps' },
      request: { params: idParam },
      responses: noContent('Deleted'),
    }),
    async (c) => {
      await deleteProject(...asked(c), c.req.valid('param').id)
      return c.body(null, 204)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/projects/{id}/apps', tags: ['Apps'], summary: 'List a project’s apps' },
      request: { params: idParam, query: pageQuery.extend(searchSchema.shape) },
      responses: ok(pageOf(App)),
    }),
    async (c) => {
      const projectId = c.req.valid('param').id
      return c.json(await listApps(...asked(c), { projectId }, c.req.valid('query')), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/projects/{id}/apps', tags: ['Apps'], summary: 'Make an app' },
      description: 'Nothing runs until a deployment is made.',
      request: { params: idParam, body: json(createAppSchema) },
      responses: created(App),
    }),
    async (c) => {
      const app = await createApp(...asked(c), c.req.valid('param').id, c.req.valid('json'))
      return c.json(app, 201, { location: `${basePath}/apps/${app.id}` })
    },
  )
}
