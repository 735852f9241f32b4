import { encode } from 'next-auth/jwt'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { endSession } from '../../../platform/end-session.ts'
import { signIn } from '../../../platform/sessions.ts'
import { createTeamToken, createToken } from '../../../platform/tokens.ts'
import { operator } from '../../support/platform.ts'
import { type ApiUnderTest, openApi } from './client.ts'

let berth: ApiUnderTest

beforeAll(async () => {
  berth = await openApi()
})
afterAll(() => berth?.close())

async function signedIn() {
  const team = await berth.makeTeam()
  const user = await berth.makeUser({ teamId: team.id, role: 'owner' })
  const { email, password } = user
  const { sessionId } = await signIn(berth.platform, { email, password, address: '127.0.0.1' })
  const token = await encode({
    token: { sub: user.id, sessionId },
    secret: berth.config.readSecret('auth.secret'),
  })
  return { user, team, sessionId, cookie: { cookie: `berth_7080_session=${token}` } }
}

test('the operator makes set-up links and tokens on the machine itself, and is nobody through the edge', async () => {
  const link = await berth.operator('POST /operator/setup-link')
  expect(link.body.url).toMatch(/^http:\/\/localhost:7080\/setup\?token=[A-Za-z0-9]{40}$/)
  expect((await berth.operator('GET /operator/status')).body).toMatchObject({ claimed: false, users: 0 })
  expect((await berth.operator('GET /me')).body).toMatchObject({ kind: 'operator', user: null, token: null })

  const edge = { 'x-berth-edge': '1', 'x-forwarded-for': '203.0.113.9' }
  for (const route of ['GET /teams', 'GET /operator/status', 'POST /operator/setup-link']) {
    expect((await berth.operator(route, undefined, edge)).status).toBe(401)
  }

  const team = await berth.makeTeam('Ops')
  const { email } = await berth.makeUser({ teamId: team.id, role: 'developer' })
  const personal = await berth.operator('POST /operator/tokens', { name: 'laptop', email })
  expect(personal.status).toBe(201)
  const me = await berth.withToken(personal.body.secret)('GET /me', undefined, edge)
  expect(me.body).toMatchObject({
    kind: 'token',
    user: { email },
    token: { role: 'developer', teamId: null },
  })
  const ofTeam = await berth.operator('POST /operator/tokens', { name: 'ci', team: 'ops', role: 'admin' })
  expect(ofTeam.body).toMatchObject({ teamId: team.id, role: 'admin' })
  expect(await berth.operator('POST /operator/tokens', { name: 'x' })).toMatchObject({
    status: 422,
    body: { errors: [{ path: 'email' }] },
  })
  const unknown = await berth.operator('POST /operator/tokens', { name: 'x', email: 'nobody@example.com' })
  expect(unknown.status).toBe(404)
})

test('a token is made by a person, shown once, listed without its secret, and nobody once revoked', async () => {
  const { cookie, team } = await signedIn()
  const headers = { ...cookie, 'sec-fetch-site': 'same-origin' }
  const made = await berth.nobody('POST /tokens', { name: 'ci', role: 'developer', teamId: team.id }, headers)
  expect(made).toMatchObject({ status: 201, body: { secret: expect.stringMatching(/^berth_/) } })
  const { secret, ...token } = made.body
  const call = berth.withToken(secret)
  expect((await call(`GET /teams/${team.id}`)).body).toMatchObject({ role: 'developer' })
  expect(await call('POST /tokens', { name: 'more' })).toMatchObject({ status: 403 })
  const list = await berth.nobody('GET /tokens', undefined, headers)
  expect(list.body.data).toEqual([{ ...token, lastUsedAt: expect.any(String), lastUsedAddress: 'unknown' }])
  expect((await berth.nobody(`DELETE /tokens/${token.id}`, undefined, headers)).status).toBe(204)
  const after = await call(`GET /teams/${team.id}`)
  expect(after.status).toBe(401)
  expect(after.headers.get('www-authenticate')).toContain('invalid_token')
})

test('a cookie is worth its session: ended at once, and nothing when forged', async () => {
  const { cookie, sessionId, user } = await signedIn()
  const me = await berth.nobody('GET /me', undefined, cookie)
  expect(me).toMatchObject({ status: 200, body: { kind: 'user', user: { id: user.id }, token: null } })
  const forged = await encode({ token: { sub: user.id, sessionId }, secret: 'guessed' })
  expect((await berth.nobody('GET /me', undefined, { cookie: `berth_7080_session=${forged}` })).status).toBe(
    401,
  )
  await endSession(berth.platform, sessionId)
  expect((await berth.nobody('GET /me', undefined, cookie)).status).toBe(401)
})

test('a cookie changes nothing for another site, not even for an app below the same domain', async () => {
  const { cookie, team } = await signedIn()
  const rename = (headers: Record<string, string>) =>
    berth.nobody(`PATCH /teams/${team.id}`, { name: 'Renamed' }, { ...cookie, ...headers })
  const host = 'localhost:7080'
  const strangers: Record<string, string>[] = [
    {},
    { 'sec-fetch-site': 'cross-site', origin: `http://${host}`, host },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'http://shop-acme.localhost:7080', host },
    { origin: 'null', host },
  ]
  for (const foreign of strangers) {
    expect(await rename(foreign)).toMatchObject({ status: 403, body: { code: 'forbidden' } })
  }
  expect((await berth.operator(`GET /teams/${team.id}`)).body.name).toBe(team.name)
  expect((await rename({ origin: `http://${host}`, host })).status).toBe(200)
  expect((await rename({ 'sec-fetch-site': 'same-origin' })).status).toBe(200)
})

test('a token that is for some networks goes by what the nearest proxy says, not by the client', async () => {
  const team = await berth.makeTeam()
  const { secret } = await createTeamToken(berth.platform, operator, team.id, {
    ...{ name: 'office', addresses: ['203.0.113.0/24'] },
  })
  const from = (addresses: string) =>
    berth.withToken(secret)(`GET /teams/${team.id}`, undefined, { 'x-forwarded-for': addresses })
  expect((await from('198.51.100.1, 203.0.113.9')).status).toBe(200)
  const elsewhere = await from('203.0.113.9, 198.51.100.1')
  expect(elsewhere).toMatchObject({
    status: 403,
    body: { code: 'forbidden', detail: 'This token may not be used from the address 198.51.100.1.' },
  })
  expect((await berth.withToken(secret)(`GET /teams/${team.id}`)).status).toBe(403)
})

test('the operator makes a token for some apps by their slugs, for a while', async () => {
  const team = await berth.makeTeam('Slugs')
  const app = await berth.makeApp(team.id, { name: 'Web' })
  const project = (await berth.operator(`GET /projects/${app.projectId}`)).body.slug
  const input = {
    name: 'ci',
    team: 'slugs',
    preset: 'deploy',
    apps: [`${project}/web`],
    repositories: ['web'],
  }
  const made = await berth.operator('POST /operator/tokens', { ...input, expiresAt: '2099-01-01T00:00:00Z' })
  expect(made).toMatchObject({ status: 201, body: { preset: 'deploy', appIds: [app.id], maker: null } })
  const call = berth.withToken(made.body.secret)
  expect((await call(`POST /apps/${app.id}/deployments`)).status).toBe(202)
  expect((await call(`DELETE /apps/${app.id}`)).status).toBe(403)
  const unknown = await berth.operator('POST /operator/tokens', { ...input, apps: [`${project}/nothing`] })
  expect(unknown.status).toBe(404)
  const nowhere = await berth.operator('POST /operator/tokens', {
    name: 'x',
    email: 'a@example.com',
    apps: ['a/b'],
  })
  expect(nowhere).toMatchObject({ status: 422, body: { errors: [{ path: 'team' }] } })
})

test('a token of one team sees nothing of its person’s other teams', async () => {
  const { user, team } = await signedIn()
  const second = await berth.makeTeam()
  const membership = { teamId: second.id, userId: user.id, role: 'owner' as const }
  await berth.platform.db.membership.create({ data: membership })
  const { secret } = await createToken(berth.platform, user.viewer, { name: 'one', teamId: team.id })
  const call = berth.withToken(secret)
  expect((await call('GET /teams')).body.data).toMatchObject([{ id: team.id }])
  expect((await call(`GET /teams/${second.id}`)).status).toBe(404)
})

test('very many wrong tokens from one address are refused for a while, and told for how long', async () => {
  const address = { 'x-forwarded-for': '203.0.113.77' }
  const guess = () => berth.withToken('berth_wrong')('GET /me', undefined, address)
  for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 30 }, guess))
  const refused = await guess()
  expect([refused.status, refused.body.code]).toEqual([429, 'rate-limited'])
  const seconds = Number(refused.headers.get('retry-after'))
  expect(seconds).toBeGreaterThan(240)
  expect(seconds).toBeLessThanOrEqual(300)
})
