import { createRoute, z } from '@hono/zod-openapi'
import { roles } from '../../../../platform/model/roles.ts'
import { getUser } from '../../../../platform/users.ts'
import { type Api, asked, ok } from './router.ts'

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
}
