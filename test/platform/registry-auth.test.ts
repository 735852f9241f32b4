import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { answerRegistryToken } from '../../app/_server/registry-token.ts'
import type { Viewer } from '../../platform/access.ts'
import { createDeployment } from '../../platform/deployments.ts'
import { registryIssuer, registryService } from '../../platform/model/registry.ts'
import type { Team } from '../../platform/model/resources.ts'
import { buildPassword } from '../../platform/registry/build-password.ts'
import { issueRegistryToken, ownToken, pullToken, pushToken } from '../../platform/registry/grant.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'
import { startRegistry, type TestRegistry } from '../support/registry.ts'

let berth: TestPlatform
let team: Team
let registry: TestRegistry

beforeAll(async () => {
  const servers = { postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') }
  berth = await openTestPlatform(servers, { registryKey: true })
  team = await berth.makeTeam('Acme')
  registry = await startRegistry({
    realm: `${berth.config.publicUrl}/api/v1/registry/token`,
    service: registryService,
    issuer: registryIssuer,
    rootCertBundle: join(berth.config.home, 'secrets', 'registry.cert.pem'),
  })
})

afterAll(async () => {
  await registry?.stop()
  await berth?.close()
})

async function status(path: string, init: RequestInit = {}): Promise<number> {
  return (await fetch(`http://127.0.0.1:${registry.port}${path}`, init)).status
}

async function pushAndPull(repository: string, token: string): Promise<{ push: number; pull: number }> {
  const headers = { authorization: `Bearer ${token}` }
  const base = `/v2/${repository}`
  return {
    push: await status(`${base}/blobs/uploads/`, { method: 'POST', headers }),
    pull: await status(`${base}/tags/list`, { headers }),
  }
}

test('the registry lets a token do exactly what it says', async () => {
  const ask = async (viewer: Viewer, ...scopes: string[]) =>
    (await issueRegistryToken(berth.platform, { viewer, scopes })).token
  const developer = (await berth.makeUser({ teamId: team.id, role: 'developer' })).viewer
  const reader = (await berth.makeUser({ teamId: team.id, role: 'viewer' })).viewer
  const everything = 'repository:acme/web:pull,push'

  const login = await ask(developer)
  expect(await status('/v2/', { headers: { authorization: `Bearer ${login}` } })).toBe(200)
  // 202: an upload has begun. 404: allowed, and nothing was pushed yet. 401: the token does not say so.
  expect(await pushAndPull('acme/web', await ask(developer, everything))).toEqual({ push: 202, pull: 404 })
  expect(await pushAndPull('acme/web', await ask(reader, everything))).toEqual({ push: 401, pull: 404 })
  expect(await pushAndPull('other/web', await ask(developer, everything))).toEqual({ push: 401, pull: 401 })
  const worker = await pullToken(berth.platform, 'acme/web', team.id)
  expect(await pushAndPull('acme/web', worker)).toEqual({ push: 401, pull: 404 })
  expect(await pushAndPull('acme/other', worker)).toEqual({ push: 401, pull: 401 })
  const build = await pushToken(berth.platform, 'acme/web', team.id)
  expect(await pushAndPull('acme/web', build)).toEqual({ push: 202, pull: 404 })
  expect(await pushAndPull('acme/other', build)).toEqual({ push: 401, pull: 401 })
  const stranger = await berth.makeTeam('Stranger')
  const foreign = await pushToken(berth.platform, 'acme/web', stranger.id)
  expect(await pushAndPull('acme/web', foreign)).toEqual({ push: 401, pull: 401 })
  const own = await ownToken(berth.platform, 'acme/web', 'pull')
  expect(await pushAndPull('acme/web', own)).toEqual({ push: 401, pull: 404 })
})

test('a build gets what its repository and its team allow, and only while it goes on', async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id)
  const { id: deploymentId } = await createDeployment(platform, operator, app.id)
  const password = buildPassword(
    platform,
    { deploymentId, teamId: team.id, repository: 'acme/built' },
    60_000,
  )
  async function ask(secret: string, ...scopes: string[]): Promise<string | number> {
    const query = new URLSearchParams(scopes.map((scope) => ['scope', scope]))
    const authorization = `Basic ${Buffer.from(`build:${secret}`).toString('base64')}`
    const request = new Request(`http://localhost/token?${query}`, { headers: { authorization } })
    const response = await answerRegistryToken(platform, request)
    return response.ok ? ((await response.json()) as { token: string }).token : response.status
  }
  const everything = ['built', 'web'].map((name) => `repository:acme/${name}:pull,push`)
  // It has not begun.
  expect(await ask(password, ...everything)).toBe(401)
  await platform.db.deployment.update({ where: { id: deploymentId }, data: { status: 'building' } })
  const token = String(await ask(password, ...everything, 'repository:stranger/web:pull,push'))
  expect(await pushAndPull('acme/built', token)).toEqual({ push: 202, pull: 404 })
  expect(await pushAndPull('acme/web', token)).toEqual({ push: 401, pull: 404 })
  expect(await pushAndPull('stranger/web', token)).toEqual({ push: 401, pull: 401 })
  expect(await ask(`${password.slice(0, -3)}xxx`, ...everything)).toBe(401)
  const rights = { deploymentId, teamId: team.id, repository: 'acme/built' }
  expect(await ask(buildPassword(platform, rights, -1), ...everything)).toBe(401)
  const change = (data: { cancelAskedAt?: Date | null; status?: 'pulling' }) =>
    platform.db.deployment.update({ where: { id: deploymentId }, data })
  await change({ cancelAskedAt: new Date() })
  expect(await ask(password, ...everything)).toBe(401)
  await change({ cancelAskedAt: null })
  expect(await ask(password, ...everything)).not.toBe(401)
  await change({ status: 'pulling' })
  expect(await ask(password, ...everything)).toBe(401)
})
