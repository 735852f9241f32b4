import { createRoute, z } from '@hono/zod-openapi'
import { getImage, listImages, listPushes, listTags } from '../../../../platform/images.ts'
import { deleteImageSchema, updateRepositorySchema } from '../../../../platform/model/inputs.ts'
import { retentionSchema } from '../../../../platform/model/retention.ts'
import { deleteImage, deleteRepository, deleteTag } from '../../../../platform/registry/remove.ts'
import {
  getTeamRetention,
  previewRetention,
  setTeamRetention,
} from '../../../../platform/registry/retention.ts'
import { getRepository, listRepositories, updateRepository } from '../../../../platform/repositories.ts'
import { getTeam } from '../../../../platform/teams.ts'
import { type Api, asked, idParam, json, noContent, ok, teamParam } from './router.ts'
import {
  ImageDetail,
  ImagePush,
  ImageTag,
  pageOf,
  pageQuery,
  Repository,
  RepositoryImage,
  RetentionPlan,
} from './schemas.ts'

const tags = ['Repositories']
const tagParam = idParam.extend({ tag: z.string().max(128) })
const digestParam = idParam.extend({
  digest: z.string().max(200).meta({ description: 'Digest, such as sha256:1f3a…' }),
})
const imagesQuery = pageQuery.extend({
  untagged: z.enum(['true', 'false']).optional().meta({
    description: 'Only what no tag names, neither by itself nor as a part of what one names',
  }),
})
const needed =
  'Refused with `conflict` while a deployment runs it or can be rolled back to it, unless `force=true`.'

export function addRepositoryRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/teams/{team}/repositories', tags, summary: 'List a team’s repositories' },
      description: 'Those that something was pushed to, by name.',
      request: { params: teamParam, query: pageQuery },
      responses: ok(pageOf(Repository)),
    }),
    async (c) => {
      const { id } = await getTeam(...asked(c), c.req.valid('param').team)
      return c.json(await listRepositories(...asked(c), id, c.req.valid('query')), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/repositories/{id}', tags, summary: 'Read a repository' },
      request: { params: idParam },
      responses: ok(Repository),
    }),
    async (c) => c.json(await getRepository(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'patch', path: '/repositories/{id}', tags, summary: 'Change a repository’s settings' },
      description:
        'Its description, whether anybody may pull it, and what of it is kept (`null`: as the team’s rules say).',
      request: { params: idParam, body: json(updateRepositorySchema) },
      responses: ok(Repository),
    }),
    async (c) =>
      c.json(await updateRepository(...asked(c), c.req.valid('param').id, c.req.valid('json')), 200),
  )
  api.openapi(
    createRoute({
      ...{
        method: 'delete',
        path: '/repositories/{id}',
        tags,
        summary: 'Delete a repository with its images',
      },
      description: needed,
      request: { params: idParam, query: deleteImageSchema },
      responses: noContent('Deleted'),
    }),
    async (c) => {
      await deleteRepository(...asked(c), c.req.valid('param').id, c.req.valid('query'))
      return c.body(null, 204)
    },
  )
  addImageRoutes(api)
  addRetentionRoutes(api)
}

function addImageRoutes(api: Api): void {
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/repositories/{id}/tags', tags, summary: 'List a repository’s tags' },
      description: 'Those first that were pushed last, with the deployments that need them.',
      request: { params: idParam, query: pageQuery },
      responses: ok(pageOf(ImageTag)),
    }),
    async (c) => c.json(await listTags(...asked(c), c.req.valid('param').id, c.req.valid('query')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/repositories/{id}/tags/{tag}', tags, summary: 'Delete a tag' },
      description: `The image that it names stays, and can be pulled by its digest. ${needed}`,
      request: { params: tagParam, query: deleteImageSchema },
      responses: noContent('Deleted'),
    }),
    async (c) => {
      const { id, tag } = c.req.valid('param')
      await deleteTag(...asked(c), id, tag, c.req.valid('query'))
      return c.body(null, 204)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/repositories/{id}/images', tags, summary: 'List a repository’s images' },
      description: 'Everything that has a digest, also what no tag names; by digest.',
      request: { params: idParam, query: imagesQuery },
      responses: ok(pageOf(RepositoryImage)),
    }),
    async (c) => {
      const { untagged, ...page } = c.req.valid('query')
      const options = { ...page, untagged: untagged === 'true' }
      return c.json(await listImages(...asked(c), c.req.valid('param').id, options), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'get', path: '/repositories/{id}/images/{digest}', tags, summary: 'Read an image' },
      description: 'With its layers, and how it was made.',
      request: { params: digestParam },
      responses: ok(ImageDetail),
    }),
    async (c) => {
      const { id, digest } = c.req.valid('param')
      return c.json(await getImage(...asked(c), id, digest), 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path: '/repositories/{id}/images/{digest}', tags, summary: 'Delete an image' },
      description: `With every tag that names it, and with what only it names. ${needed}`,
      request: { params: digestParam, query: deleteImageSchema },
      responses: noContent('Deleted'),
    }),
    async (c) => {
      const { id, digest } = c.req.valid('param')
      await deleteImage(...asked(c), id, digest, c.req.valid('query'))
      return c.body(null, 204)
    },
  )
  api.openapi(
    createRoute({
      ...{
        method: 'get',
        path: '/repositories/{id}/pushes',
        tags,
        summary: 'List what was pushed to a repository',
      },
      description: 'Newest first: which tag came to name which image, and who pushed it.',
      request: { params: idParam, query: pageQuery },
      responses: ok(pageOf(ImagePush)),
    }),
    async (c) => c.json(await listPushes(...asked(c), c.req.valid('param').id, c.req.valid('query')), 200),
  )
}

const rulesBody = z.strictObject({ retention: retentionSchema.nullable() })

function addRetentionRoutes(api: Api): void {
  const path = '/teams/{team}/image-retention'
  api.openapi(
    createRoute({
      ...{ method: 'get', path, tags, summary: 'Read what a team’s repositories keep' },
      description: 'Where they have no rules of their own; `null`: everything.',
      request: { params: teamParam },
      responses: ok(rulesBody),
    }),
    async (c) => {
      const { id } = await getTeam(...asked(c), c.req.valid('param').team)
      return c.json({ retention: await getTeamRetention(...asked(c), id) }, 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'put', path, tags, summary: 'Change what a team’s repositories keep' },
      description:
        'What no rule keeps goes within an hour, unless a deployment needs it. Ask for a preview first.',
      request: { params: teamParam, body: json(rulesBody) },
      responses: ok(rulesBody),
    }),
    async (c) => {
      const { id } = await getTeam(...asked(c), c.req.valid('param').team)
      const { retention } = c.req.valid('json')
      return c.json({ retention: await setTeamRetention(...asked(c), id, retention) }, 200)
    },
  )
  api.openapi(
    createRoute({
      ...{
        method: 'post',
        path: '/repositories/{id}/retention-preview',
        tags,
        summary: 'Preview what rules would remove',
      },
      description:
        'Nothing is changed. Everything with the reasons that keep it: what has none would go. `null`: by the team’s rules.',
      request: { params: idParam, body: json(rulesBody) },
      responses: ok(RetentionPlan),
    }),
    async (c) => {
      const { retention } = c.req.valid('json')
      return c.json(await previewRetention(...asked(c), c.req.valid('param').id, retention), 200)
    },
  )
}
