import { createRoute, z } from '@hono/zod-openapi'
import {
  changePassword,
  listSessions,
  revokeOtherSessions,
  revokeSession,
} from '../../../../platform/account.ts'
import { changePasswordSchema } from '../../../../platform/model/inputs.ts'
import { roles } from '../../../../platform/model/roles.ts'
import { getUser } from '../../../../platform/users.ts'
import { type Api, asked, idParam, json, noContent, ok } from './router.ts'
import { pageOf, pageQuery, Session } from './schemas.ts'

const Me = z
  .object({
    kind: z.enum(['user', 'token', 'operator', 'system']),
    user: z
      .object({
        id: z.string(),
        name: z.string(),
        email: z.string(),
        isAdmin: z.boolean(),
        locale: z.string().nullable(),
        hasTwoFactor: z.boolean(),
      })
      .nullable()
      .meta({ description: 'The person who asks, or whose token it is.' }),
    token: z
      .object({ id: z.string(), teamId: z.string().nullable(), role: z.enum(roles) })
      .nullable()
      .meta({ description: 'The token that was used, and what it is limited to.' }),
  })
  .meta({ id: 'Me' })

export function addMeRoute(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/me', tags: ['Tokens'], summary: 'Who you are to the API' },
      responses: ok(Me),
    }),
    async (c) => {
      const [platform, viewer] = asked(c)
      const isPerson = (viewer.kind === 'user' || viewer.kind === 'token') && viewer.userId !== null
      const user = isPerson ? await getUser(platform, viewer) : null
      const token =
        viewer.kind === 'token' ? { id: viewer.tokenId, teamId: viewer.teamId, role: viewer.role } : null
      return c.json({ kind: viewer.kind, user, token }, 200)
    },
  )
  addAccountRoutes(api)
}

function addAccountRoutes(api: Api): void {
  const tags = ['Account']
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/me/sessions', tags, summary: 'List where you are signed in' },
      request: { query: pageQuery },
      responses: ok(pageOf(Session)),
    }),
    async (c) => c.json(await listSessions(...asked(c), c.req.valid('query')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/me/sessions/{id}', tags, summary: 'End a session' },
      request: { params: idParam },
      responses: noContent('It has ended'),
    }),
    async (c) => {
      await revokeSession(...asked(c), c.req.valid('param').id)
      return c.body(null, 204)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/me/sessions/end-others', tags, summary: 'End all sessions but this one' },
      responses: ok(z.object({ ended: z.number().int() })),
    }),
    async (c) => c.json({ ended: await revokeOtherSessions(...asked(c)) }, 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/me/password', tags, summary: 'Change your password' },
      description: 'Ends all other sessions.',
      request: { body: json(changePasswordSchema) },
      responses: noContent('Changed'),
    }),
    async (c) => {
      await changePassword(...asked(c), c.req.valid('json'))
      return c.body(null, 204)
    },
  )
}
