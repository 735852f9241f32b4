import { createRoute } from '@hono/zod-openapi'
import { listApps } from '../../../../platform/apps.ts'
import {
  createProjectSchema,
  createTeamSchema,
  deleteTeamSchema,
  renameTeamSchema,
  searchSchema,
} from '../../../../platform/model/inputs.ts'
import { createProject, listProjects } from '../../../../platform/projects.ts'
import { deleteTeam, listDeletedTeams, restoreTeam } from '../../../../platform/team-deletion.ts'
import { createTeam, getTeam, listTeams, renameTeam } from '../../../../platform/teams.ts'
import {
  type Api,
  type ApiContext,
  accepted,
  asked,
  basePath,
  created,
  json,
  ok,
  teamParam,
} from './router.ts'
import { App, DeletedTeam, Project, pageOf, pageQuery, Team } from './schemas.ts'

const tags = ['Teams']

export function addTeamRoutes(api: Api): void {
  addDeletionRoutes(api)
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/teams', tags, summary: 'List your teams' },
      request: { query: pageQuery },
      responses: ok(pageOf(Team)),
    }),
    async (c) => c.json(await listTeams(...asked(c), c.req.valid('query')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/teams', tags, summary: 'Make a team' },
      request: { body: json(createTeamSchema) },
      responses: created(Team),
    }),
    async (c) => {
      const team = await createTeam(...asked(c), c.req.valid('json'))
      return c.json(team, 201, { location: `${basePath}/teams/${team.id}` })
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/teams/{team}', tags, summary: 'Read a team' },
      request: { params: teamParam },
      responses: ok(Team),
    }),
    async (c) => c.json(await getTeam(...asked(c), c.req.valid('param').team), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'patch', path: '/teams/{team}', tags, summary: 'Give a team another name or slug' },
      description:
        'Former slugs go on leading to the team. Apps keep their host names, and images their names (`imageNamespace`).',
      request: { params: teamParam, body: json(renameTeamSchema) },
      responses: ok(Team),
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      return c.json(await renameTeam(...asked(c), teamId, c.req.valid('json')), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{
        method: 'get',
        path: '/teams/{team}/projects',
        tags: ['Projects'],
        summary: 'List a team’s projects',
      },
      request: { params: teamParam, query: pageQuery },
      responses: ok(pageOf(Project)),
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      return c.json(await listProjects(...asked(c), teamId, c.req.valid('query')), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/teams/{team}/projects', tags: ['Projects'], summary: 'Make a project' },
      request: { params: teamParam, body: json(createProjectSchema) },
      responses: created(Project),
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      const project = await createProject(...asked(c), teamId, c.req.valid('json'))
      return c.json(project, 201, { location: `${basePath}/projects/${project.id}` })
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/teams/{team}/apps', tags: ['Apps'], summary: 'List all apps of a team' },
      request: { params: teamParam, query: pageQuery.extend(searchSchema.shape) },
      responses: ok(pageOf(App)),
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      return c.json(await listApps(...asked(c), { teamId }, c.req.valid('query')), 200)
    },
  )
}

function addDeletionRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/teams/{team}', tags, summary: 'Delete a team' },
      description:
        'Its apps stop at once, and nobody sees it any more. Owners can bring it back for seven days; then everything of it is removed.',
      request: { params: teamParam, query: deleteTeamSchema },
      responses: accepted(DeletedTeam, 'Deleted; `purgeAt` says until when it can be restored'),
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      return c.json(await deleteTeam(...asked(c), teamId, c.req.valid('query')), 202)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/deleted-teams', tags, summary: 'List deleted teams that you can restore' },
      responses: ok(pageOf(DeletedTeam)),
    }),
    async (c) => c.json({ data: await listDeletedTeams(...asked(c)), nextCursor: null }, 200),
  )
  api.openapi(
    createRoute({
      ...{
        method: 'post',
        path: '/deleted-teams/{team}/restore',
        tags,
        summary: 'Bring a deleted team back',
      },
      description: 'Its apps run again as they did.',
      request: { params: teamParam },
      responses: ok(DeletedTeam),
    }),
    async (c) => c.json(await restoreTeam(...asked(c), c.req.valid('param').team), 200),
  )
}

/** Makes sure that it is there and the caller's to see: the operator may do everything, even in teams that are not. */
export async function teamIdOf(c: ApiContext, idOrSlug: string): Promise<string> {
  return (await getTeam(...asked(c), idOrSlug)).id
}
