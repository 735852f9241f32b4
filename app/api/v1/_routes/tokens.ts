import { createRoute } from '@hono/zod-openapi'
import { createTokenSchema } from '../../../../platform/model/inputs.ts'
import {
  createTeamToken,
  createToken,
  listTeamTokens,
  listTokens,
  revokeToken,
  takeTokenOver,
} from '../../../../platform/tokens.ts'
import { type Api, asked, basePath, created, idParam, json, noContent, ok, teamParam } from './router.ts'
import { NewToken, pageOf, pageQuery, Token } from './schemas.ts'
import { teamIdOf } from './teams.ts'

const tags = ['Tokens']

export function addTokenRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/tokens', tags, summary: 'List your tokens' },
      request: { query: pageQuery },
      responses: ok(pageOf(Token)),
    }),
    async (c) => c.json(await listTokens(...asked(c), c.req.valid('query')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/tokens', tags, summary: 'Make a token' },
      description: 'The answer alone carries the secret. Tokens can’t make tokens.',
      request: { body: json(createTokenSchema) },
      responses: created(NewToken),
    }),
    async (c) => {
      const token = await createToken(...asked(c), c.req.valid('json'))
      return c.json(token, 201, { location: `${basePath}/tokens/${token.id}`, 'cache-control': 'no-store' })
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/tokens/{id}', tags, summary: 'Revoke a token' },
      request: { params: idParam },
      responses: noContent('It works no more'),
    }),
    async (c) => {
      await revokeToken(...asked(c), c.req.valid('param').id)
      return c.body(null, 204)
    },
  )
  addTeamTokenRoutes(api)
}

function addTeamTokenRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/teams/{team}/tokens', tags, summary: 'List a team’s own tokens' },
      request: { params: teamParam, query: pageQuery },
      responses: ok(pageOf(Token)),
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      return c.json(await listTeamTokens(...asked(c), teamId, c.req.valid('query')), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/teams/{team}/tokens', tags, summary: 'Make a token of a team' },
      description:
        'A service account, such as for CI: `{"name": "ci", "preset": "deploy"}`. It may never do more than you may.',
      request: { params: teamParam, body: json(createTokenSchema.omit({ teamId: true })) },
      responses: created(NewToken),
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      const token = await createTeamToken(...asked(c), teamId, c.req.valid('json'))
      return c.json(token, 201, { location: `${basePath}/tokens/${token.id}`, 'cache-control': 'no-store' })
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/tokens/{id}/take-over', tags, summary: 'Stand behind a team’s token' },
      description:
        'Its secret stays. From now on it may do what you may, where whoever stood behind it left.',
      request: { params: idParam },
      responses: ok(Token),
    }),
    async (c) => c.json(await takeTokenOver(...asked(c), c.req.valid('param').id), 200),
  )
}
