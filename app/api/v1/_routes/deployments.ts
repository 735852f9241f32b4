import { createRoute, z } from '@hono/zod-openapi'
import {
  cancelDeployment,
  createDeployment,
  getDeployment,
  listDeployments,
  rollbackTo,
} from '../../../../platform/deployments.ts'
import { createDeploymentSchema } from '../../../../platform/model/inputs.ts'
import { planRollback } from '../../../../platform/rollback-plan.ts'
import { type Api, accepted, asked, idParam, json, ok } from './router.ts'
import { LinkedDeployment, pageOf, pageQuery, RollbackPlan, withLinks } from './schemas.ts'

const tags = ['Deployments']
const nothing = json(z.strictObject({}), { required: false })

export function addDeploymentRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{
        method: 'get',
        path: '/apps/{id}/deployments',
        tags,
        summary: 'List an app’s deployments, newest first',
      },
      request: { params: idParam, query: pageQuery },
      responses: ok(pageOf(LinkedDeployment)),
    }),
    async (c) => {
      const page = await listDeployments(...asked(c), c.req.valid('param').id, c.req.valid('query'))
      return c.json({ ...page, data: page.data.map(withLinks) }, 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/apps/{id}/deployments', tags, summary: 'Deploy an app as it is set now' },
      request: { params: idParam, body: json(createDeploymentSchema, { required: false }) },
      responses: accepted(LinkedDeployment, 'It waits for its turn; follow `links.events`'),
    }),
    async (c) => {
      const made = await createDeployment(...asked(c), c.req.valid('param').id, c.req.valid('json'))
      const deployment = withLinks(made)
      return c.json(deployment, 202, { location: deployment.links.self })
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/deployments/{id}', tags, summary: 'Read a deployment' },
      request: { params: idParam },
      responses: ok(LinkedDeployment),
    }),
    async (c) => c.json(withLinks(await getDeployment(...asked(c), c.req.valid('param').id)), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/deployments/{id}/cancel', tags, summary: 'Call a deployment off' },
      request: { params: idParam, body: nothing },
      responses: accepted(LinkedDeployment, 'It ends as `canceled` soon, unless it is live before'),
    }),
    async (c) => c.json(withLinks(await cancelDeployment(...asked(c), c.req.valid('param').id)), 202),
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/deployments/{id}/rollback', tags, summary: 'What a rollback would change' },
      description: 'Of what serves now: the image, the settings and the variables. Nothing is done.',
      request: { params: idParam },
      responses: ok(RollbackPlan),
    }),
    async (c) => c.json(await planRollback(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/deployments/{id}/rollback', tags, summary: 'Go back to a deployment' },
      description: 'Makes a new deployment of the same image, settings and variables.',
      request: { params: idParam, body: nothing },
      responses: accepted(LinkedDeployment, 'The new deployment'),
    }),
    async (c) => {
      const deployment = withLinks(await rollbackTo(...asked(c), c.req.valid('param').id))
      return c.json(deployment, 202, { location: deployment.links.self })
    },
  )
}
