import { createRoute, z } from '@hono/zod-openapi'
import { cordonHost, listHosts } from '../../../../platform/host-admin.ts'
import {
  appointOwnerSchema,
  deleteTeamSchema,
  deleteUserSchema,
  searchSchema,
  setAdministratorSchema,
  userFilterSchema,
} from '../../../../platform/model/inputs.ts'
import { getRegistryCollection, startRegistryCollection } from '../../../../platform/registry/collection.ts'
import { appointOwner, getManagedTeam, listManagedTeams } from '../../../../platform/team-admin.ts'
import { deleteAnyTeam } from '../../../../platform/team-deletion.ts'
import {
  createResetLink,
  deleteUser,
  endUserSessions,
  getManagedUser,
  listUsers,
  reactivateUser,
  setAdministrator,
  suspendUser,
} from '../../../../platform/user-admin.ts'
import { type Api, accepted, asked, idParam, json, noContent, ok } from './router.ts'
import {
  DeletedTeam,
  ManagedHost,
  ManagedTeam,
  ManagedTeamDetail,
  ManagedUser,
  pageOf,
  pageQuery,
  RegistryCollection,
} from './schemas.ts'

const tags = ['Administration']

/** For administrators of the installation: accounts, teams and hosts, whosever they are. */
export function addAdminRoutes(api: Api): void {
  addUserRoutes(api)
  addManagedTeamRoutes(api)
  addTeamDeletion(api)
  addHostRoutes(api)
  addRegistryCollectionRoutes(api)
}

function addUserRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/admin/users', tags, summary: 'List and search accounts' },
      request: { query: pageQuery.extend(userFilterSchema.shape) },
      responses: ok(pageOf(ManagedUser)),
    }),
    async (c) => {
      const { cursor, limit, ...filter } = c.req.valid('query')
      return c.json(await listUsers(...asked(c), filter, { cursor, limit }), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/admin/users/{id}', tags, summary: 'Read an account' },
      request: { params: idParam },
      responses: ok(ManagedUser),
    }),
    async (c) => c.json(await getManagedUser(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'patch', path: '/admin/users/{id}', tags, summary: 'Make or unmake an administrator' },
      description: 'Works at once. The last administrator stays one.',
      request: { params: idParam, body: json(setAdministratorSchema) },
      responses: ok(ManagedUser),
    }),
    async (c) => {
      const { isAdmin } = c.req.valid('json')
      return c.json(await setAdministrator(...asked(c), c.req.valid('param').id, isAdmin), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/admin/users/{id}/suspend', tags, summary: 'Suspend an account' },
      description: 'Its sessions, tokens and open streams end at once. Its teams and their apps go on.',
      request: { params: idParam },
      responses: ok(ManagedUser),
    }),
    async (c) => c.json(await suspendUser(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/admin/users/{id}/reactivate', tags, summary: 'Reactivate an account' },
      description: 'Sessions and tokens of before stay ended.',
      request: { params: idParam },
      responses: ok(ManagedUser),
    }),
    async (c) => c.json(await reactivateUser(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{
        method: 'post',
        path: '/admin/users/{id}/end-sessions',
        tags,
        summary: 'End all sessions of an account',
      },
      description: 'Every browser has to sign in again. Tokens stay.',
      request: { params: idParam },
      responses: noContent('They are ended'),
    }),
    async (c) => {
      await endUserSessions(...asked(c), c.req.valid('param').id)
      return c.body(null, 204)
    },
  )
  api.openapi(
    createRoute({
      ...{
        method: 'post',
        path: '/admin/users/{id}/reset-link',
        tags,
        summary: 'Make a link for a new password',
      },
      description: 'The answer alone carries it: it works once and for an hour.',
      request: { params: idParam },
      responses: ok(z.object({ url: z.string(), expiresAt: z.iso.datetime() })),
    }),
    async (c) => {
      const link = await createResetLink(...asked(c), c.req.valid('param').id)
      return c.json(link, 200, { 'cache-control': 'no-store' })
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/admin/users/{id}', tags, summary: 'Delete an account' },
      description: '409 while a team has no other owner and `newOwnerId` does not say who is to own it.',
      request: { params: idParam, body: json(deleteUserSchema, { required: false }) },
      responses: noContent('It is gone'),
    }),
    async (c) => {
      await deleteUser(...asked(c), c.req.valid('param').id, c.req.valid('json') ?? {})
      return c.body(null, 204)
    },
  )
}

function addManagedTeamRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/admin/teams', tags, summary: 'List all teams, and what they take up' },
      request: { query: pageQuery.extend(searchSchema.shape) },
      responses: ok(pageOf(ManagedTeam)),
    }),
    async (c) => {
      const { cursor, limit, ...filter } = c.req.valid('query')
      return c.json(await listManagedTeams(...asked(c), filter, { cursor, limit }), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{
        method: 'get',
        path: '/admin/teams/{id}',
        tags,
        summary: 'Read what a team takes up, and its members',
      },
      request: { params: idParam },
      responses: ok(ManagedTeamDetail),
    }),
    async (c) => c.json(await getManagedTeam(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/admin/teams/{id}/owners', tags, summary: 'Make somebody owner of a team' },
      description: 'For a team whose owners are gone. The team’s own log tells of it.',
      request: { params: idParam, body: json(appointOwnerSchema) },
      responses: ok(ManagedTeamDetail),
    }),
    async (c) => c.json(await appointOwner(...asked(c), c.req.valid('param').id, c.req.valid('json')), 200),
  )
}

function addTeamDeletion(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/admin/teams/{id}', tags, summary: 'Delete any team' },
      description:
        'Its apps stop at once, and nobody sees it any more. It can be restored for seven days by `/deleted-teams`.',
      request: { params: idParam, query: deleteTeamSchema },
      responses: accepted(DeletedTeam, 'Deleted; `purgeAt` says until when it can be restored'),
    }),
    async (c) => c.json(await deleteAnyTeam(...asked(c), c.req.valid('param').id, c.req.valid('query')), 202),
  )
}

function addHostRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/admin/hosts', tags, summary: 'List hosts and how they are' },
      request: { query: pageQuery },
      responses: ok(pageOf(ManagedHost)),
    }),
    async (c) => c.json(await listHosts(...asked(c), c.req.valid('query')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/admin/hosts/{id}/cordon', tags, summary: 'Let a host take no new apps' },
      description: 'What is on it goes on, and can be deployed anew.',
      request: { params: idParam },
      responses: ok(ManagedHost),
    }),
    async (c) => c.json(await cordonHost(...asked(c), c.req.valid('param').id, true), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/admin/hosts/{id}/uncordon', tags, summary: 'Let a host take new apps' },
      request: { params: idParam },
      responses: ok(ManagedHost),
    }),
    async (c) => c.json(await cordonHost(...asked(c), c.req.valid('param').id, false), 200),
  )
}

function addRegistryCollectionRoutes(api: Api): void {
  const path = '/admin/registry/collection'
  api.openapi(
    createRoute({
      ...{ method: 'get', path, tags, summary: 'Read how the registry’s garbage was collected' },
      description: 'The last collection, or the one under way; `null` where there was none yet.',
      responses: ok(z.object({ last: RegistryCollection.nullable() })),
    }),
    async (c) => c.json({ last: await getRegistryCollection(...asked(c)) }, 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path, tags, summary: 'Free what no image needs' },
      description: 'Berth does so every hour by itself. Pushes and pulls go on meanwhile.',
      responses: noContent('It was asked for'),
    }),
    async (c) => {
      await startRegistryCollection(...asked(c))
      return c.body(null, 204)
    },
  )
}
