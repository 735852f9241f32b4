/**
 * Every route × every kind of caller. A route that is not in the table (rules.ts) fails. Each call is really made, with
 * ids of things that are really there.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { roleIncludes } from '../../../platform/model/roles.ts'
import { createToken, revokeToken } from '../../../platform/tokens.ts'
import { operator } from '../../support/platform.ts'
import { type Callers, cookieHeaders, makeCallers, type Caller as Person } from '../callers.ts'
import { isInProject, type ThingsMaker, thingsOf } from '../things.ts'
import { type ApiUnderTest, openApi } from './client.ts'
import { elsewhere, type Needs, notForTheOperator, type Rule, rules } from './rules.ts'

interface Caller extends Omit<Person, 'session'> {
  isOperator?: boolean
  headers: Record<string, string>
}

let berth: ApiUnderTest
let people: Callers
let things: ThingsMaker
const callers = new Map<string, Caller>()

beforeAll(async () => {
  berth = await openApi()
  const team = (await berth.makeTeam('Acme')).id
  people = await makeCallers(berth, team)
  things = thingsOf(berth, team, people.enterProject)
  for (const [name, { session, ...caller }] of people.all)
    callers.set(name, { ...caller, headers: session === null ? {} : cookieHeaders(session) })
  const secret = berth.config.readSecret('operator.token')
  callers.set('operator', { role: 'owner', isOperator: true, headers: { authorization: `Bearer ${secret}` } })
  const owner = await berth.makeUser({ teamId: team, role: 'owner' })
  const revoked = await createToken(berth.platform, owner.viewer, { name: 'old', role: 'owner' })
  await revokeToken(berth.platform, operator, revoked.id)
  callers.set('revoked token', {
    role: null,
    isNobody: true,
    headers: { authorization: `Bearer ${revoked.secret}` },
  })
})
afterAll(() => berth?.close())

/** The status alone: an event stream has no end. */
async function ask(route: string, path: string, caller: Caller, body?: object): Promise<number> {
  const method = route.split(' ')[0] ?? ''
  const response = await berth.fetch(path, {
    method,
    headers: { ...caller.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  await response.body?.cancel()
  return response.status
}

/** 401 for nobody, 404 where the thing is in a team that is not the caller's, 403 where the right is too weak. */
function expected(needs: Needs, path: Rule[1], caller: Caller): 401 | 403 | 404 | 'allowed' {
  const role = isInProject(path) && caller.inProject !== undefined ? caller.inProject : caller.role
  if (caller.isNobody) return 401
  if (caller.isOperator) return 'allowed'
  switch (needs) {
    case 'person':
      return 'allowed'
    case 'operator':
      return 403
    case 'administrator':
      return caller.isAdministrator ? 'allowed' : 403
    default:
      if (role === null) return 404
      return roleIncludes(role, needs) ? 'allowed' : 403
  }
}

test('every route is in the table, and nothing else', async () => {
  const { body } = await berth.nobody('GET /openapi.json')
  const paths = body.paths as Record<string, Record<string, unknown>>
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(routes.length).toBeGreaterThan(40)
  expect([...Object.keys(rules), ...elsewhere].sort()).toEqual(routes.sort())
})

describe('each route is for exactly those who may', () => {
  for (const [route, [needs, path, body]] of Object.entries(rules)) {
    test(`${route} (${needs})`, async () => {
      for (const [name, caller] of callers) {
        if (caller.isOperator && notForTheOperator.includes(route)) continue
        const status = await ask(route, await things.for(path), caller, body)
        const isRefused = [401, 403, 404].includes(status)
        const wanted = expected(needs, path, caller)
        // A right to look for something that is not there is a right all the same.
        const isMissing = status === 404 && route === 'POST /operator/tokens'
        expect(`${name}: ${isRefused && !isMissing ? status : 'allowed'}`).toBe(`${name}: ${wanted}`)
        // Each caller is to find what the first one found.
        if (!isRefused && !route.startsWith('GET')) things.renew()
        if (route === 'POST /teams/{team}/leave') await people.comeBack()
      }
    })
  }
})

test('ids, slugs and names of another team lead to the same answer as those of nothing', async () => {
  const pairs = await things.for(({ team, project, app, deployment }) => [
    [`/teams/${team}`, '/teams/team_01jd3k0000000000000000'],
    ['/teams/acme', '/teams/acmee'],
    [`/projects/${project}`, '/projects/prj_01jd3k000000000000000'],
    [`/apps/${app}`, '/apps/app_01jd3k00000000000000'],
    [`/apps/${app}/logs?follow=true`, '/apps/app_01jd3k00000000000000/logs?follow=true'],
    [`/deployments/${deployment}/events`, '/deployments/dep_01jd3k0000000/events'],
  ])
  const stranger = callers.get('owner of another team')
  if (stranger === undefined) throw new Error('no stranger')
  const answers = new Map<string, string>()
  for (const [real = '', invented = ''] of pairs) {
    for (const path of [real, invented]) {
      const response = await berth.fetch(path, { headers: { ...stranger.headers, 'x-request-id': 'same' } })
      answers.set(path, `${response.status} ${await response.text()}`)
    }
    expect(answers.get(real)).toMatch(/^404 /)
    expect(answers.get(real)).toBe(answers.get(invented))
  }
})
