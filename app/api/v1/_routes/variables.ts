import { createRoute, z } from '@hono/zod-openapi'
import { importVariablesSchema, setVariablesSchema } from '../../../../platform/model/inputs.ts'
import type { Variable as VariableRow } from '../../../../platform/model/resources.ts'
import type { VariableOwner } from '../../../../platform/variable-owner.ts'
import { listVariableVersions, restoreVariables } from '../../../../platform/variable-versions.ts'
import {
  exportVariables,
  importVariables,
  listVariables,
  setVariables,
} from '../../../../platform/variables.ts'
import { type Api, asked, idParam, json, ok } from './router.ts'
import { pageOf, pageQuery, Variable, VariableVersion } from './schemas.ts'

const tags = ['Variables']
const places: { path: string; whose: string; ownerOf(id: string): VariableOwner }[] = [
  { path: '/apps/{id}/variables', whose: 'an app’s', ownerOf: (appId) => ({ appId }) },
  {
    path: '/environments/{id}/variables',
    whose: 'an environment’s shared',
    ownerOf: (environmentId) => ({ environmentId }),
  },
]
const open = '$'.concat('{{')
const references =
  `A value may hold \`${open}NAME}}\` for another variable of the app or a shared one, and \`${open}app.NAME}}\` for ` +
  'one of another app in the environment; each app has BERTH_PRIVATE_HOST, BERTH_PRIVATE_PORT and BERTH_PUBLIC_URL. ' +
  `\`$${open}\` stands for \`${open}\` itself.`
const versionParam = idParam.extend({ number: z.coerce.number().int().min(1) })

export function addVariableRoutes(api: Api): void {
  for (const { path, whose, ownerOf } of places) {
    api.openapi(
      createRoute({
        ...{ method: 'get', path, tags, summary: `List ${whose} variables` },
        description: 'All of them, by name. Secrets come without their values.',
        request: { params: idParam },
        responses: ok(pageOf(Variable)),
      }),
      async (c) => c.json(whole(await listVariables(...asked(c), ownerOf(c.req.valid('param').id))), 200),
    )
    api.openapi(
      createRoute({
        ...{ method: 'patch', path, tags, summary: `Set and remove ${whose} variables` },
        description: `In one step. The next deployment runs with them. ${references}`,
        request: { params: idParam, body: json(setVariablesSchema) },
        responses: ok(pageOf(Variable)),
      }),
      async (c) => {
        const owner = ownerOf(c.req.valid('param').id)
        return c.json(whole(await setVariables(...asked(c), owner, c.req.valid('json'))), 200)
      },
    )
    api.openapi(
      createRoute({
        ...{ method: 'get', path: `${path}/dotenv`, tags, summary: `Export ${whose} variables` },
        description: 'As a .env file. Secrets are in it as comments, without their values.',
        request: { params: idParam },
        responses: {
          ...ok(z.string()),
          200: { description: 'OK', content: { 'text/plain': { schema: z.string() } } },
        },
      }),
      async (c) => c.text(await exportVariables(...asked(c), ownerOf(c.req.valid('param').id)), 200),
    )
    api.openapi(
      createRoute({
        ...{ method: 'post', path: `${path}/import`, tags, summary: `Import ${whose} variables` },
        description: 'From the text of a .env file. What it does not name stays.',
        request: { params: idParam, body: json(importVariablesSchema) },
        responses: ok(pageOf(Variable)),
      }),
      async (c) => {
        const owner = ownerOf(c.req.valid('param').id)
        return c.json(whole(await importVariables(...asked(c), owner, c.req.valid('json'))), 200)
      },
    )
    api.openapi(
      createRoute({
        ...{
          method: 'get',
          path: `${path}/versions`,
          tags,
          summary: `List what changed of ${whose} variables`,
        },
        description: 'Newest first; the last 100 changes are kept. Values of secrets are null.',
        request: { params: idParam, query: pageQuery },
        responses: ok(pageOf(VariableVersion)),
      }),
      async (c) => {
        const owner = ownerOf(c.req.valid('param').id)
        return c.json(await listVariableVersions(...asked(c), owner, c.req.valid('query')), 200)
      },
    )
    api.openapi(
      createRoute({
        ...{ method: 'post', path: `${path}/versions/{number}/restore`, tags },
        summary: `Put a version of ${whose} variables back`,
        description: 'Secrets too. It makes a new version; the next deployment runs with it.',
        request: { params: versionParam, body: json(z.strictObject({}), { required: false }) },
        responses: ok(pageOf(Variable)),
      }),
      async (c) => {
        const { id, number } = c.req.valid('param')
        await restoreVariables(...asked(c), ownerOf(id), number)
        return c.json(whole(await listVariables(...asked(c), ownerOf(id))), 200)
      },
    )
  }
}

function whole(data: VariableRow[]): { data: VariableRow[]; nextCursor: string | null } {
  return { data, nextCursor: null }
}
