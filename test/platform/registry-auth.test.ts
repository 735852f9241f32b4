import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { answerRegistryToken } from '../../app/_server/registry-token.ts'
import type { Viewer } from '../../platform/access.ts'
import { createDeployment } from '../../platform/deployments.ts'
import { newId } from '../../platform/model/ids.ts'
import { registryIssuer, registryService } from '../../platform/model/registry.ts'
import type { Team } from '../../platform/model/resources.ts'
import { everything, type TokenScope } from '../../platform/model/scopes.ts'
import { lockTeam } from '../../platform/quotas.ts'
import { buildPassword, openBuildPassword } from '../../platform/registry/build-password.ts'
import {
  issueBuildToken,
  issueRegistryToken,
  ownToken,
  pullToken,
  pushToken,
} from '../../platform/registry/grant.ts'
import { previewRetention } from '../../platform/registry/retention.ts'
import { updateRepository } from '../../platform/repositories.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'
import { startRegistry, type TestRegistry } from '../support/registry.ts'
import { until } from '../support/until.ts'

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

test('an API token for some repositories or some actions gets no more of the registry, and who asks to push is given no pull', async () => {
  const own = await berth.makeTeam()
  await berth.platform.db.repository.create({
    data: { id: newId('repository'), teamId: own.id, name: 'open', isPublic: true },
  })
  const given = async (scope: Partial<TokenScope>, repository: string, actions = 'pull,push') => {
    const viewer: Viewer = {
      ...{ kind: 'token', tokenId: 't', userId: null, makerId: null, teamId: own.id, role: 'developer' },
      scope: { ...everything, ...scope },
    }
    const scopes = [`repository:${own.slug}/${repository}:${actions}`]
    const { token } = await issueRegistryToken(berth.platform, { viewer, scopes })
    const [access] = decodeJwt<{ access: { actions: string[] }[] }>(token).access
    return access?.actions ?? []
  }
  expect(await given({}, 'web')).toEqual(['pull', 'push'])
  expect(await given({ repositories: ['web'] }, 'web')).toEqual(['pull', 'push'])
  expect(await given({ repositories: ['web'] }, 'other')).toEqual([])
  expect(await given({ projectIds: ['prj_1'] }, 'web')).toEqual([])
  expect(await given({ actions: ['repository.pull'] }, 'web')).toEqual(['pull'])
  expect(await given({ actions: ['repository.push'] }, 'web')).toEqual(['push'])
  expect(await given({ actions: ['app.*'] }, 'web')).toEqual([])
  // What everybody may, where it is asked for.
  expect(await given({ repositories: ['web'] }, 'open')).toEqual(['pull'])
  expect(await given({ repositories: ['web'] }, 'open', 'push')).toEqual([])
})

test('the registry lets a token do exactly what it says', async () => {
  const ask = async (viewer: Viewer, ...scopes: string[]) =>
    (await issueRegistryToken(berth.platform, { viewer, scopes })).token
  const developer = (await berth.makeUser({ teamId: team.id, role: 'developer' })).viewer
  const reader = (await berth.makeUser({ teamId: team.id, role: 'viewer' })).viewer
  const pullAndPush = 'repository:acme/web:pull,push'

  const login = await ask(developer)
  expect(await status('/v2/', { headers: { authorization: `Bearer ${login}` } })).toBe(200)
  // 202: an upload has begun. 404: allowed, and nothing was pushed yet. 401: the token does not say so.
  expect(await pushAndPull('acme/web', await ask(developer, pullAndPush))).toEqual({ push: 202, pull: 404 })
  expect(await pushAndPull('acme/web', await ask(reader, pullAndPush))).toEqual({ push: 401, pull: 404 })
  expect(await pushAndPull('other/web', await ask(developer, pullAndPush))).toEqual({ push: 401, pull: 401 })
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

test('of a public repository everybody gets leave to pull, and nobody more than he had', async () => {
  const { platform } = berth
  const reader = (await berth.makeUser({ teamId: team.id, role: 'viewer' })).viewer
  const developer = (await berth.makeUser({ teamId: team.id, role: 'developer' })).viewer
  const stranger = (await berth.makeUser()).viewer
  const data = { teamId: team.id, name: 'open', isPublic: true }
  await platform.db.repository.create({ data: { id: newId('repository'), ...data } })
  const names = ['open', 'closed']
  const scopes = names.map((name) => `repository:acme/${name}:pull,push,delete`)
  const given = async (viewer: Viewer | null) => {
    const { token } = await issueRegistryToken(platform, { viewer, scopes })
    const {
      access,
      sub,
      exp = 0,
      iat = 0,
    } = decodeJwt<{ access: { name: string; actions: string[] }[] }>(token)
    expect([typeof sub, exp - iat]).toEqual(['string', 300])
    return Object.fromEntries(access.map(({ name, actions }) => [name.split('/')[1], actions]))
  }
  expect(await given(null)).toEqual({ open: ['pull'] })
  expect(await given(stranger)).toEqual({ open: ['pull'] })
  expect(await given(reader)).toEqual({ open: ['pull'], closed: ['pull'] })
  expect(await given(developer)).toEqual({ open: ['pull', 'push'], closed: ['pull', 'push'] })
  expect(await given(operator)).toEqual(
    Object.fromEntries(names.map((name) => [name, ['pull', 'push', 'delete']])),
  )
})

test('a push that is allowed is noted before it begins, where the team has a limit and where it has none', async () => {
  const { platform } = berth
  const noted = async (name: string) =>
    platform.db.repository.findFirst({ where: { teamId: team.id, name } }).then((row) => row?.pushGrantedAt)
  const ask = (name: string, actions = 'pull,push') =>
    issueRegistryToken(platform, { viewer: operator, scopes: [`repository:acme/${name}:${actions}`] })
  for (const maxDiskBytes of [null, 2n ** 40n]) {
    await platform.db.team.update({ where: { id: team.id }, data: { maxDiskBytes } })
    const name = `noted-${maxDiskBytes}`
    await ask(name, 'pull')
    expect(await noted(name)).toBeUndefined()
    const begun = Date.now()
    await ask(name)
    const first = (await noted(name))?.getTime() ?? 0
    expect(first).toBeGreaterThanOrEqual(begun)
    expect(first).toBeLessThanOrEqual(Date.now())
    // What was noted a while ago is noted anew.
    const old = { pushGrantedAt: new Date(begun - 31_000) }
    await platform.db.repository.updateMany({ where: { teamId: team.id, name }, data: old })
    await ask(name)
    expect((await noted(name))?.getTime()).toBeGreaterThanOrEqual(first)
  }
  await platform.db.team.update({ where: { id: team.id }, data: { maxDiskBytes: 0n } })
  await expect(ask('full')).rejects.toMatchObject({ code: 'quota-exceeded' })
  expect(await noted('full')).toBeUndefined()
  await platform.db.team.update({ where: { id: team.id }, data: { maxDiskBytes: null } })
})

test('a token to push waits for a collection that is at work on what the team has', async () => {
  const { platform } = berth
  const [locked, worked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const collecting = platform.db.$transaction(async (tx) => {
    await lockTeam(tx, team.id)
    locked.resolve()
    await worked.promise
  })
  await locked.promise
  let isGranted = false
  const scopes = ['repository:acme/collected:pull,push']
  const granting = issueRegistryToken(platform, { viewer: operator, scopes }).then(() => {
    isGranted = true
  })
  await until('it waits', async () => {
    const [row] = await platform.db.$queryRaw<{ waiting: number }[]>`
      SELECT count(*)::int AS waiting FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`
    return isGranted || row?.waiting === 1
  })
  expect(isGranted).toBe(false)
  worked.resolve()
  await Promise.all([collecting, granting])
})

test('a build gets what its repository and its team allow, and only while it goes on', async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id)
  const { id: deploymentId } = await createDeployment(platform, operator, app.id)
  const password = buildPassword(
    platform,
    { deploymentId, teamId: team.id, repository: 'acme/built', cache: null },
    60_000,
  )
  async function ask(secret: string, ...scopes: string[]): Promise<string | number> {
    const query = new URLSearchParams(scopes.map((scope) => ['scope', scope]))
    const authorization = `Basic ${Buffer.from(`build:${secret}`).toString('base64')}`
    const request = new Request(`http://localhost/token?${query}`, { headers: { authorization } })
    const response = await answerRegistryToken(platform, request)
    return response.ok ? ((await response.json()) as { token: string }).token : response.status
  }
  const both = ['built', 'web'].map((name) => `repository:acme/${name}:pull,push`)
  // It has not begun.
  expect(await ask(password, ...both)).toBe(401)
  await platform.db.deployment.update({ where: { id: deploymentId }, data: { status: 'building' } })
  const token = String(await ask(password, ...both, 'repository:stranger/web:pull,push'))
  expect(await pushAndPull('acme/built', token)).toEqual({ push: 202, pull: 404 })
  expect(await pushAndPull('acme/web', token)).toEqual({ push: 401, pull: 404 })
  expect(await pushAndPull('stranger/web', token)).toEqual({ push: 401, pull: 401 })
  expect(await ask(`${password.slice(0, -3)}xxx`, ...both)).toBe(401)
  const rights = { deploymentId, teamId: team.id, repository: 'acme/built', cache: null }
  expect(await ask(buildPassword(platform, rights, -1), ...both)).toBe(401)
  const change = (data: { cancelAskedAt?: Date | null; status?: 'pulling' }) =>
    platform.db.deployment.update({ where: { id: deploymentId }, data })
  await change({ cancelAskedAt: new Date() })
  expect(await ask(password, ...both)).toBe(401)
  await change({ cancelAskedAt: null })
  expect(await ask(password, ...both)).not.toBe(401)
  await change({ status: 'pulling' })
  expect(await ask(password, ...both)).toBe(401)
})

test('the cache of builds is for those builds alone, also behind their answer', async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id)
  const { id: deploymentId } = await createDeployment(platform, operator, app.id)
  await platform.db.deployment.update({ where: { id: deploymentId }, data: { status: 'live' } })
  const rights = { deploymentId, teamId: team.id, repository: 'acme/cached' }
  const cache = `acme/cached/berth-build-cache/${app.id}`
  const scopes = [cache, 'acme/cached', 'acme/web', 'acme/cached/berth-build-cache/app_other'].map(
    (name) => `repository:${name}:pull,push`,
  )
  const none = { push: 401, pull: 401 }
  const may = async (token: string) =>
    Promise.all(scopes.map((scope) => pushAndPull(scope.split(':')[1] ?? '', token)))
  const ofCache = await issueBuildToken(platform, { ...rights, cache }, scopes)
  expect(await may(ofCache.token)).toEqual([{ push: 202, pull: 404 }, { push: 401, pull: 404 }, none, none])
  const ofBuild = await issueBuildToken(platform, { ...rights, cache: null }, scopes)
  expect(await may(ofBuild.token)).toEqual([none, { push: 202, pull: 404 }, { push: 401, pull: 404 }, none])
  const ofOperator = await issueRegistryToken(platform, { viewer: operator, scopes: scopes.slice(0, 1) })
  expect(await pushAndPull(cache, ofOperator.token)).toEqual(none)
  const row = await platform.db.repository.findFirstOrThrow({
    where: { name: `cached/berth-build-cache/${app.id}` },
  })
  await expect(updateRepository(platform, operator, row.id, { isPublic: true })).rejects.toThrow(
    /stays private/,
  )
  expect(
    await openBuildPassword(platform, buildPassword(platform, { ...rights, cache }, 60_000)),
  ).toMatchObject(rights)
  expect(
    await openBuildPassword(platform, buildPassword(platform, { ...rights, cache: null }, 60_000)),
  ).toBeNull()
})

test('of a cache of builds the last tags are kept, whatever the team’s rules are, unless it has its own', async () => {
  const { platform } = berth
  const id = newId('repository')
  const digest = `sha256:${'0'.repeat(64)}`
  await platform.db.repository.create({
    data: { id, teamId: team.id, name: 'many/berth-build-cache/app_many' },
  })
  await platform.db.imageManifest.create({
    data: {
      repositoryId: id,
      digest,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      sizeBytes: 1,
      children: [],
    },
  })
  const tags = Array.from({ length: 42 }, (_, at) => ({
    name: `step-${at}`,
    pushedAt: new Date(1_700_000_000_000 + at),
  }))
  await platform.db.imageTag.createMany({ data: tags.map((tag) => ({ ...tag, repositoryId: id, digest })) })
  const going = async () => {
    const plan = await previewRetention(platform, operator, id)
    return plan.tags.flatMap(({ name, keptBy }) => (keptBy.length === 0 ? [name] : [])).sort()
  }
  expect(await going()).toEqual(['step-0', 'step-1'])
  await updateRepository(platform, operator, id, { retention: { keepLast: 41 } })
  expect(await going()).toEqual(['step-0'])
})
