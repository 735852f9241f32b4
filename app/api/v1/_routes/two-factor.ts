import { createRoute, z } from '@hono/zod-openapi'
import { proofSchema } from '../../../../platform/model/inputs.ts'
import { twoFactorSchema } from '../../../../platform/model/resources.ts'
import { requireTwoFactorIn } from '../../../../platform/team-two-factor.ts'
import {
  beginTwoFactor,
  confirmTwoFactor,
  disableTwoFactor,
  readTwoFactor,
  renewRecoveryCodes,
  resetTwoFactor,
} from '../../../../platform/two-factor.ts'
import { type Api, asked, idParam, json, noContent, ok, teamParam } from './router.ts'
import { Team } from './schemas.ts'
import { teamIdOf } from './teams.ts'

const tags = ['Account']
const proof = { body: json(proofSchema) }
const RecoveryCodes = z
  .object({ recoveryCodes: z.array(z.string()).meta({ description: 'Each works once. Shown this once.' }) })
  .meta({ id: 'RecoveryCodes' })
const NewTwoFactor = z
  .object({
    secret: z.string().meta({ description: 'To be typed into the app, in base 32. Shown this once.' }),
    uri: z.string().meta({ description: 'The same as an otpauth:// address, for a QR code.' }),
  })
  .meta({ id: 'NewTwoFactor' })

export function addTwoFactorRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/me/two-factor', tags, summary: 'Whether your sign-in needs a code' },
      responses: ok(twoFactorSchema.meta({ id: 'TwoFactor' })),
    }),
    async (c) => c.json(await readTwoFactor(...asked(c)), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/me/two-factor', tags, summary: 'Begin to set up two-factor sign-in' },
      description: 'Needs the password. Nothing changes before a first code is confirmed.',
      request: proof,
      responses: ok(NewTwoFactor),
    }),
    async (c) => c.json(await beginTwoFactor(...asked(c), c.req.valid('json')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/me/two-factor/confirm', tags, summary: 'Turn two-factor sign-in on' },
      description: 'Needs a code of the app. Ends all other sessions.',
      request: proof,
      responses: ok(RecoveryCodes),
    }),
    async (c) => c.json(await confirmTwoFactor(...asked(c), c.req.valid('json')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/me/two-factor/disable', tags, summary: 'Turn two-factor sign-in off' },
      description: 'Needs the password and a code. Ends all other sessions.',
      request: proof,
      responses: noContent('Off'),
    }),
    async (c) => {
      await disableTwoFactor(...asked(c), c.req.valid('json'))
      return c.body(null, 204)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/me/two-factor/recovery-codes', tags, summary: 'Make new recovery codes' },
      description: 'Needs the password and a code. The old ones are worth nothing then.',
      request: proof,
      responses: ok(RecoveryCodes),
    }),
    async (c) => c.json(await renewRecoveryCodes(...asked(c), c.req.valid('json')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/users/{id}/two-factor', tags, summary: 'Take a second factor away' },
      description: 'For somebody who lost app and recovery codes. Ends all of his sessions.',
      request: { params: idParam },
      responses: noContent('Gone'),
    }),
    async (c) => {
      await resetTwoFactor(...asked(c), c.req.valid('param').id)
      return c.body(null, 204)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'put', path: '/teams/{team}/two-factor', tags: ['Teams'] },
      summary: 'Ask all members for two-factor sign-in, or not',
      description: 'Works at once. Members without it can do nothing in the team until they set it up.',
      request: { params: teamParam, body: json(z.strictObject({ required: z.boolean() })) },
      responses: ok(Team),
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      return c.json(await requireTwoFactorIn(...asked(c), teamId, c.req.valid('json').required), 200)
    },
  )
}
