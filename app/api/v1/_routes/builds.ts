import { createRoute, z } from '@hono/zod-openapi'
import { followBuildLog, readBuildLog } from '../../../../platform/builds/build-log.ts'
import { createBuild } from '../../../../platform/builds/create-build.ts'
import { maxUploadBytes, type UploadFormat } from '../../../../platform/model/builds.ts'
import { answerStream, followQuery } from './events.ts'
import { type Api, accepted, asked, idParam, ok } from './router.ts'
import { BuildLog, LinkedDeployment, withLinks } from './schemas.ts'

const tags = ['Builds']

/** What clients call these archives. */
const formats: Record<string, UploadFormat> = {
  'application/x-tar': 'tar',
  'application/gzip': 'tar.gz',
  'application/x-gzip': 'tar.gz',
  'application/zip': 'zip',
  'application/x-zip-compressed': 'zip',
}

const archive = { schema: z.string().meta({ type: 'string', format: 'binary' }) }

const buildArgument = z
  .string()
  .max(4_400)
  .regex(/^[A-Za-z_]\w*=/, 'must be NAME=value')

const uploadQuery = z.strictObject({
  folder: z.string().max(400).optional().meta({ description: 'The part of the source that is built' }),
  dockerfile: z.string().max(400).optional().meta({ description: 'Seen from that folder' }),
  target: z.string().max(200).optional().meta({ description: 'The stage to build' }),
  arg: z
    .union([buildArgument.transform((one) => [one]), z.array(buildArgument).max(100)])
    .optional()
    .meta({ description: 'A build argument, `NAME=value`; may come several times' }),
})

/** The one route that takes a large body: it comes before what limits and reads the others' bodies. */
export function addUploadRoute(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'post', path: '/apps/{id}/builds', tags, summary: 'Build and deploy source' },
      description: `The body is an archive of the source, tar, tar.gz or zip, at most ${maxUploadBytes / 2 ** 20} MiB. It is built from its Dockerfile, pushed to the team's repository and deployed.`,
      request: {
        params: idParam,
        query: uploadQuery,
        body: {
          required: true,
          content: { 'application/x-tar': archive, 'application/gzip': archive, 'application/zip': archive },
        },
      },
      responses: accepted(
        LinkedDeployment,
        'It waits for its turn; follow `links.events` and its build’s log',
      ),
    }),
    async (c) => {
      const type = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
      const format = formats[type] ?? null
      const { id } = c.req.valid('param')
      const { arg, ...query } = c.req.valid('query')
      const args = arg && Object.fromEntries(arg.map((text) => splitArgument(text)))
      const made = await createBuild(...asked(c), id, { format, body: c.req.raw.body, args, ...query })
      const deployment = withLinks(made)
      return c.json(deployment, 202, { location: deployment.links.self })
    },
  )
}

function splitArgument(text: string): [name: string, value: string] {
  const at = text.indexOf('=')
  return [text.slice(0, at), text.slice(at + 1)]
}

export function addBuildRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{
        method: 'get',
        path: '/deployments/{id}/build-log',
        tags,
        summary: 'Read or follow what a build says',
      },
      description:
        'As JSON: all of it until now. With `Accept: text/event-stream`: from the beginning, live.',
      request: { params: idParam, query: followQuery },
      responses: {
        ...ok(BuildLog),
        200: {
          description: 'All lines, or server-sent events of one each',
          content: {
            'application/json': { schema: BuildLog },
            'text/event-stream': { schema: z.string() },
          },
        },
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param')
      if ((c.req.header('accept') ?? '').includes('text/event-stream'))
        return answerStream(c, (options) => followBuildLog(...asked(c), id, options))
      return c.json(await readBuildLog(...asked(c), id), 200)
    },
  )
}
