import { createRoute, z } from '@hono/zod-openapi'
import {
  createCronJob,
  deleteCronJob,
  getCronJob,
  listCronJobs,
  runCronJobNow,
  updateCronJob,
} from '../../../../platform/cron-jobs.ts'
import { createCronJobSchema, createRunSchema, updateCronJobSchema } from '../../../../platform/model/runs.ts'
import { cancelRun, createRun, getRun, listRuns } from '../../../../platform/runs.ts'
import { type Api, accepted, asked, basePath, created, idParam, json, noContent, ok } from './router.ts'
import { CronJob, pageOf, pageQuery, Run, RunDetail } from './schemas.ts'

const tags = ['Commands']
const nothing = json(z.strictObject({}), { required: false })

/** Commands that run once, and those that run by a schedule. */
export function addRunRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/apps/{id}/runs', tags, summary: 'List the commands that an app ran' },
      description: 'Newest first, those of cron jobs too. The last 200 are kept.',
      request: { params: idParam, query: pageQuery },
      responses: ok(pageOf(Run)),
    }),
    async (c) => c.json(await listRuns(...asked(c), c.req.valid('param').id, c.req.valid('query')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/apps/{id}/runs', tags, summary: 'Run a command once' },
      description:
        'In a container of its own, with the image, variables, limits and network of the live deployment, without ' +
        'its volumes. No shell takes part unless it is named: ["/bin/sh", "-c", "…"]. With `isAttached` it waits until a ' +
        'terminal is opened with its id, and ends with that.',
      request: { params: idParam, body: json(createRunSchema) },
      responses: accepted(Run, 'It is queued; reading it tells how it goes'),
    }),
    async (c) => {
      const run = await createRun(...asked(c), c.req.valid('param').id, c.req.valid('json'))
      return c.json(run, 202, { Location: `${basePath}/runs/${run.id}` })
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/runs/{id}', tags, summary: 'Read a run and what it wrote' },
      request: { params: idParam },
      responses: ok(RunDetail),
    }),
    async (c) => c.json(await getRun(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/runs/{id}/cancel', tags, summary: 'Cancel a run' },
      request: { params: idParam, body: nothing },
      responses: accepted(Run, 'It is stopped with the app’s grace'),
    }),
    async (c) => c.json(await cancelRun(...asked(c), c.req.valid('param').id), 202),
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/apps/{id}/cron-jobs', tags, summary: 'List an app’s cron jobs' },
      request: { params: idParam },
      responses: ok(pageOf(CronJob)),
    }),
    async (c) => {
      const data = await listCronJobs(...asked(c), c.req.valid('param').id)
      return c.json({ data, nextCursor: null }, 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/apps/{id}/cron-jobs', tags, summary: 'Make a cron job' },
      description:
        'The schedule has five fields, or is @hourly, @daily, @weekly, @monthly or @yearly. While one run of it is ' +
        'under way, the next is left out (forbid), begins beside it (allow), or takes its place (replace).',
      request: { params: idParam, body: json(createCronJobSchema) },
      responses: created(CronJob),
    }),
    async (c) => {
      const job = await createCronJob(...asked(c), c.req.valid('param').id, c.req.valid('json'))
      return c.json(job, 201, { Location: `${basePath}/cron-jobs/${job.id}` })
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/cron-jobs/{id}', tags, summary: 'Read a cron job' },
      request: { params: idParam },
      responses: ok(CronJob),
    }),
    async (c) => c.json(await getCronJob(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'patch', path: '/cron-jobs/{id}', tags, summary: 'Change a cron job' },
      description: 'Only what is given changes.',
      request: { params: idParam, body: json(updateCronJobSchema) },
      responses: ok(CronJob),
    }),
    async (c) => c.json(await updateCronJob(...asked(c), c.req.valid('param').id, c.req.valid('json')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/cron-jobs/{id}', tags, summary: 'Delete a cron job' },
      request: { params: idParam },
      responses: noContent('What runs of it runs on, and its history stays'),
    }),
    async (c) => {
      await deleteCronJob(...asked(c), c.req.valid('param').id)
      return c.body(null, 204)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/cron-jobs/{id}/run', tags, summary: 'Run a cron job now' },
      description: 'Once more than its schedule says, also while it is switched off.',
      request: { params: idParam, body: nothing },
      responses: accepted(Run, 'It is queued; reading it tells how it goes'),
    }),
    async (c) => {
      const run = await runCronJobNow(...asked(c), c.req.valid('param').id)
      return c.json(run, 202, { Location: `${basePath}/runs/${run.id}` })
    },
  )
}
