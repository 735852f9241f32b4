import { afterAll, beforeAll, expect, test } from 'vitest'
import type { App, Deployment, Page, Project, Team } from '../../platform/model/resources.ts'
import { type BerthHome, makeBerthHome } from '../support/berth-home.ts'
import { until } from '../support/until.ts'

// The same way as in the browser, with a token and nothing else.
let berth: BerthHome
let base = ''
let token = ''

beforeAll(async () => {
  berth = await makeBerthHome()
  const { dashboard } = await berth.up()
  base = `${dashboard?.replace('localhost', '127.0.0.1')}/api/v1`
  token = (await berth.run('token', 'create', '--team', 'main', '--name', 'api test')).stdout.trim()
})

afterAll(async () => {
  await berth?.close()
})

async function ask(method: string, path: string, body?: unknown, bearer = token): Promise<Response> {
  return fetch(`${base}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${bearer}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

async function read<T>(path: string): Promise<T> {
  const response = await ask('GET', path)
  expect(response.status).toBe(200)
  return (await response.json()) as T
}

/** Follows a stream of events until one of them is this; answers all that came. */
async function follow(path: string, isLast: (event: { type: string; status?: string }) => boolean) {
  const response = await fetch(`${base}${path}`, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    signal: AbortSignal.timeout(60_000),
  })
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  const events: { type: string; status?: string }[] = []
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString()
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) {
      if (!line.startsWith('data:')) continue
      const event = JSON.parse(line.slice(5)) as { type: string; status?: string }
      events.push(event)
      if (isLast(event)) return events
    }
  }
  throw new Error(`the stream ended after ${JSON.stringify(events.at(-1))}`)
}

test('without a token, with a wrong one and for what is not there the answers differ', async () => {
  expect((await fetch(`${base}/teams`)).status).toBe(401)
  expect((await ask('GET', '/teams', undefined, 'berth_wrong')).status).toBe(401)
  const missing = await ask('GET', '/apps/app_00000000000000000000000000')
  expect(missing.status).toBe(404)
  expect(await missing.json()).toMatchObject({ code: 'not-found', requestId: expect.any(String) })
})

test('push, create, deploy, follow to live, answer, fail without harm, delete', async () => {
  const teams = await read<Page<Team>>('/teams')
  const [team] = teams.data
  expect(team?.slug).toBe('main')
  const image = await berth.push('shop:1', {
    entrypoint: ['/bin/sh', '-c', 'trap "exit 0" TERM; httpd -f -p 3000 -h /www & wait'],
    files: { 'www/index.html': 'the shop is open' },
  })
  const project = (await (
    await ask('POST', `/teams/${team?.id}/projects`, { name: 'Shop' })
  ).json()) as Project
  const made = await ask('POST', `/projects/${project.id}/apps`, {
    name: 'shop',
    settings: { image, stopGraceMs: 1_000 },
  })
  expect(made.status).toBe(201)
  const app = (await made.json()) as App
  const accepted = await ask('POST', `/apps/${app.id}/deployments`, {})
  expect(accepted.status).toBe(202)
  const deployment = (await accepted.json()) as Deployment
  expect(accepted.headers.get('location')).toBe(`/api/v1/deployments/${deployment.id}`)
  const events = await follow(
    `/deployments/${deployment.id}/events`,
    ({ type, status }) => type === 'status' && status === 'live',
  )
  expect(events.some(({ type }) => type === 'layers')).toBe(true)
  expect((await berth.open(app.urls[0] ?? '')).body).toBe('the shop is open')

  const bad = await ask('POST', `/apps/${app.id}/deployments`, { image: 'registry.invalid/nobody/here:1' })
  const { id } = (await bad.json()) as Deployment
  const failed = await until('it failed', async () => {
    const now = await read<Deployment>(`/deployments/${id}`)
    return now.status === 'failed' && now
  })
  expect(failed.failure).toMatchObject({ step: 'pull', code: 'registry-unavailable' })
  expect((await berth.open(app.urls[0] ?? '')).body).toBe('the shop is open')

  expect((await ask('DELETE', `/apps/${app.id}`)).status).toBe(202)
  await until('its address is unknown', async () => (await berth.open(app.urls[0] ?? '')).status === 404)
  expect((await ask('GET', `/apps/${app.id}`)).status).toBe(404)
})
