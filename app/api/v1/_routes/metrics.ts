import { createRoute, z } from '@hono/zod-openapi'
import { readAppMetrics, readHostMetrics } from '../../../../platform/metrics.ts'
import { appMetricsSchema, hostMetricsSchema, metricRangeSchema } from '../../../../platform/model/metrics.ts'
import { prometheusText } from '../../../../platform/prometheus.ts'
import { type Api, asked, idParam, ok } from './router.ts'

const tags = ['Metrics']
const { from, to } = metricRangeSchema.shape
const query = z.strictObject({
  from: from.meta({ description: 'Default: an hour before `to`' }),
  to: to.meta({ description: 'Default: now' }),
  step: metricRangeSchema.shape.step.meta({
    type: 'integer',
    description:
      'Seconds: 10 (kept for two hours), 60 (two days) or 600 (thirty days); default: the finest that fits',
  }),
})
const AppMetrics = appMetricsSchema.openapi('AppMetrics')
const HostMetrics = hostMetricsSchema.openapi('HostMetrics')
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
