import { createRoute, z } from '@hono/zod-openapi'
import {
  acceptInvitation,
  invite,
  listInvitations,
  revokeInvitation,
} from '../../../../platform/invitations.ts'
import { changeRole, leaveTeam, listMembers, removeMember } from '../../../../platform/members.ts'
import { changeRoleSchema, inviteSchema } from '../../../../platform/model/inputs.ts'
import { type Api, asked, basePath, created, idParam, json, noContent, ok, teamParam } from './router.ts'
import { Invitation, Member, NewInvitation, pageOf, pageQuery, Team } from './schemas.ts'
import { teamIdOf } from './teams.ts'

const tags = ['Members']
const memberParam = teamParam.extend({
  userId: z.string().max(100).meta({ description: 'Id, such as usr_01jd…' }),
})

export function addMemberRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/teams/{team}/members', tags, summary: 'List who belongs to a team' },
      request: { params: teamParam, query: pageQuery },
      responses: ok(pageOf(Member)),
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      return c.json(await listMembers(...asked(c), teamId, c.req.valid('query')), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'patch', path: '/teams/{team}/members/{userId}', tags, summary: 'Change a member’s role' },
      description: 'Works at once. The last owner stays one.',
      request: { params: memberParam, body: json(changeRoleSchema) },
      responses: ok(Member),
    }),
    async (c) => {
      const { team, userId } = c.req.valid('param')
      const teamId = await teamIdOf(c, team)
      return c.json(await changeRole(...asked(c), teamId, userId, c.req.valid('json')), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/teams/{team}/members/{userId}', tags, summary: 'Remove a member' },
      request: { params: memberParam },
      responses: noContent('No member any more'),
    }),
    async (c) => {
      const { team, userId } = c.req.valid('param')
      await removeMember(...asked(c), await teamIdOf(c, team), userId)
      return c.body(null, 204)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/teams/{team}/leave', tags, summary: 'Leave a team' },
      request: { params: teamParam },
      responses: noContent('You are no member any more'),
    }),
    async (c) => {
      await leaveTeam(...asked(c), await teamIdOf(c, c.req.valid('param').team))
      return c.body(null, 204)
    },
  )
  addInvitationRoutes(api)
}

function addInvitationRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/teams/{team}/invitations', tags, summary: 'List open invitations' },
      request: { params: teamParam, query: pageQuery },
      responses: ok(pageOf(Invitation)),
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      return c.json(await listInvitations(...asked(c), teamId, c.req.valid('query')), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/teams/{team}/invitations', tags, summary: 'Invite somebody' },
      description: 'The answer alone carries the link, which works once and for a week: pass it on.',
      request: { params: teamParam, body: json(inviteSchema) },
      responses: created(NewInvitation),
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      const invitation = await invite(...asked(c), teamId, c.req.valid('json'))
      return c.json(invitation, 201, { location: `${basePath}/invitations/${invitation.id}` })
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/invitations/{id}', tags, summary: 'Revoke an invitation' },
      request: { params: idParam },
      responses: noContent('Its link leads nowhere now'),
    }),
    async (c) => {
      await revokeInvitation(...asked(c), c.req.valid('param').id)
      return c.body(null, 204)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/invitations/accept', tags, summary: 'Accept an invitation' },
      description: 'As the signed-in person whose address was invited.',
      request: { body: json(z.strictObject({ token: z.string().max(200) })) },
      responses: ok(Team),
    }),
    async (c) => c.json(await acceptInvitation(...asked(c), c.req.valid('json').token), 200),
  )
}
