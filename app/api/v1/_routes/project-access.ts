import { createRoute, z } from '@hono/zod-openapi'
import { changeProjectAccessSchema } from '../../../../platform/model/inputs.ts'
import { changeProjectAccess, listProjectAccess } from '../../../../platform/project-access.ts'
import { type Api, asked, idParam, json, ok } from './router.ts'
import { ProjectMember, pageOf, pageQuery } from './schemas.ts'

const tags = ['Projects']
const memberParam = idParam.extend({
  userId: z.string().max(100).meta({ description: 'Id, such as usr_01jd…' }),
})

export function addProjectAccessRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/projects/{id}/access', tags, summary: 'List who may do what in a project' },
      request: { params: idParam, query: pageQuery },
      responses: ok(pageOf(ProjectMember)),
    }),
    async (c) =>
      c.json(await listProjectAccess(...asked(c), c.req.valid('param').id, c.req.valid('query')), 200),
  )
  api.openapi(
    createRoute({
      ...{
        method: 'put',
        path: '/projects/{id}/access/{userId}',
        tags,
        summary: 'Give a member another role in a project',
      },
      description: '`none` hides the project, `team` goes back to the role in the team. Works at once.',
      request: { params: memberParam, body: json(changeProjectAccessSchema) },
      responses: ok(ProjectMember),
    }),
    async (c) => {
      const { id, userId } = c.req.valid('param')
      return c.json(await changeProjectAccess(...asked(c), id, userId, c.req.valid('json')), 200)
    },
  )
}
