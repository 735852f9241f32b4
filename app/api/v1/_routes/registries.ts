import { createRoute } from '@hono/zod-openapi'
import { followPreviewSchema } from '../../../../platform/model/follow-preview.ts'
import {
  createRegistryLoginSchema,
  updateRegistryLoginSchema,
} from '../../../../platform/model/registry-logins.ts'
import {
  createRegistryLogin,
  deleteRegistryLogin,
  listRegistryLogins,
  testRegistryLogin,
  updateRegistryLogin,
} from '../../../../platform/registries/logins.ts'
import { previewFollow } from '../../../../platform/registries/preview.ts'
import { type Api, asked, created, idParam, json, noContent, ok, teamParam } from './router.ts'
import { FollowPreview, pageOf, RegistryLogin } from './schemas.ts'
import { teamIdOf } from './teams.ts'

const tags = ['Registries elsewhere']

export function addRegistryRoutes(api: Api): void {
  const path = '/teams/{team}/registry-logins'
  api.openapi(
    createRoute({
      ...{ method: 'get', path, tags, summary: 'List a team’s logins to registries elsewhere' },
      description: 'All of them, by host. Their passwords are not told.',
      request: { params: teamParam },
      responses: ok(pageOf(RegistryLogin)),
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      return c.json({ data: await listRegistryLogins(...asked(c), teamId), nextCursor: null }, 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path, tags, summary: 'Keep a login to a registry elsewhere' },
      description:
        'Berth signs in with it first; what the registry refuses is not kept. Images of the host, or those whose names begin with `prefix`, are then pulled with it.',
      request: { params: teamParam, body: json(createRegistryLoginSchema) },
      responses: created(RegistryLogin),
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      return c.json(await createRegistryLogin(...asked(c), teamId, c.req.valid('json')), 201)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'patch', path: '/registry-logins/{id}', tags, summary: 'Change a login' },
      description: 'Only what is given changes. Berth signs in with it first.',
      request: { params: idParam, body: json(updateRegistryLoginSchema) },
      responses: ok(RegistryLogin),
    }),
    async (c) =>
      c.json(await updateRegistryLogin(...asked(c), c.req.valid('param').id, c.req.valid('json')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/registry-logins/{id}/test', tags, summary: 'Try a login again' },
      description: '`problem` says what was wrong; `null`: the registry let Berth in.',
      request: { params: idParam },
      responses: ok(RegistryLogin),
    }),
    async (c) => c.json(await testRegistryLogin(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/registry-logins/{id}', tags, summary: 'Remove a login' },
      description: 'What runs goes on. What is pulled from now on is pulled without it.',
      request: { params: idParam },
      responses: noContent('Removed'),
    }),
    async (c) => {
      await deleteRegistryLogin(...asked(c), c.req.valid('param').id)
      return c.body(null, 204)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/projects/{id}/follow-preview', tags },
      summary: 'Preview what following would deploy',
      description: 'Nothing is changed. Asks the image’s registry, elsewhere with the team’s login.',
      request: { params: idParam, body: json(followPreviewSchema) },
      responses: ok(FollowPreview),
    }),
    async (c) => c.json(await previewFollow(...asked(c), c.req.valid('param').id, c.req.valid('json')), 200),
  )
}
