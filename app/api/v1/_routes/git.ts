import { createRoute } from '@hono/zod-openapi'
import { notFound } from '../../../../platform/access.ts'
import { deployFromGit } from '../../../../platform/git/deploy.ts'
import {
  readGitSource,
  removeGitSource,
  renewDeployKey,
  setGitSource,
} from '../../../../platform/git/source.ts'
import { makeGitWebhook } from '../../../../platform/git/webhooks/hooks.ts'
import { deployGitSchema, gitSourceInputSchema } from '../../../../platform/model/git-source.ts'
import { type Api, accepted, asked, idParam, json, noContent, ok } from './router.ts'
import { GitSource, LinkedDeployment, NewGitWebhook, withLinks } from './schemas.ts'

const tags = ['Git']

export function addGitRoutes(api: Api): void {
  const path = '/apps/{id}/git-source'
  api.openapi(
    createRoute({
      ...{ method: 'get', path, tags, summary: 'Where an app’s source is' },
      description: 'Neither the token nor the private half of the deploy key is told.',
      request: { params: idParam },
      responses: ok(GitSource),
    }),
    async (c) => {
      const source = await readGitSource(...asked(c), c.req.valid('param').id)
      if (source === null) throw notFound('Git source')
      return c.json(source, 200)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'put', path, tags, summary: 'Say where an app’s source is' },
      description:
        'A repository by `https://`, with a token if it is private, or by `ssh://` or `git@host:path`, for which Berth makes a deploy key. A token that is not given stays, as long as the host is the same.',
      request: { params: idParam, body: json(gitSourceInputSchema) },
      responses: ok(GitSource),
    }),
    async (c) => c.json(await setGitSource(...asked(c), c.req.valid('param').id, c.req.valid('json')), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'delete', path, tags, summary: 'Forget where an app’s source is' },
      description: 'With its token and its deploy key. What was deployed runs on.',
      request: { params: idParam },
      responses: noContent('Forgotten'),
    }),
    async (c) => {
      await removeGitSource(...asked(c), c.req.valid('param').id)
      return c.body(null, 204)
    },
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: `${path}/deploy-key`, tags, summary: 'Make another deploy key' },
      description: 'The one that the forge knows lets nobody in any more.',
      request: { params: idParam },
      responses: ok(GitSource),
    }),
    async (c) => c.json(await renewDeployKey(...asked(c), c.req.valid('param').id), 200),
  )
  api.openapi(
    createRoute({
      ...{ method: 'post', path: `${path}/deploy`, tags, summary: 'Build and deploy from Git' },
      description:
        'What the repository has at the app’s branch, tag or commit, or at `ref`, is fetched, built and deployed.',
      request: { params: idParam, body: json(deployGitSchema, { required: false }) },
      responses: accepted(
        LinkedDeployment,
        'It waits for its turn; follow `links.events` and its build’s log',
      ),
    }),
    async (c) => {
      const made = await deployFromGit(...asked(c), c.req.valid('param').id, c.req.valid('json'))
      const deployment = withLinks(made)
      return c.json(deployment, 202, { location: deployment.links.self })
    },
  )
  api.openapi(
    createRoute({
      ...{
        method: 'post',
        path: `${path}/webhook`,
        tags,
        summary: 'Make the webhook, or another secret for it',
      },
      description:
        'Give both to the forge (GitHub, GitLab, Gitea, Forgejo, Bitbucket), for pushes, as JSON. The secret is told this once; one that was made before is worth nothing from now on.',
      request: { params: idParam },
      responses: ok(NewGitWebhook),
    }),
    async (c) => c.json(await makeGitWebhook(...asked(c), c.req.valid('param').id), 200),
  )
}
