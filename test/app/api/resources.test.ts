import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Team } from '../../../platform/model/resources.ts'
import { showLines } from '../../support/log-lines.ts'
import { type ApiUnderTest, type Call, openApi } from './client.ts'

let berth: ApiUnderTest
let team: Team
let dev: Call
let owner: Call
let stranger: Call

beforeAll(async () => {
  berth = await openApi()
  team = await berth.makeTeam('Acme')
  const other = await berth.makeTeam('Other')
  dev = (await berth.member(team.id, 'developer')).call
  owner = (await berth.member(team.id, 'owner')).call
  stranger = (await berth.member(other.id, 'owner')).call
})
afterAll(() => berth?.close())

const image = 'registry.example/app:1'

async function makeApp(name: string) {
  const project = await dev(`POST /teams/${team.id}/projects`, { name: `Of ${name}` })
  const app = await dev(`POST /projects/${project.body.id}/apps`, { name, settings: { image } })
  return { project: project.body, app: app.body }
}

test('team, project and app are made, listed, read, changed and deleted', async () => {
  const made = await berth.operator('POST /teams', { name: 'Shop' })
  expect(made).toMatchObject({ status: 201, body: { slug: 'shop', role: 'owner' } })
  expect(made.headers.get('location')).toBe(`/api/v1/teams/${made.body.id}`)
  expect(await berth.operator('GET /teams/shop')).toMatchObject({ status: 200, body: { id: made.body.id } })
  expect((await dev('GET /teams')).body).toMatchObject({ data: [{ id: team.id }], nextCursor: null })
  const renamed = await owner(`PATCH /teams/${team.id}`, { name: 'Acme Ltd' })
  expect(renamed).toMatchObject({ status: 200, body: { name: 'Acme Ltd', slug: team.slug } })

  const project = await dev(`POST /teams/${team.slug}/projects`, { name: 'Site' })
  expect(project).toMatchObject({
    status: 201,
    body: { teamId: team.id, environments: [{ slug: 'production' }] },
  })
  const { id } = project.body
  expect(await dev(`GET /projects/${id}`)).toMatchObject({ status: 200, body: { id, appCount: 0 } })
  expect(await dev(`PATCH /projects/${id}`, { name: 'Web' })).toMatchObject({
    status: 200,
    body: { name: 'Web' },
  })
  expect((await dev(`GET /teams/${team.id}/projects`)).body.data).toMatchObject([{ id, name: 'Web' }])

  const app = await dev(`POST /projects/${id}/apps`, {
    name: 'Front',
    settings: { image, port: 8080 },
    variables: [{ name: 'KEY', value: 'hidden', isSecret: true }],
  })
  expect(app).toMatchObject({
    status: 201,
    body: { status: 'empty', settings: { image, port: 8080, replicas: 1 } },
  })
  const appId = app.body.id
  for (const list of [`/projects/${id}/apps`, `/teams/${team.id}/apps`]) {
    expect((await dev(`GET ${list}`)).body.data).toMatchObject([{ id: appId }])
  }
  const changed = await dev(`PATCH /apps/${appId}`, { settings: { limits: { cpuMillis: 250 } } })
  expect(changed.body).toMatchObject({ settings: { port: 8080, limits: { cpuMillis: 250, pids: 512 } } })
  expect(await owner(`DELETE /projects/${id}`)).toMatchObject({ status: 409, body: { code: 'conflict' } })
  expect(await dev(`DELETE /apps/${appId}`)).toMatchObject({ status: 202, body: { status: 'deleting' } })

  const empty = await dev(`POST /teams/${team.id}/projects`, { name: 'Empty' })
  expect((await owner(`DELETE /projects/${empty.body.id}`)).status).toBe(204)
  expect((await owner(`GET /projects/${empty.body.id}`)).status).toBe(404)
  const audit = await owner(`GET /teams/${team.id}/audit?limit=3`)
  expect(audit.body.data.map(({ action }) => action)).toEqual([
    'project.delete',
    'project.create',
    'app.delete',
  ])
})

test('variables are set and removed in one step, and a secret is never shown again', async () => {
  const { app } = await makeApp('Vars')
  const set = await dev(`PATCH /apps/${app.id}/variables`, {
    set: [
      { name: 'PLAIN', value: 'a\nb' },
      { name: 'SECRET', value: 'hidden', isSecret: true },
    ],
  })
  expect(set.body).toMatchObject({
    data: [
      { name: 'PLAIN', value: 'a\nb', isSecret: false },
      { name: 'SECRET', value: null, isSecret: true },
    ],
    nextCursor: null,
  })
  const removed = await dev(`PATCH /apps/${app.id}/variables`, { remove: ['PLAIN'] })
  expect(removed.body.data).toMatchObject([{ name: 'SECRET' }])
  expect(await dev(`GET /apps/${app.id}/variables`)).toEqual({ ...removed, headers: expect.anything() })
})

test('a deployment is accepted with where to follow it, listed, and called off', async () => {
  const { app } = await makeApp('Deployed')
  const made = await dev(`POST /apps/${app.id}/deployments`)
  expect(made).toMatchObject({ status: 202, body: { number: 1, status: 'queued', trigger: 'api', image } })
  const self = `/api/v1/deployments/${made.body.id}`
  expect(made.headers.get('location')).toBe(self)
  expect(made.body.links).toMatchObject({ self, events: `${self}/events`, app: `/api/v1/apps/${app.id}` })
  expect(await dev(`GET /deployments/${made.body.id}`)).toMatchObject({ status: 200, body: made.body })

  const second = await dev(`POST /apps/${app.id}/deployments`, { image: 'registry.example/app:2' })
  expect(second.body).toMatchObject({ number: 2, image: 'registry.example/app:2' })
  const list = await dev(`GET /apps/${app.id}/deployments`)
  expect(list.body.data.map(({ number, status }) => [number, status])).toEqual([
    [2, 'queued'],
    [1, 'superseded'],
  ])
  const canceled = await dev(`POST /deployments/${second.body.id}/cancel`)
  expect(canceled).toMatchObject({ status: 202, body: { status: 'canceled' } })
  expect((await dev(`POST /deployments/${second.body.id}/cancel`)).status).toBe(409)
  expect((await dev(`POST /deployments/${second.body.id}/rollback`)).status).toBe(409)
  expect((await dev(`POST /apps/${app.id}/start`)).status).toBe(409)
  expect(await dev(`POST /apps/${app.id}/stop`, {})).toMatchObject({
    status: 202,
    body: { desiredState: 'stopped' },
  })
})

test('a page of the log goes from the newest line back', async () => {
  const { app } = await makeApp('Talker')
  await showLines(berth.platform, app.id, ['1', '2', '3', '4', '5'])
  const seen: unknown[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page = await dev(`GET /apps/${app.id}/logs?limit=2${cursor && `&cursor=${cursor}`}`)
    expect(page.status).toBe(200)
    seen.push(page.body.data.map(({ text }) => text))
    cursor = page.body.nextCursor
  }
  expect(seen).toEqual([['5', '4'], ['3', '2'], ['1']])
})

test('pages neither lose nor repeat anything, and a wrong limit or cursor is named', async () => {
  const big = await berth.makeTeam('Big')
  const names = Array.from({ length: 7 }, (_, i) => `Project ${i}`)
  for (const name of names) await berth.makeProject(big.id, name)
  const seen: unknown[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page = await berth.operator(`GET /teams/${big.id}/projects?limit=3${cursor && `&cursor=${cursor}`}`)
    seen.push(...page.body.data.map(({ name }) => name))
    cursor = page.body.nextCursor
  }
  expect(seen).toEqual(names)
  for (const [query, status, path] of [
    ['limit=0', 422, 'limit'],
    ['limit=101', 422, 'limit'],
    ['limit=many', 422, 'limit'],
    ['limt=5', 422, 'limt'],
    ['cursor=xyz', 400, 'cursor'],
    [`cursor=${btoa('"\\u0000"')}`, 400, 'cursor'],
  ] as const) {
    const answer = await berth.operator(`GET /teams/${big.id}/projects?${query}`)
    expect([query, answer.status, answer.body.errors[0]?.path]).toEqual([query, status, path])
  }
})

test('what belongs to another team looks exactly like what does not exist', async () => {
  const { project, app } = await makeApp('Private')
  const deployment = (await dev(`POST /apps/${app.id}/deployments`)).body
  const paths = (ids: { team: string; project: string; app: string; deployment: string }) => [
    ...['', '/projects', '/apps', '/audit', '/events'].map((rest) => `GET /teams/${ids.team}${rest}`),
    ...['', '/apps'].map((rest) => `GET /projects/${ids.project}${rest}`),
    ...['', '/variables', '/deployments', '/logs'].map((rest) => `GET /apps/${ids.app}${rest}`),
    ...['', '/events'].map((rest) => `GET /deployments/${ids.deployment}${rest}`),
    ...['stop', 'start', 'deployments'].map((rest) => `POST /apps/${ids.app}/${rest}`),
    `DELETE /apps/${ids.app}`,
    `DELETE /projects/${ids.project}`,
    `POST /deployments/${ids.deployment}/cancel`,
  ]
  const last = '0'.repeat(22)
  const theirs = paths({ team: team.id, project: project.id, app: app.id, deployment: deployment.id })
  const nothing = paths({
    team: `team_${last}`,
    project: `prj_${last}`,
    app: `app_${last}`,
    deployment: `dep_${last}`,
  })
  for (const [i, path] of theirs.entries()) {
    const [hidden, missing] = [await stranger(path), await stranger(nothing[i] ?? '')]
    expect([path, hidden.status]).toEqual([path, 404])
    expect({ ...hidden.body, requestId: '' }).toEqual({ ...missing.body, requestId: '' })
  }
  expect((await berth.operator(`POST /teams/team_${last}/projects`, { name: 'x' })).status).toBe(404)
})

test('a role that is too weak is told so, and nobody at all is asked to sign in', async () => {
  const { project, app } = await makeApp('Guarded')
  const viewer = (await berth.member(team.id, 'viewer')).call
  expect((await viewer(`GET /apps/${app.id}`)).status).toBe(200)
  for (const refused of [
    viewer(`POST /apps/${app.id}/deployments`),
    viewer(`GET /apps/${app.id}/variables`),
    viewer(`DELETE /apps/${app.id}`),
    dev(`DELETE /projects/${project.id}`),
    dev(`PATCH /teams/${team.id}`, { name: 'Mine' }),
    dev(`GET /teams/${team.id}/audit`),
    dev('POST /teams', { name: 'Mine' }),
    owner('POST /operator/setup-link'),
    owner('GET /operator/status'),
    owner('POST /operator/tokens', { name: 'x', team: team.id }),
  ]) {
    expect(await refused).toMatchObject({ status: 403, body: { code: 'forbidden' } })
  }
  const anonymous = await berth.nobody(`GET /apps/${app.id}`)
  expect(anonymous).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
  expect(anonymous.headers.get('www-authenticate')).toBe('Bearer realm="berth"')
})
