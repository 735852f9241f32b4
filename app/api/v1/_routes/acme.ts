import { createRoute } from '@hono/zod-openapi'
import { changeAcme, readAcme, removeAcme } from '../../../../platform/certificates/acme/settings.ts'
import { acmeSettingsSchema, acmeStateSchema } from '../../../../platform/model/acme-settings.ts'
import { type Api, asked, json, noContent, ok } from './router.ts'

const tags = ['Administration']
const AcmeState = acmeStateSchema.meta({ id: 'AcmeState' })

/** The authority that certificates are asked of. */
export function addAcmeRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/admin/acme', tags, summary: 'Which authority certificates are asked of' },
      responses: ok(AcmeState),
    }),
    async (c) => c.json(await readAcme(...asked(c)), 200),
  )
  api.openapi(
    createRoute({
      ...{
        method: 'put',
        path: '/admin/acme',
        tags,
        summary: 'Set the authority that certificates are asked of',
      },
      description:
        'Any that speaks ACME (RFC 8555), such as Let’s Encrypt. Berth makes an account there and asks for a certificate ' +
        'for every public name that was shown to be its team’s.',
      request: { body: json(acmeSettingsSchema) },
      responses: ok(AcmeState),
    }),
    async (c) => c.json(await changeAcme(...asked(c), c.req.valid('json')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/admin/acme', tags, summary: 'Ask no authority for certificates' },
      description: 'Those that are there are served until they end.',
      responses: noContent('None is asked for any more.'),
    }),
    async (c) => {
      await removeAcme(...asked(c))
      return c.body(null, 204)
    },
  )
}
