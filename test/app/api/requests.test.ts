import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Team } from '../../../platform/model/resources.ts'
import { type ApiUnderTest, type Call, openApi } from './client.ts'

let berth: ApiUnderTest
let team: Team
let dev: { call: Call; token: string }

beforeAll(async () => {
  berth = await openApi()
  team = await berth.makeTeam('Acme')
  dev = await berth.member(team.id, 'developer')
})
afterAll(() => berth?.close())

/** A body as it is, with the developer's token. */
async function send(path: string, body: BodyInit, headers: Record<string, string> = {}) {
  const authorization = `Bearer ${dev.token}`
  const response = await berth.fetch(path, {
    method: 'POST',
    body,
    headers: { authorization, 'content-type': 'application/json', ...headers },
  })
  return { status: response.status, body: await response.json() }
}

test('every problem has the same shape, and its request id is in the header too', async () => {
  const answer = await dev.call('GET /apps/app_nothing', undefined, { 'x-request-id': 'trace-42' })
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.headers.get('x-request-id')).toBe('trace-42')
  expect(answer.body).toEqual({
    type: 'urn:berth:problem:not-found',
    title: 'Not found',
    status: 404,
    detail: 'There is no such app, or it is not yours to see.',
    code: 'not-found',
    requestId: 'trace-42',
    errors: [],
  })
  for (const route of ['GET /teams', 'GET /nowhere', 'PUT /teams', 'GET /openapi.json']) {
    const { headers } = await dev.call(route, undefined, { 'x-request-id': 'not\tone of ours' })
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  }
})

test('unknown and wrong fields are refused by name, however deep', async () => {
  const project = await berth.makeProject(team.id)
  const answer = await dev.call(`POST /projects/${project.id}/apps`, {
    name: '',
    color: 'red',
    settings: { image: 'nginx', port: 70_000, limits: { memroyBytes: 1 } },
  })
  expect(answer).toMatchObject({ status: 422, body: { code: 'invalid' } })
  expect(answer.body.errors).toEqual(
    expect.arrayContaining([
      { path: 'name', message: 'must not be empty' },
      { path: 'color', message: 'is not a known field' },
      { path: 'settings.port', message: 'must be 1–65535' },
      { path: 'settings.limits.memroyBytes', message: 'is not a known field' },
    ]),
  )
  const stop = await dev.call(`POST /apps/app_x/stop`, { force: true })
  expect(stop).toMatchObject({ status: 422, body: { errors: [{ path: 'force' }] } })
})

test('a request without a body may name the type of the body it does not have', async () => {
  const json = { 'content-type': 'application/json' }
  expect(await dev.call(`GET /teams/${team.id}`, undefined, json)).toMatchObject({ status: 200 })
  expect(await dev.call(`GET /teams/${team.id}`, undefined, { 'content-type': 'text/plain' })).toMatchObject({
    status: 200,
  })
  const project = await berth.makeProject(team.id)
  const app = await dev.call(`POST /projects/${project.id}/apps`, {
    name: 'silent',
    settings: { image: 'nginx', port: 80 },
  })
  const { status, body } = await dev.call(`POST /apps/${app.body.id}/deployments`, undefined, json)
  expect({ status, body }).toMatchObject({ status: 202 })
  expect(await dev.call('POST /teams', undefined, json)).toMatchObject({
    status: 422,
    body: { errors: [{ path: 'name' }] },
  })
})

test('a body that is no JSON, is too large or holds what no database can is refused before anything happens', async () => {
  const path = `/teams/${team.id}/projects`
  const refused = (status: number, code: string) => ({
    status,
    body: { code, requestId: expect.any(String) },
  })
  expect(await send(path, '{"name":')).toMatchObject(refused(400, 'bad-request'))
  expect(await send(path, '')).toMatchObject(refused(422, 'invalid'))
  expect(await send(path, '{"name":"a\\u0000b"}')).toMatchObject(refused(400, 'bad-request'))
  expect(await send(path, '{"name":"\\ud800"}')).toMatchObject(refused(400, 'bad-request'))
  expect(await send(path, '[]')).toMatchObject(refused(422, 'invalid'))
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  expect(await send(path, 'name=x', form)).toMatchObject(refused(415, 'unsupported-media-type'))
  expect(await send(path, '{"name":"x"}', { 'content-type': 'text/plain' })).toMatchObject({ status: 415 })
  const large = JSON.stringify({ name: 'x'.repeat(2 ** 20) })
  expect(await send(path, large)).toMatchObject(refused(413, 'too-large'))
  expect((await dev.call(`GET ${path}`)).body.data.filter(({ name }) => name === 'x')).toEqual([])
})

test('paths that lead nowhere are 404, also with a NUL in them; other methods are 405 with those that exist', async () => {
  expect(await dev.call('GET /nowhere')).toMatchObject({ status: 404, body: { code: 'not-found' } })
  expect((await dev.call('GET /teams/%00')).status).toBe(400)
  expect((await dev.call(`GET /teams/${'x'.repeat(5_000)}`)).status).toBe(404)
  expect((await dev.call('GET /apps/%zz')).status).toBe(404)
  const put = await dev.call(`PUT /teams/${team.id}`, { name: 'x' })
  expect(put).toMatchObject({ status: 405, body: { code: 'method-not-allowed' } })
  expect(put.headers.get('allow')).toBe('DELETE, GET, PATCH, HEAD, OPTIONS')
  const options = await berth.fetch('/teams', { method: 'OPTIONS' })
  expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, POST, HEAD, OPTIONS'])
})

test('a request with a key of its own is done once, however often it is sent', async () => {
  const path = `/teams/${team.id}/projects`
  const post = (name: string, key: string, call = dev.call) =>
    call(`POST ${path}`, { name }, { 'idempotency-key': key })
  const both = await Promise.all([post('Once', 'k-1'), post('Once', 'k-1')])
  const first = both.find(({ status }) => status === 201)
  // The other one came while it ran, or after.
  expect(both.map(({ status }) => status).filter((status) => status !== 201 && status !== 409)).toEqual([])
  const again = await post('Once', 'k-1')
  expect(again).toMatchObject({ status: 201, body: first?.body })
  expect(again.headers.get('location')).toBe(`/api/v1/projects/${first?.body.id}`)
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect(await post('Other', 'k-1')).toMatchObject({ status: 422, body: { code: 'invalid' } })
  const somebodyElse = (await berth.member(team.id, 'developer')).call
  expect((await post('Once', 'k-1', somebodyElse)).body.id).not.toBe(first?.body.id)
  expect((await post('', 'k-2')).status).toBe(422)
  expect((await post('Right now', 'k-2')).status).toBe(201)
  const names = (await dev.call(`GET ${path}?limit=100`)).body.data.map(({ name }) => name)
  expect(names.filter((name) => name === 'Once')).toHaveLength(2)
})

test('an answer that carries a secret is kept nowhere, whatever key the request has', async () => {
  const { redis } = berth.platform
  const { id } = await berth.makeUser()
  const asked: [string, object][] = [
    [`POST /teams/${team.id}/tokens`, { name: 'robot' }],
    [`POST /teams/${team.id}/invitations`, { email: 'guest@example.com' }],
    [`POST /admin/users/${id}/reset-link`, {}],
    ['POST /operator/tokens', { name: 'robot', team: team.id }],
  ]
  for (const [route, body] of asked) {
    const once = async () => berth.operator(route, body, { 'idempotency-key': 'secretive' })
    const answer = await once()
    expect([route, answer.status < 300]).toEqual([route, true])
    expect([route, (await once()).headers.get('idempotency-replayed')]).toEqual([route, null])
  }
  expect(
    await redis.keys('berth:once:*').then((keys) => Promise.all(keys.map((key) => redis.get(key)))),
  ).not.toContainEqual(expect.stringMatching(/berth_|\?token=|"secret"/))
})

test('an error that was not made for the caller says nothing but its request id', async () => {
  const broken = await openApi()
  const call = broken.operator
  await broken.platform.db.$executeRaw`ALTER TABLE memberships RENAME TO elsewhere`
  await broken.platform.db.$executeRaw`ALTER TABLE teams RENAME TO gone`
  const answer = await call('GET /teams')
  expect(answer).toMatchObject({ status: 500, body: { code: 'internal', errors: [] } })
  expect(JSON.stringify(answer.body)).not.toMatch(/teams|prisma|relation/i)
  await broken.close()
})
