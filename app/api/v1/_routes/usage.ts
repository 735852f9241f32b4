import { createRoute } from '@hono/zod-openapi'
import { changeQuotaSchema } from '../../../../platform/model/quotas.ts'
import { changeQuota, getTeamUse } from '../../../../platform/team-use.ts'
import { type Api, asked, json, ok, teamParam } from './router.ts'
import { TeamUse } from './schemas.ts'
import { teamIdOf } from './teams.ts'

const tags = ['Teams']

export function addUsageRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/teams/{team}/usage', tags, summary: 'What a team uses and may use' },
      request: { params: teamParam },
      responses: ok(TeamUse),
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      return c.json(await getTeamUse(...asked(c), teamId), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'patch', path: '/teams/{team}/quota', tags, summary: 'Change what a team may use' },
      description:
        'For administrators of the installation. Only what is given changes; null: as much as there is. What runs goes on.',
      request: { params: teamParam, body: json(changeQuotaSchema) },
      responses: ok(TeamUse),
    }),
    async (c) => c.json(await changeQuota(...asked(c), c.req.valid('param').team, c.req.valid('json')), 200),
  )
}
