import { createRoute, z } from '@hono/zod-openapi'
import {
  createProviderSchema,
  identitySchema,
  providerSchema,
  registrationSchema,
  registrations,
  updateProviderSchema,
} from '../../../../platform/model/sign-in-settings.ts'
import { listIdentities, unlinkIdentity } from '../../../../platform/sign-in/identities.ts'
import {
  createProvider,
  deleteProvider,
  listProviders,
  updateProvider,
} from '../../../../platform/sign-in/providers.ts'
import { changeRegistration, readRegistration } from '../../../../platform/sign-in/registration.ts'
import { type Api, asked, basePath, created, idParam, json, noContent, ok } from './router.ts'

const tags = ['Administration']
const Provider = providerSchema.meta({ id: 'SignInProvider' })
const Registration = z
  .object({ registration: z.enum(registrations), domains: z.array(z.string()) })
  .meta({ id: 'Registration' })
const Identity = identitySchema.meta({ id: 'Identity' })

/** Who may sign in and make an account, and where. */
export function addSignInRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/admin/registration', tags, summary: 'Who may make an account' },
      responses: ok(Registration),
    }),
    async (c) => c.json(await readRegistration(...asked(c)), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'put', path: '/admin/registration', tags, summary: 'Set who may make an account' },
      description: 'Everything but `invitation` needs e-mail: 409 while none is sent.',
      request: { body: json(registrationSchema) },
      responses: ok(Registration),
    }),
    async (c) => c.json(await changeRegistration(...asked(c), c.req.valid('json')), 200),
  )
  addProviderRoutes(api)
  addIdentityRoutes(api)
}

function addProviderRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/admin/sign-in-providers', tags, summary: 'List sign-in providers' },
      responses: ok(z.object({ data: z.array(Provider) })),
    }),
    async (c) => c.json({ data: await listProviders(...asked(c)) }, 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/admin/sign-in-providers', tags, summary: 'Add a sign-in provider' },
      description: 'An OpenID provider is asked what it is first: 422 where it does not answer.',
      request: { body: json(createProviderSchema) },
      responses: created(Provider),
    }),
    async (c) => {
      const provider = await createProvider(...asked(c), c.req.valid('json'))
      return c.json(provider, 201, { Location: `${basePath}/admin/sign-in-providers/${provider.id}` })
    },
  )
  api.openapi(
    createRoute({
      ...{
        method: 'patch',
        path: '/admin/sign-in-providers/{id}',
        tags,
        summary: 'Change a sign-in provider',
      },
      description: 'Only what is given changes. A new issuer needs the secret anew.',
      request: { params: idParam, body: json(updateProviderSchema) },
      responses: ok(Provider),
    }),
    async (c) => {
      const { id } = c.req.valid('param')
      return c.json(await updateProvider(...asked(c), id, c.req.valid('json')), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{
        method: 'delete',
        path: '/admin/sign-in-providers/{id}',
        tags,
        summary: 'Remove a sign-in provider',
      },
      description: '409 while somebody has no other way to sign in.',
      request: { params: idParam },
      responses: noContent('Gone'),
    }),
    async (c) => {
      await deleteProvider(...asked(c), c.req.valid('param').id)
      return c.body(null, 204)
    },
  )
}

function addIdentityRoutes(api: Api): void {
  const tags = ['Account']
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/me/identities', tags, summary: 'List where else you sign in' },
      responses: ok(z.object({ data: z.array(Identity) })),
    }),
    async (c) => c.json({ data: await listIdentities(...asked(c)) }, 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/me/identities/{id}', tags, summary: 'Unlink an identity' },
      description: '409 for the last way to sign in.',
      request: { params: idParam },
      responses: noContent('Unlinked'),
    }),
    async (c) => {
      await unlinkIdentity(...asked(c), c.req.valid('param').id)
      return c.body(null, 204)
    },
  )
}
