import { createRoute, z } from '@hono/zod-openapi'
import { readEdgeUse } from '../../../../platform/edge-use.ts'
import { readAppMetrics, readHostMetrics } from '../../../../platform/metrics.ts'
import {
  appMetricsSchema,
  edgeMetricsSchema,
  edgeRangeSchema,
  hostMetricsSchema,
  metricRangeSchema,
  teamMetricsSchema,
} from '../../../../platform/model/metrics.ts'
import { prometheusText } from '../../../../platform/prometheus.ts'
import { readTeamMetrics } from '../../../../platform/team-metrics.ts'
import { type Api, asked, idParam, ok, teamParam } from './router.ts'
import { teamIdOf } from './teams.ts'

const tags = ['Metrics']
const { from, to } = metricRangeSchema.shape
const query = z.strictObject({
  from: from.meta({ description: 'Default: an hour before `to`' }),
  to: to.meta({ description: 'Default: now' }),
  step: metricRangeSchema.shape.step.meta({
    type: 'integer',
    description:
      'Seconds: 10 (kept for two hours), 60 (two days), 600 or 3600 (thirty days); default: the finest that fits',
  }),
})
const AppMetrics = appMetricsSchema.openapi('AppMetrics')
const EdgeMetrics = edgeMetricsSchema.openapi('EdgeMetrics')
const edgeQuery = query.extend({
  domain: edgeRangeSchema.shape.domain.meta({
    description: 'Such as shop.example or shop.example/api; default: all together',
  }),
})
const HostMetrics = hostMetricsSchema.openapi('HostMetrics')
const TeamMetrics = teamMetricsSchema.openapi('TeamMetrics')
const { default: problem } = ok(z.string())

export function addMetricRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/apps/{id}/metrics', tags, summary: 'Read what an app’s containers used' },
      request: { params: idParam, query },
      responses: ok(AppMetrics),
    }),
    async (c) =>
      c.json(await readAppMetrics(...asked(c), c.req.valid('param').id, c.req.valid('query')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/apps/{id}/metrics/requests', tags, summary: 'Read what an app was asked' },
      description:
        'As the edge counted it: requests by status, latency, bytes and what is under way, by domain.',
      request: { params: idParam, query: edgeQuery },
      responses: ok(EdgeMetrics),
    }),
    async (c) => c.json(await readEdgeUse(...asked(c), c.req.valid('param').id, c.req.valid('query')), 200),
  )
  api.openapi(
    createRoute({
      ...{
        method: 'get',
        path: '/teams/{team}/metrics',
        tags,
        summary: 'Read what a team’s apps used together',
      },
      description: 'Of those that the caller sees, with the ones that used the most.',
      request: { params: teamParam, query },
      responses: ok(TeamMetrics),
    }),
    async (c) => {
      const teamId = await teamIdOf(c, c.req.valid('param').team)
      return c.json(await readTeamMetrics(...asked(c), teamId, c.req.valid('query')), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/admin/hosts/{id}/metrics', tags, summary: 'Read what a host used' },
      request: { params: idParam, query },
      responses: ok(HostMetrics),
    }),
    async (c) =>
      c.json(await readHostMetrics(...asked(c), c.req.valid('param').id, c.req.valid('query')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/metrics', tags, summary: 'The newest numbers, for Prometheus' },
      description: 'Of all hosts and containers, for administrators of the installation.',
      responses: {
        200: { description: 'OK', content: { 'text/plain': { schema: z.string() } } },
        default: problem,
      },
    }),
    async (c) =>
      c.text(await prometheusText(...asked(c)), 200, {
        'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      }),
  )
}
