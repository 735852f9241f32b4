import { createPublicKey, X509Certificate } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Viewer } from '../../platform/access.ts'
import { registryIssuer, registryService } from '../../platform/model/registry.ts'
import type { Team } from '../../platform/model/resources.ts'
import { everything as wholeScope } from '../../platform/model/scopes.ts'
import { issueRegistryToken, pullToken } from '../../platform/registry/grant.ts'
import { ownRepository } from '../../platform/registry/own-name.ts'
import { parseScope } from '../../platform/registry/scope.ts'
import { isStillValid, viewerFromToken } from '../../platform/sessions.ts'
import { createToken, listTokens, revokeToken } from '../../platform/tokens.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'

let berth: TestPlatform
let team: Team
let other: Team

beforeAll(async () => {
  const servers = { postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') }
  berth = await openTestPlatform(servers, { registryKey: true })
  team = await berth.makeTeam('Acme')
  other = await berth.makeTeam('Other')
})
afterAll(() => berth?.close())

const direct = { viaEdge: false, address: '127.0.0.1' }

test('a token works, its secret is shown once and stored nowhere, and a revoked one is nobody', async () => {
  const { platform } = berth
  const { viewer } = await berth.makeUser({ teamId: team.id, role: 'developer' })
  const { secret, ...token } = await createToken(platform, viewer, { name: 'ci' })
  expect(secret).toMatch(/^berth_[A-Za-z0-9]{40}$/)
  expect(token).toMatchObject({ name: 'ci', role: 'developer', hint: secret.slice(0, 10), lastUsedAt: null })
  for (const table of ['api_tokens', 'audit_events']) {
    const rows = await platform.db.$queryRawUnsafe(`SELECT to_jsonb(t)::text AS row FROM ${table} t`)
    expect(JSON.stringify(rows)).not.toContain(secret.slice(12))
  }
  const found = await viewerFromToken(platform, secret, { ...direct, viaEdge: true })
  expect(found).toMatchObject({ kind: 'token', tokenId: token.id, role: 'developer', teamId: null })
  expect((await listTokens(platform, viewer)).data).toMatchObject([
    { id: token.id, lastUsedAt: expect.any(String) },
  ])
  await revokeToken(platform, viewer, token.id)
  expect(await viewerFromToken(platform, secret, direct)).toBeNull()
  expect(found !== null && (await isStillValid(platform, found))).toBe(false)
  expect((await listTokens(platform, viewer)).data).toEqual([])
})

test('nobody makes a token that may more than he may, and a token makes none', async () => {
  const { platform } = berth
  const { viewer } = await berth.makeUser({ teamId: team.id, role: 'developer' })
  const make = (who: Viewer, input: object) =>
    createToken(platform, who, { name: 'x', ...input }).catch((error) => error.code)
  expect(await make(viewer, { teamId: team.id, role: 'owner' })).toBe('forbidden')
  expect(await make(viewer, { teamId: other.id, role: 'viewer' })).toBe('not-found')
  expect(await make(operator, { role: 'owner' })).toBe('invalid')
  expect(await make(operator, { teamId: 'team_none', role: 'owner' })).toBe('not-found')
  expect(await make(viewer, { expiresAt: '2020-01-01T00:00:00Z' })).toBe('invalid')
  const { secret } = await createToken(platform, viewer, { name: 'ci', teamId: team.id, role: 'viewer' })
  const token = await viewerFromToken(platform, secret, direct)
  expect(token !== null && (await make(token, {}))).toBe('forbidden')
})

test("one person's tokens are not another's to see or revoke; a team's own are its administrators'", async () => {
  const { platform } = berth
  const ada = await berth.makeUser({ teamId: team.id, role: 'developer' })
  const admin = await berth.makeUser({ teamId: team.id, role: 'admin' })
  const hers = await createToken(platform, ada.viewer, { name: 'hers', teamId: team.id })
  const teams = await createToken(platform, operator, { name: 'robot', teamId: team.id, role: 'developer' })
  await expect(revokeToken(platform, admin.viewer, hers.id)).rejects.toMatchObject({ code: 'not-found' })
  await expect(revokeToken(platform, ada.viewer, teams.id)).rejects.toMatchObject({ code: 'forbidden' })
  expect((await listTokens(platform, admin.viewer)).data).toEqual([])
  await revokeToken(platform, admin.viewer, teams.id)
  await expect(revokeToken(platform, admin.viewer, teams.id)).rejects.toMatchObject({ code: 'not-found' })
})

test('an expired token and one of a disabled user are nobody', async () => {
  const { platform } = berth
  const user = await berth.makeUser({ teamId: team.id, role: 'developer' })
  const a = await createToken(platform, user.viewer, { name: 'a', expiresAt: '2099-01-01T00:00:00Z' })
  expect(await viewerFromToken(platform, a.secret, direct)).not.toBeNull()
  await platform.db.apiToken.update({ where: { id: a.id }, data: { expiresAt: new Date(0) } })
  expect(await viewerFromToken(platform, a.secret, direct)).toBeNull()
  const b = await createToken(platform, user.viewer, { name: 'b' })
  await platform.db.user.update({ where: { id: user.id }, data: { disabledAt: new Date() } })
  expect(await viewerFromToken(platform, b.secret, direct)).toBeNull()
})

test("the operator's token is worth nothing through the edge", async () => {
  const secret = berth.config.readSecret('operator.token')
  expect(await viewerFromToken(berth.platform, secret, direct)).toEqual({ kind: 'operator' })
  expect(await viewerFromToken(berth.platform, secret, { ...direct, viaEdge: true })).toBeNull()
})

async function granted(viewer: Viewer | null, ...scopes: string[]): Promise<string[]> {
  const { token } = await issueRegistryToken(berth.platform, { viewer, scopes })
  return accessIn(token)
}

async function accessIn(token: string): Promise<string[]> {
  const [certificate = ''] = decodeProtectedHeader(token).x5c ?? []
  const { publicKey } = new X509Certificate(Buffer.from(certificate, 'base64'))
  const { payload } = await jwtVerify(
    token,
    createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })),
    {
      issuer: registryIssuer,
      audience: registryService,
      algorithms: ['ES256'],
    },
  )
  // Distribution reads a plain string only.
  expect(payload.aud).toBe(registryService)
  const access = payload.access as { type: string; name: string; actions: string[] }[]
  return access.map(({ name, actions }) => `${name}:${actions.join(',')}`)
}

test('a registry token allows what was asked for as far as the caller may, and never an error for more', async () => {
  const { platform } = berth
  const viewers = new Map<string, Viewer>()
  for (const role of ['viewer', 'developer', 'admin'] as const) {
    viewers.set(role, (await berth.makeUser({ teamId: team.id, role })).viewer)
  }
  const stranger = (await berth.makeUser({ teamId: other.id, role: 'owner' })).viewer
  const of = (name: string) => viewers.get(name) ?? null
  const everything = 'repository:acme/shop/web:pull,push,delete'
  expect(await granted(of('viewer'), everything)).toEqual(['acme/shop/web:pull'])
  expect(await platform.db.repository.count()).toBe(0)
  expect(await granted(of('developer'), everything)).toEqual(['acme/shop/web:pull,push'])
  expect(await granted(of('admin'), 'repository:acme/shop/web:*')).toEqual(['acme/shop/web:pull,push,delete'])
  expect(await granted(stranger, everything)).toEqual([])
  expect(await granted(null, everything)).toEqual([])
  expect(await granted(operator, everything, 'repository:other/x:pull')).toEqual([
    'acme/shop/web:pull,push,delete',
    'other/x:pull',
  ])
  // docker login asks for nothing; tools ask for the catalog.
  expect(await granted(of('viewer'))).toEqual([])
  expect(await granted(operator, 'registry:catalog:*', 'repository:nobody/x:push', 'nonsense')).toEqual([])
  const robot: Viewer = {
    kind: 'token',
    tokenId: 't',
    userId: null,
    makerId: null,
    teamId: team.id,
    role: 'viewer',
    scope: wholeScope,
  }
  expect(await granted(robot, everything)).toEqual(['acme/shop/web:pull'])
  // Recorded when it may be pushed to, once.
  expect(await platform.db.repository.findMany({ select: { name: true, teamId: true } })).toEqual([
    { name: 'shop/web', teamId: team.id },
  ])

  await platform.db.repository.updateMany({ data: { isPublic: true } })
  expect(await granted(null, everything)).toEqual(['acme/shop/web:pull'])
  expect(await granted(stranger, everything)).toEqual(['acme/shop/web:pull'])
})

test("a worker pulls the app's own team's repositories and no other team's", async () => {
  // The engine is given it once, for all layers of a pull.
  const { exp = 0, iat = 0 } = decodeJwt(await pullToken(berth.platform, 'acme/private', team.id))
  expect(exp - iat).toBe(3_600)
  expect(await accessIn(await pullToken(berth.platform, 'acme/private', team.id))).toEqual([
    'acme/private:pull',
  ])
  expect(await accessIn(await pullToken(berth.platform, 'acme/private', other.id))).toEqual([])
})

test('scopes and references are read exactly', () => {
  expect(parseScope('repository:acme/a:pull')).toMatchObject({
    namespace: 'acme',
    repository: 'a',
    actions: ['pull'],
  })
  expect(parseScope('repository(plugin):acme/a/b__c:pull,push')).toMatchObject({ repository: 'a/b__c' })
  for (const bad of [
    'repository:acme:pull',
    'repository:acme/../x:pull',
    'repository:/a:pull',
    'repository:ACME/a:pull',
    'repository:acme/a:',
  ]) {
    expect(parseScope(bad)).toBeNull()
  }
  const config = { registryHost: 'localhost:7080' }
  expect(ownRepository(config, 'localhost:7080/acme/shop/web:1.2')).toBe('acme/shop/web')
  expect(ownRepository(config, `localhost:7080/acme/web@sha256:${'a'.repeat(64)}`)).toBe('acme/web')
  expect(ownRepository(config, `localhost:7080/acme/web:1@sha256:${'a'.repeat(64)}`)).toBe('acme/web')
  expect(ownRepository(config, 'localhost:7080/acme/web')).toBe('acme/web')
  expect(ownRepository(config, 'docker.io/library/nginx')).toBeNull()
  expect(ownRepository(config, 'localhost:70801/acme/web')).toBeNull()
})
