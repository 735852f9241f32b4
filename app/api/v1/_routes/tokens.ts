import { createRoute } from '@hono/zod-openapi'
import { createTokenSchema } from '../../../../platform/model/inputs.ts'
import { createToken, listTokens, revokeToken } from '../../../../platform/tokens.ts'
import { type Api, asked, basePath, created, idParam, json, noContent, ok } from './router.ts'
import { NewToken, pageOf, pageQuery, Token } from './schemas.ts'

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
}
