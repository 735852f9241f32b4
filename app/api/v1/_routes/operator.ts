import { createRoute, z } from '@hono/zod-openapi'
import { createTokenFor, createTokenForSchema, installationStatus } from '../../../../platform/operator.ts'
import { createSetupLink } from '../../../../platform/setup.ts'
import { type Api, asked, basePath, created, json, ok } from './router.ts'
import { NewToken } from './schemas.ts'

const tags = ['Operator']
const count = z.number().int()
const Status = z
  .object({ claimed: z.boolean(), users: count, teams: count, apps: count, runningContainers: count })
  .meta({ id: 'InstallationStatus' })

/** For whoever is root on the machine: with the operator's token, and not through the public address. */
export function addOperatorRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/operator/status', tags, summary: 'What this installation holds' },
      responses: ok(Status),
    }),
    async (c) => c.json(await installationStatus(...asked(c)), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/operator/setup-link', tags, summary: 'Make a set-up link' },
      description:
        'Whoever follows it first owns the installation. Earlier links stop working. 410 once it is owned.',
      request: { body: json(z.strictObject({}), { required: false }) },
      responses: ok(z.object({ url: z.string() })),
    }),
    async (c) => c.json(await createSetupLink(...asked(c)), 200, { 'cache-control': 'no-store' }),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/operator/tokens', tags, summary: 'Make a token for a person or a team' },
      request: { body: json(createTokenForSchema) },
      responses: created(NewToken),
    }),
    async (c) => {
      const token = await createTokenFor(...asked(c), c.req.valid('json'))
      return c.json(token, 201, { location: `${basePath}/tokens/${token.id}`, 'cache-control': 'no-store' })
    },
  )
}
