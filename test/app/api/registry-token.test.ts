import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { answerRegistryToken } from '../../../app/_server/registry-token.ts'
import type { Team } from '../../../platform/model/resources.ts'
import { type ApiUnderTest, openApi } from './client.ts'

let berth: ApiUnderTest
let team: Team

beforeAll(async () => {
  berth = await openApi()
  team = await berth.makeTeam('Acme')
})
afterAll(() => berth?.close())

const push = 'repository:acme/shop:pull,push'

interface Answer {
  status: number
  headers: Headers
  access: unknown
  subject: string | undefined
  errors: unknown
  refresh: string | undefined
}

async function answer(query: string, init: RequestInit = {}): Promise<Answer> {
  const url = `http://localhost:7080/api/registry/token?service=berth-registry${query}`
  const edge = { 'x-berth-edge': '1', 'x-forwarded-for': '203.0.113.7' }
  const request = new Request(url, { ...init, headers: { ...edge, ...init.headers } })
  const response = await answerRegistryToken(berth.platform, request)
  const body = await response.json()
  const claims = typeof body.token === 'string' ? decodeJwt(body.token) : {}
  if (response.status === 200) expect(body).toMatchObject({ access_token: body.token, expires_in: 300 })
  const { status, headers } = response
  const { errors, refresh_token: refresh } = body
  return { status, headers, access: claims.access, subject: claims.sub, errors, refresh }
}

const basic = (name: string, secret: string) => ({
  headers: { authorization: `Basic ${btoa(`${name}:${secret}`)}` },
})

test('a person pushes with the own password or with a token, as far as the role allows', async () => {
  const { id, email, password } = await berth.makeUser({ teamId: team.id, role: 'developer' })
  const pushed = await answer(`&account=${email}&scope=${push}`, basic(email, password))
  expect(pushed).toMatchObject({
    status: 200,
    // Whom the registry will name: not what the client calls itself.
    subject: `user:${id}`,
    access: [{ type: 'repository', name: 'acme/shop', actions: ['pull', 'push'] }],
  })
  const reader = await berth.member(team.id, 'viewer')
  const both = await answer(
    `&scope=${push}&scope=repository:other/shop:pull`,
    basic('anything', reader.token),
  )
  expect(both.access).toEqual([{ type: 'repository', name: 'acme/shop', actions: ['pull'] }])
})

test('docker login without a scope is answered by the credentials alone', async () => {
  const { email, password } = await berth.makeUser({ teamId: team.id, role: 'viewer' })
  expect(await answer(`&account=${email}`, basic(email, password))).toMatchObject({ status: 200, access: [] })
  for (const [name, secret] of [
    [email, 'not the password'],
    ['nobody@example.com', password],
    ['anything', 'berth_unknown'],
    ['', ''],
  ] as const) {
    const refused = await answer('', basic(name, secret))
    expect(refused).toMatchObject({ status: 401, errors: [{ code: 'UNAUTHORIZED' }] })
    expect(refused.headers.get('www-authenticate')).toBe('Basic realm="berth"')
  }
})

test('a form gets the same as a query, with a password or a refresh token', async () => {
  const { token } = await berth.member(team.id, 'developer')
  const forms: Record<string, string>[] = [
    { grant_type: 'password', username: 'me', password: token },
    { grant_type: 'refresh_token', refresh_token: token },
  ]
  for (const fields of forms) {
    const body = new URLSearchParams({ ...fields, client_id: 'test', scope: `${push} repository:x/y:pull` })
    const { status, access } = await answer('', { method: 'POST', body })
    expect([status, access]).toEqual([
      200,
      [{ type: 'repository', name: 'acme/shop', actions: ['pull', 'push'] }],
    ])
  }
})

test('what docker keeps instead of a password works until the password changes, the token ends, or the person is disabled', async () => {
  const user = await berth.makeUser({ teamId: team.id, role: 'developer' })
  const api = await berth.member(team.id, 'viewer')
  const byPassword = await answer('&offline_token=true', basic(user.email, user.password))
  const form = (fields: Record<string, string>) =>
    answer('', { method: 'POST', body: new URLSearchParams({ scope: push, ...fields }) })
  const byToken = await form({
    grant_type: 'password',
    username: 'x',
    password: api.token,
    access_type: 'offline',
  })
  const [kept = '', narrow = ''] = [byPassword.refresh, byToken.refresh]
  expect([kept, narrow]).toEqual([expect.stringMatching(/^berthr_/), expect.stringMatching(/^berthr_/)])
  const redeem = (token: string) => form({ grant_type: 'refresh_token', refresh_token: token })
  const actions = async (token: string) => {
    const { status, access } = await redeem(token)
    return status === 200 ? (access as { actions: string[] }[]).map((one) => one.actions.join()) : status
  }
  expect([await actions(kept), await actions(narrow)]).toEqual([['pull,push'], ['pull']])
  expect((await redeem(kept)).subject).toBe(`user:${user.id}`)
  // Nobody who asks for nothing to keep gets it, and the operator's token is not to be multiplied.
  expect((await answer('', basic(user.email, user.password))).refresh).toBeUndefined()
  const secret = berth.config.readSecret('operator.token')
  expect((await answer('&offline_token=true', basic('operator', secret))).refresh).toBeUndefined()
  expect(await actions(`${kept.slice(0, -1)}_`)).toBe(401)
  const { db } = berth.platform
  expect(JSON.stringify(await db.registryRefreshToken.findMany())).not.toContain(kept.slice(-20))

  await db.apiToken.updateMany({ where: { userId: api.id }, data: { revokedAt: new Date() } })
  expect(await actions(narrow)).toBe(401)
  const { passwordHash } = await db.user.findUniqueOrThrow({ where: { id: user.id } })
  await db.user.update({ where: { id: user.id }, data: { passwordHash: 'another' } })
  expect(await actions(kept)).toBe(401)
  await db.user.update({ where: { id: user.id }, data: { passwordHash } })
  expect(await actions(kept)).toEqual(['pull,push'])
  await db.user.update({ where: { id: user.id }, data: { disabledAt: new Date() } })
  expect(await actions(kept)).toBe(401)
})

test('a form of an unknown kind, a huge one, and the catalog of all repositories get nothing', async () => {
  const { token } = await berth.member(team.id, 'owner')
  const form = (body: URLSearchParams) => answer('', { method: 'POST', body })
  expect(await form(new URLSearchParams({ grant_type: 'authorization_code', code: 'x' }))).toMatchObject({
    status: 400,
    errors: [{ code: 'UNSUPPORTED' }],
  })
  expect(
    (await form(new URLSearchParams({ grant_type: 'password', password: 'x'.repeat(70_000) }))).status,
  ).toBe(400)
  const catalog = await answer('&scope=registry:catalog:*&scope=repository:*:pull', basic('me', token))
  expect([catalog.status, catalog.access]).toEqual([200, []])
})

test('one token carries several scopes, each cut to the role in its own team', async () => {
  const other = await berth.makeTeam('Other')
  const { email, password, id } = await berth.makeUser({ teamId: team.id, role: 'developer' })
  await berth.platform.db.membership.create({ data: { teamId: other.id, userId: id, role: 'viewer' } })
  const both = await answer(
    `&scope=${push}&scope=repository:other/base:pull,push&scope=repository:acme/shop:delete`,
    basic(email, password),
  )
  expect(both.access).toEqual([
    { type: 'repository', name: 'acme/shop', actions: ['pull', 'push'] },
    { type: 'repository', name: 'other/base', actions: ['pull'] },
  ])
})

test('nobody in particular may pull what is public and nothing else', async () => {
  const publicOne = { id: 'repo_public', teamId: team.id, name: 'open', isPublic: true }
  await berth.platform.db.repository.create({ data: publicOne })
  const { status, access } = await answer(`&scope=repository:acme/open:pull,push&scope=${push}`)
  expect([status, access]).toEqual([200, [{ type: 'repository', name: 'acme/open', actions: ['pull'] }]])
})

test('the operator pushes through the public address too', async () => {
  const secret = berth.config.readSecret('operator.token')
  const { access } = await answer(`&scope=${push}`, basic('operator', secret))
  expect(access).toEqual([{ type: 'repository', name: 'acme/shop', actions: ['pull', 'push'] }])
})

test('guessing passwords ends after a while, and signing in rightly does not count', async () => {
  const { email, password } = await berth.makeUser({ teamId: team.id, role: 'developer' })
  for (let i = 0; i < 12; i++) expect((await answer('', basic(email, password))).status).toBe(200)
  const answers: { status: number; headers: Headers }[] = []
  for (let i = 0; i < 12; i++) answers.push(await answer('', basic(email, 'wrong guess')))
  const statuses = answers.map(({ status }) => status)
  expect(statuses.slice(0, 5)).toEqual(Array(5).fill(401))
  expect(statuses.slice(5)).toEqual(Array(7).fill(429))
  expect(Number(answers.at(-1)?.headers.get('retry-after'))).toBeGreaterThan(20)
})
