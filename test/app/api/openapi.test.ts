import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApiUnderTest, openApi } from './client.ts'

let berth: ApiUnderTest

beforeAll(async () => {
  berth = await openApi()
})
afterAll(() => berth?.close())

interface Operation {
  summary?: string
  tags?: string[]
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>
  parameters?: { name: string; in: string; required?: boolean; schema: object }[]
}

const routes = [
  'GET /me',
  'GET /me/sessions',
  'DELETE /me/sessions/{id}',
  'POST /me/sessions/end-others',
  'POST /me/password',
  'GET /me/two-factor',
  'POST /me/two-factor',
  'POST /me/two-factor/confirm',
  'POST /me/two-factor/disable',
  'POST /me/two-factor/recovery-codes',
  'DELETE /users/{id}/two-factor',
  'GET /admin/registration',
  'PUT /admin/registration',
  'GET /admin/sign-in-providers',
  'POST /admin/sign-in-providers',
  'PATCH /admin/sign-in-providers/{id}',
  'DELETE /admin/sign-in-providers/{id}',
  'GET /me/identities',
  'DELETE /me/identities/{id}',
  'GET /admin/acme',
  'PUT /admin/acme',
  'DELETE /admin/acme',
  'GET /admin/mail',
  'PUT /admin/mail',
  'DELETE /admin/mail',
  'POST /admin/mail/test',
  'PUT /teams/{team}/two-factor',
  'GET /teams',
  'POST /teams',
  'GET /teams/{team}',
  'PATCH /teams/{team}',
  'GET /teams/{team}/projects',
  'POST /teams/{team}/projects',
  'GET /teams/{team}/apps',
  'GET /teams/{team}/audit',
  'GET /teams/{team}/usage',
  'PATCH /teams/{team}/quota',
  'GET /teams/{team}/tokens',
  'POST /teams/{team}/tokens',
  'POST /tokens/{id}/take-over',
  'DELETE /teams/{team}',
  'GET /deleted-teams',
  'POST /deleted-teams/{team}/restore',
  'GET /teams/{team}/repositories',
  'GET /repositories/{id}',
  'PATCH /repositories/{id}',
  'DELETE /repositories/{id}',
  'GET /repositories/{id}/tags',
  'DELETE /repositories/{id}/tags/{tag}',
  'GET /repositories/{id}/images',
  'GET /repositories/{id}/images/{digest}',
  'DELETE /repositories/{id}/images/{digest}',
  'GET /repositories/{id}/pushes',
  'GET /teams/{team}/events',
  'GET /teams/{team}/members',
  'PATCH /teams/{team}/members/{userId}',
  'DELETE /teams/{team}/members/{userId}',
  'POST /teams/{team}/leave',
  'GET /teams/{team}/invitations',
  'POST /teams/{team}/invitations',
  'DELETE /invitations/{id}',
  'POST /invitations/accept',
  'GET /projects/{id}',
  'PATCH /projects/{id}',
  'DELETE /projects/{id}',
  'GET /projects/{id}/access',
  'PUT /projects/{id}/access/{userId}',
  'GET /projects/{id}/apps',
  'POST /projects/{id}/apps',
  'GET /apps/{id}',
  'PATCH /apps/{id}',
  'DELETE /apps/{id}',
  'POST /apps/{id}/scale',
  'GET /apps/{id}/access',
  'PUT /apps/{id}/access',
  'PUT /apps/{id}/processes/{name}',
  'DELETE /apps/{id}/processes/{name}',
  'GET /apps/{id}/pending-changes',
  'POST /apps/{id}/discard-changes',
  'POST /apps/{id}/start',
  'POST /apps/{id}/stop',
  'GET /apps/{id}/variables',
  'PATCH /apps/{id}/variables',
  'GET /apps/{id}/variables/dotenv',
  'POST /apps/{id}/variables/import',
  'GET /apps/{id}/variables/versions',
  'POST /apps/{id}/variables/versions/{number}/restore',
  'GET /environments/{id}/variables',
  'PATCH /environments/{id}/variables',
  'GET /environments/{id}/variables/dotenv',
  'POST /environments/{id}/variables/import',
  'GET /environments/{id}/variables/versions',
  'POST /environments/{id}/variables/versions/{number}/restore',
  'GET /apps/{id}/runs',
  'POST /apps/{id}/runs',
  'GET /apps/{id}/metrics',
  'GET /apps/{id}/metrics/requests',
  'GET /teams/{team}/metrics',
  'GET /admin/hosts/{id}/metrics',
  'GET /metrics',
  'GET /apps/{id}/alerts',
  'GET /apps/{id}/alert-rules',
  'PUT /apps/{id}/alert-rules/{rule}',
  'DELETE /apps/{id}/alert-rules/{rule}',
  'GET /admin/hosts/{id}/alerts',
  'GET /admin/hosts/{id}/alert-rules',
  'PUT /admin/hosts/{id}/alert-rules/{rule}',
  'DELETE /admin/hosts/{id}/alert-rules/{rule}',
  'GET /teams/{team}/alerts',
  'POST /apps/{id}/terminals',
  'GET /apps/{id}/files',
  'DELETE /apps/{id}/files',
  'GET /apps/{id}/files/content',
  'PUT /apps/{id}/files/content',
  'POST /apps/{id}/files/folders',
  'GET /volumes/{id}/files',
  'DELETE /volumes/{id}/files',
  'GET /volumes/{id}/files/content',
  'PUT /volumes/{id}/files/content',
  'POST /volumes/{id}/files/folders',
  'GET /runs/{id}',
  'POST /runs/{id}/cancel',
  'GET /apps/{id}/volumes',
  'GET /projects/{id}/volumes',
  'POST /apps/{id}/volumes',
  'GET /volumes/{id}',
  'PATCH /volumes/{id}',
  'DELETE /volumes/{id}',
  'POST /volumes/{id}/undelete',
  'POST /volumes/{id}/snapshots',
  'DELETE /volume-snapshots/{id}',
  'POST /volume-snapshots/{id}/restore',
  'GET /apps/{id}/cron-jobs',
  'POST /apps/{id}/cron-jobs',
  'GET /cron-jobs/{id}',
  'PATCH /cron-jobs/{id}',
  'DELETE /cron-jobs/{id}',
  'POST /cron-jobs/{id}/run',
  'GET /apps/{id}/domains',
  'POST /apps/{id}/domains',
  'GET /apps/{id}/ports',
  'POST /apps/{id}/ports',
  'PATCH /apps/{id}/ports/{name}',
  'DELETE /apps/{id}/ports/{name}',
  'POST /domains/{id}/check',
  'PATCH /domains/{id}',
  'PUT /domains/{id}/certificate',
  'POST /domains/{id}/certificate/try',
  'DELETE /domains/{id}/certificate',
  'PUT /domains/{id}/records',
  'DELETE /domains/{id}/records',
  'DELETE /domains/{id}',
  'GET /apps/{id}/deployments',
  'POST /apps/{id}/deployments',
  'GET /apps/{id}/timeline',
  'GET /teams/{team}/registry-logins',
  'POST /teams/{team}/registry-logins',
  'PATCH /registry-logins/{id}',
  'POST /registry-logins/{id}/test',
  'DELETE /registry-logins/{id}',
  'POST /projects/{id}/follow-preview',
  'GET /teams/{team}/log-drains',
  'POST /teams/{team}/log-drains',
  'GET /log-drains/{id}',
  'PATCH /log-drains/{id}',
  'DELETE /log-drains/{id}',
  'POST /log-drains/{id}/test',
  'GET /teams/{team}/notification-channels',
  'POST /teams/{team}/notification-channels',
  'GET /notification-channels/{id}',
  'PATCH /notification-channels/{id}',
  'DELETE /notification-channels/{id}',
  'POST /notification-channels/{id}/test',
  'POST /notification-channels/{id}/rotate-secret',
  'GET /notification-channels/{id}/deliveries',
  'POST /notification-deliveries/{id}/redeliver',
  'GET /apps/{id}/logs',
  'GET /apps/{id}/logs/histogram',
  'GET /apps/{id}/logs/download',
  'GET /deployments/{id}',
  'POST /apps/{id}/builds',
  'GET /deployments/{id}/build-log',
  'GET /apps/{id}/git-source',
  'PUT /apps/{id}/git-source',
  'DELETE /apps/{id}/git-source',
  'POST /apps/{id}/git-source/deploy-key',
  'POST /apps/{id}/git-source/webhook',
  'POST /apps/{id}/git-source/deploy',
  'GET /deployments/{id}/events',
  'POST /deployments/{id}/cancel',
  'GET /deployments/{id}/rollback',
  'POST /deployments/{id}/rollback',
  'GET /tokens',
  'POST /tokens',
  'DELETE /tokens/{id}',
  'GET /teams/{team}/audit/export',
  'GET /admin/audit',
  'GET /admin/audit/export',
  'GET /admin/audit/retention',
  'PUT /admin/audit/retention',
  'GET /admin/users',
  'GET /admin/users/{id}',
  'PATCH /admin/users/{id}',
  'DELETE /admin/users/{id}',
  'POST /admin/users/{id}/suspend',
  'POST /admin/users/{id}/reactivate',
  'POST /admin/users/{id}/reset-link',
  'POST /admin/users/{id}/end-sessions',
  'GET /admin/teams',
  'GET /admin/teams/{id}',
  'DELETE /admin/teams/{id}',
  'POST /admin/teams/{id}/owners',
  'GET /admin/hosts',
  'POST /admin/hosts/{id}/cordon',
  'POST /admin/hosts/{id}/uncordon',
  'GET /teams/{team}/image-retention',
  'PUT /teams/{team}/image-retention',
  'POST /repositories/{id}/retention-preview',
  'GET /admin/registry/collection',
  'POST /admin/registry/collection',
  'GET /operator/status',
  'POST /operator/setup-link',
  'POST /operator/tokens',
]

test('the OpenAPI 3.1 document lists every route with its answers, and points at nothing that is not in it', async () => {
  const { status, body } = await berth.nobody('GET /openapi.json')
  expect(status).toBe(200)
  expect(body).toMatchObject({
    openapi: '3.1.0',
    info: { title: 'Berth', version: '1' },
    servers: [{ url: '/api/v1' }],
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  })
  const paths = body.paths as Record<string, Record<string, Operation>>
  const listed = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(listed.sort()).toEqual([...routes].sort())
  for (const [path, methods] of Object.entries(paths)) {
    for (const operation of Object.values(methods)) {
      expect(operation.summary).toBeTruthy()
      expect(operation.tags).toHaveLength(1)
      expect(operation.responses.default?.content).toHaveProperty(['application/problem+json'])
      expect(Object.keys(operation.responses).filter((code) => /^2\d\d$/.test(code))).toHaveLength(1)
      const inPath = operation.parameters?.filter((parameter) => parameter.in === 'path') ?? []
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? [])
    }
  }
  const schemas = (body.components as { schemas: object }).schemas
  const references = [...JSON.stringify(body).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)]
  expect(references.length).toBeGreaterThan(20)
  for (const [, name] of references) expect(schemas).toHaveProperty([name ?? ''])
  // 3.1 speaks JSON Schema: null is a type, and OpenAPI 3.0's word for it is gone.
  expect(JSON.stringify(body)).not.toContain('"nullable"')
})

test('the pages for people load nothing from elsewhere', async () => {
  const page = await berth.fetch('/docs')
  expect(page.headers.get('content-type')).toContain('text/html')
  const html = await page.text()
  const loaded = [...html.matchAll(/(?:src|"stylesheet" href)="([^"]+)"/g)].map(([, url]) => url ?? '')
  expect(loaded.length).toBe(3)
  expect(html).not.toMatch(/\/\/[a-z]/)
  for (const url of loaded) {
    expect(url).toMatch(/^\/api\/v1\/docs\//)
    const asset = await berth.fetch(url.slice('/api/v1'.length))
    expect(asset.status).toBe(200)
    expect((await asset.text()).length).toBeGreaterThan(100)
  }
  expect((await berth.fetch('/docs/package.json')).status).toBe(404)
})
