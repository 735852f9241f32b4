/** What a page of another site can do with the cookie of somebody who is signed in here: nothing, by no route. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cookieHeaders, openSession } from '../callers.ts'
import { type Things, type ThingsMaker, thingsOf } from '../things.ts'
import { type ApiUnderTest, openApi } from './client.ts'
import { elsewhere, rules } from './rules.ts'

const host = 'localhost:7080'
const strangers: Record<string, string>[] = [
  { host },
  { host, 'sec-fetch-site': 'cross-site', origin: `http://${host}` },
  { host, 'sec-fetch-site': 'same-site', origin: 'http://shop-acme.localhost:7080' },
  { host, 'sec-fetch-site': 'none' },
  { host, origin: 'http://shop-acme.localhost:7080' },
  { host, 'x-forwarded-host': 'evil.example', origin: 'http://evil.example' },
  { host, origin: 'null' },
]

let berth: ApiUnderTest
let things: ThingsMaker
let cookie: string

beforeAll(async () => {
  berth = await openApi()
  const team = await berth.makeTeam()
  things = thingsOf(berth, team.id)
  // Whoever may do everything that a person may.
  const owner = await berth.makeUser({ teamId: team.id, role: 'owner' })
  await berth.platform.db.user.update({ where: { id: owner.id }, data: { isAdmin: true } })
  cookie = cookieHeaders(await openSession(berth, owner)).cookie ?? ''
})
afterAll(() => berth?.close())

async function ask(route: string, path: string, headers: Record<string, string>, body?: object) {
  const response = await berth.fetch(path, {
    method: route.split(' ')[0] ?? '',
    headers: { cookie, ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return response
}

const all: [string, (ids: Things) => string, object?][] = [
  ...Object.entries(rules).map(([route, [, path, body]]): [string, (ids: Things) => string, object?] => [
    route,
    path,
    body,
  ]),
  ...elsewhere.map((route): [string, () => string] => [
    route,
    () => (route.split(' ')[1] ?? '').replaceAll(/\{\w+\}/g, 'x'),
  ]),
]

describe('with the cookie of an owner who is an administrator', () => {
  const changing = all.filter(([route]) => !route.startsWith('GET '))
  test('there are many routes that change something', () => expect(changing.length).toBeGreaterThan(80))

  test.each(changing)('%s does nothing for another site', async (route, path, body) => {
    const address = await things.for(path)
    const entries = await berth.platform.db.auditEvent.count()
    for (const headers of strangers) {
      const response = await ask(route, address, headers, body)
      expect([headers, response.status, await response.json()]).toEqual([
        headers,
        403,
        expect.objectContaining({ code: 'forbidden', detail: expect.stringContaining('Another site') }),
      ])
    }
    expect(await berth.platform.db.auditEvent.count()).toBe(entries)
  })

  test('no answer lets a script of another site read it, and no question of such a script is allowed', async () => {
    const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
    for (const [route, path, body] of all) {
      const response = await ask(route, await things.for(path), foreign, body)
      await response.body?.cancel()
      for (const [name] of response.headers)
        expect([route, name]).not.toContain('access-control-allow-origin')
    }
    const preflight = await berth.fetch('/teams', {
      method: 'OPTIONS',
      headers: { ...foreign, 'access-control-request-method': 'POST' },
    })
    expect([...preflight.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  test('a form, which any page can send, is refused even where it pretends to be of this site', async () => {
    const response = await berth.fetch('/teams', {
      method: 'POST',
      headers: { cookie, 'sec-fetch-site': 'same-origin', 'content-type': 'text/plain' },
      body: '{"name": "Forged"}',
    })
    expect(response.status).toBe(415)
  })
})
