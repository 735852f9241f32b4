import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { createApp, deleteApp, getApp, updateApp } from '../../platform/apps.ts'
import { createDeployment, listDeployments } from '../../platform/deployments.ts'
import type { App, Team } from '../../platform/model/resources.ts'
import { followElsewhere } from '../../platform/registries/follow-elsewhere.ts'
import {
  createRegistryLogin,
  deleteRegistryLogin,
  listRegistryLogins,
  testRegistryLogin,
  updateRegistryLogin,
} from '../../platform/registries/logins.ts'
import { previewFollow } from '../../platform/registries/preview.ts'
import { teamLogin } from '../../platform/registries/pull-login.ts'
import { listTimeline } from '../../platform/timeline.ts'
import { type HostileRegistry, serve } from '../support/hostile-registry.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'
import { startTokenServer, type TokenServer } from '../support/token-server.ts'

/**
 * A registry elsewhere as a script of ours, so that it can limit, move tags and count what it is asked.
 */
let berth: TestPlatform
let registry: HostileRegistry
let tokens: TokenServer
let team: Team
/** What the registry has, and what it answers instead. */
let tags: Record<string, string>
let instead: { status: number; headers?: Record<string, string> } | null
/** Takes questions and answers none. */
let isSilent: boolean
let password: string

const image = () => `${registry.host}/acme/shop`
const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`
const login = (more: object = {}) => ({ host: registry.host, username: 'ada', password, ...more })
const looks = () => registry.seen.filter(({ path }) => path.includes('/acme/shop/'))

beforeAll(async () => {
  const servers = { postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') }
  berth = await openTestPlatform(servers)
  tokens = await startTokenServer()
  registry = await serve((request, response) => {
    const path = request.url ?? ''
    if (isSilent) return
    if (instead !== null) return void response.writeHead(instead.status, instead.headers).end()
    if (path === '/v2/') {
      const right = `Basic ${btoa(`ada:${password}`)}`
      const isRight = request.headers.authorization === right
      return void response.writeHead(isRight ? 200 : 401, { 'www-authenticate': 'Basic realm="here"' }).end()
    }
    if (!tokens.admits(request, response, 'repository:acme/shop:pull')) return
    if (path.includes('/tags/list')) return void response.end(JSON.stringify({ tags: Object.keys(tags) }))
    const content = tags[path.split('/').at(-1) ?? '']
    if (content === undefined) return void response.writeHead(404).end()
    response.writeHead(200, { 'docker-content-digest': digestOf(content) }).end()
  })
  const listed = { [registry.host]: { tokenServers: [`http://${tokens.host}`] } }
  await writeFile(join(berth.config.home, 'registries.json'), JSON.stringify(listed))
})
beforeEach(async () => {
  team = await berth.makeTeam()
  tags = { stable: 'one', '1.4.0': 'a', '1.3.9': 'b', '2.0.0': 'c', latest: 'd' }
  instead = null
  isSilent = false
  password = 'right horse'
  registry.seen.length = 0
  tokens.asked.length = 0
})
afterAll(async () => {
  registry?.close()
  tokens?.close()
  await berth?.close()
})

const makeApp = (by: 'tag' | 'version', value: string, of = team) =>
  berth.makeApp(of.id, { settings: { image: `${image()}:1.4.0`, follow: { by, value } } })
const followed = async (app: App) => (await getApp(berth.platform, operator, app.id)).followed
const deployed = async (app: App) =>
  (await listDeployments(berth.platform, operator, app.id)).data.map(
    ({ image: ran, imageDigest, trigger }) =>
      `${trigger} ${ran.split(':').at(-1)} ${imageDigest?.slice(0, 15)}`,
  )
const seen = (trigger: string, tag: string, content: string) =>
  `${trigger} ${tag} ${digestOf(content).slice(0, 15)}`
/** As when its time has come. */
async function lookNow(...apps: App[]): Promise<void> {
  const ids = apps.map(({ id }) => id)
  await berth.platform.db.app.updateMany({ where: { id: { in: ids } }, data: { followLookAt: new Date(0) } })
  await followElsewhere(berth.platform)
}

test('a login is tried before it is kept, and its password is told to nobody', async () => {
  const { platform } = berth
  const wrong = createRegistryLogin(platform, operator, team.id, login({ password: 'wrong horse' }))
  await expect(wrong).rejects.toMatchObject({
    code: 'invalid',
    fields: [{ path: 'password', message: expect.stringContaining('user name or the password is wrong') }],
  })
  const kept = await createRegistryLogin(
    platform,
    operator,
    team.id,
    login({ host: `http://${registry.host}/v2/`, note: 'CI' }),
  )
  expect(kept).toMatchObject({ host: registry.host, username: 'ada', note: 'CI', problem: null, usedBy: [] })
  await expect(createRegistryLogin(platform, operator, team.id, login())).rejects.toMatchObject({
    code: 'conflict',
  })
  const row = await platform.db.registryLogin.findUniqueOrThrow({ where: { id: kept.id } })
  expect(JSON.stringify([kept, row, await listRegistryLogins(platform, operator, team.id)])).not.toContain(
    password,
  )
  const app = await makeApp('tag', 'stable')
  expect((await listRegistryLogins(platform, operator, team.id))[0]?.usedBy).toEqual([
    { appId: app.id, name: app.name },
  ])
  // The registry's password is another from now on.
  password = 'rotated horse'
  expect((await testRegistryLogin(platform, operator, kept.id)).problem).toContain('refuses access')
  await expect(
    updateRegistryLogin(platform, operator, kept.id, { password: 'right horse' }),
  ).rejects.toMatchObject({ code: 'invalid' })
  expect((await updateRegistryLogin(platform, operator, kept.id, { password })).problem).toBeNull()
  await deleteRegistryLogin(platform, operator, kept.id)
  expect(await listRegistryLogins(platform, operator, team.id)).toEqual([])
})

test('addresses that are not public, and Berth’s own registry, are refused at the field', async () => {
  const { platform, config } = berth
  const messageFor = (host: string) =>
    createRegistryLogin(platform, operator, team.id, login({ host })).then(
      () => 'kept',
      (error) => `${error.fields[0]?.path}: ${error.fields[0]?.message}`,
    )
  const before = registry.seen.length
  expect(await messageFor(`localhost:${registry.host.split(':')[1]}`)).toMatch(/^host: .*private network/)
  expect(await messageFor('169.254.169.254')).toMatch(/^host: .*private network/)
  expect(await messageFor('10.0.0.1:5000')).toMatch(/^host: .*private network/)
  expect(registry.seen.length).toBe(before)
  expect(await messageFor(config.registryHost)).toMatch(/^host: is Berth's own registry/)
  expect(await messageFor('not a host')).toMatch(/^host: must be a host/)
  expect(await messageFor('registry.invalid')).toMatch(/^host: registry\.invalid is not known/)
})

test('the longest name decides, Docker Hub has one name, and another team’s login is never used', async () => {
  const { platform } = berth
  const { id } = await createRegistryLogin(platform, operator, team.id, login())
  const narrow = await createRegistryLogin(platform, operator, team.id, login({ prefix: 'acme/shop' }))
  const used = async (ref: string, of = team) => (await teamLogin(platform, of.id, ref))?.id ?? null
  expect(await used(`${registry.host}/acme/shop/web:1`)).toBe(narrow.id)
  expect(await used(`${registry.host}/acme/shopping:1`)).toBe(id)
  expect(await used('registry.example/acme/shop:1')).toBeNull()
  const other = await berth.makeTeam()
  expect(await used(`${registry.host}/acme/shop:1`, other)).toBeNull()
  await platform.db.registryLogin.update({ where: { id }, data: { host: 'docker.io' } })
  for (const hub of ['nginx', 'index.docker.io/library/nginx:1', 'registry-1.docker.io/a/b', 'docker.io/a/b'])
    expect(await used(hub)).toBe(id)
  expect(await used(`${registry.host}/acme/other:1`)).toBeNull()
})

test('a tag elsewhere that moves is deployed by digest, with the team’s login, and told in the timeline', async () => {
  await createRegistryLogin(berth.platform, operator, team.id, login())
  const app = await makeApp('tag', 'stable')
  await lookNow(app)
  // What was there when it began is not news.
  expect(await deployed(app)).toEqual([])
  expect(await followed(app)).toMatchObject({ tag: 'stable', digest: digestOf('one'), problem: null })
  tags.stable = 'two'
  await lookNow(app)
  await lookNow(app)
  expect(await deployed(app)).toEqual([seen('push', 'stable', 'two')])
  expect(tokens.asked.at(-1)).toContain(`GET Basic ${btoa(`ada:${password}`)}`)
  const { data } = await listTimeline(berth.platform, operator, app.id, {})
  expect(data.map(({ event }) => event)).toContainEqual(
    expect.objectContaining({ kind: 'deployment.asked', followed: 'stable' }),
  )
  // Until its time has come nobody looks.
  registry.seen.length = 0
  await followElsewhere(berth.platform)
  expect(looks()).toEqual([])
})

test('what is there when an app begins to follow is learned at once, so that a push right after is news', async () => {
  const app = await makeApp('tag', 'stable')
  expect(await followed(app)).toMatchObject({ tag: 'stable', digest: digestOf('one') })
  tags.stable = 'two'
  await lookNow(app)
  expect(await deployed(app)).toEqual([seen('push', 'stable', 'two')])
  const settings = { follow: { by: 'version' as const, value: '^1' } }
  await updateApp(berth.platform, operator, app.id, { settings })
  expect(await followed(app)).toMatchObject({ tag: '1.4.0', digest: digestOf('a') })
  tags['1.5.0'] = 'e'
  await lookNow(app)
  expect((await deployed(app))[0]).toEqual(seen('push', '1.5.0', 'e'))
  // A registry that is slow is left to a worker, whose turn is now.
  isSilent = true
  const slow = await makeApp('tag', 'latest')
  expect(await followed(slow)).toMatchObject({ tag: null, problem: null })
  isSilent = false
  await followElsewhere(berth.platform)
  expect(await followed(slow)).toMatchObject({ tag: 'latest', digest: digestOf('d') })
})

test('of versions the highest that fits is deployed, also by whoever deploys, and never an older one', async () => {
  const app = await makeApp('version', '^1.4')
  await createDeployment(berth.platform, operator, app.id)
  expect(await deployed(app)).toEqual([seen('api', '1.4.0', 'a')])
  tags['1.5.0'] = 'e'
  await lookNow(app)
  delete tags['1.5.0']
  await lookNow(app)
  expect(await deployed(app)).toEqual([seen('push', '1.5.0', 'e'), seen('api', '1.4.0', 'a')])
  const project = app.projectId
  const ask = (value: string) =>
    previewFollow(berth.platform, operator, project, { image: image(), follow: { by: 'version', value } })
  expect(await ask('>=1')).toEqual({
    ...{ isOwn: false, tag: '2.0.0', digest: digestOf('c') },
    ...{ fitting: ['2.0.0', '1.4.0', '1.3.9'], fittingCount: 3 },
  })
  expect(await ask('^9')).toMatchObject({ tag: null, fittingCount: 0 })
  const none = await makeApp('version', '^9')
  await lookNow(none)
  expect((await followed(none))?.problem).toContain('no tag that fits ^9')
  tags['9.1.0'] = 'f'
  await lookNow(none)
  expect(await deployed(none)).toEqual([seen('push', '9.1.0', 'f')])
})

test('whoever deploys waits two seconds for a registry elsewhere, and a worker deploys what it had', async () => {
  const app = await makeApp('version', '^1.4')
  await lookNow(app)
  tags['1.5.0'] = 'e'
  isSilent = true
  const began = Date.now()
  await createDeployment(berth.platform, operator, app.id)
  expect(Date.now() - began).toBeLessThan(8_000)
  expect(await deployed(app)).toEqual([seen('api', '1.4.0', 'a')])
  expect(await followed(app)).toMatchObject({ problem: null })
  isSilent = false
  await followElsewhere(berth.platform)
  expect(await deployed(app)).toEqual([seen('push', '1.5.0', 'e'), seen('api', '1.4.0', 'a')])
})

test('two workers and two apps ask once; another team asks by itself', async () => {
  const apps = [await makeApp('tag', 'stable'), await makeApp('tag', 'stable')]
  const ids = apps.map(({ id }) => id)
  const heads = () => looks().filter(({ authorization }) => authorization !== undefined).length
  registry.seen.length = 0
  await berth.platform.db.app.updateMany({ where: { id: { in: ids } }, data: { followLookAt: new Date(0) } })
  await Promise.all([followElsewhere(berth.platform), followElsewhere(berth.platform)])
  expect(heads()).toBe(1)
  tags.stable = 'two'
  await berth.platform.db.app.updateMany({ where: { id: { in: ids } }, data: { followLookAt: new Date(0) } })
  await Promise.all([followElsewhere(berth.platform), followElsewhere(berth.platform)])
  expect(heads()).toBe(2)
  for (const app of apps) expect(await deployed(app)).toEqual([seen('push', 'stable', 'two')])
  const other = await makeApp('tag', 'stable', await berth.makeTeam())
  registry.seen.length = 0
  await lookNow(...apps, other)
  expect(heads()).toBe(2)
})

test('a limit is respected and said; failures make looks rarer until a login is kept', async () => {
  const app = await makeApp('tag', 'stable')
  await lookNow(app)
  instead = { status: 429, headers: { 'retry-after': '7200', 'ratelimit-limit': '100;w=21600' } }
  await lookNow(app)
  const limited = await followed(app)
  expect(limited?.problem).toMatch(
    /limits how often it is asked: 100 pulls in 6 hours\. Wait 120 minutes, or keep/,
  )
  const waitMs = (at: string | null | undefined) => new Date(at ?? 0).getTime() - Date.now()
  expect(waitMs(limited?.nextLookAt)).toBeGreaterThan(7_100_000)
  instead = { status: 403 }
  const pauses: number[] = []
  for (let count = 0; count < 3; count++) {
    await lookNow(app)
    pauses.push(waitMs((await followed(app))?.nextLookAt))
  }
  expect((await followed(app))?.problem).toMatch(/refuses access: it is private, or not there/)
  expect(pauses[0]).toBeGreaterThan(1_000_000)
  expect(pauses[2]).toBeGreaterThan((pauses[0] ?? 0) * 2)
  instead = null
  await createRegistryLogin(berth.platform, operator, team.id, login())
  await followElsewhere(berth.platform)
  expect((await followed(app))?.problem).toBeNull()
})

test('a look that was lost is done by the next; a deleted app and changed settings are left alone', async () => {
  const [app, gone] = [await makeApp('tag', 'stable'), await makeApp('tag', 'stable')]
  await lookNow(app, gone)
  await deleteApp(berth.platform, operator, gone.id)
  tags.stable = 'two'
  // Another took its turn, and died.
  const { db } = berth.platform
  await db.app.update({ where: { id: app.id }, data: { followLookAt: new Date(Date.now() + 60_000) } })
  await followElsewhere(berth.platform)
  expect(await deployed(app)).toEqual([])
  await lookNow(app, gone)
  expect([await deployed(app), await deployed(gone)]).toEqual([[seen('push', 'stable', 'two')], []])
  await updateApp(berth.platform, operator, app.id, { settings: { follow: null } })
  tags.stable = 'three'
  registry.seen.length = 0
  await followElsewhere(berth.platform)
  expect([await deployed(app), looks()]).toEqual([[seen('push', 'stable', 'two')], []])
  const pattern = createApp(berth.platform, operator, app.projectId, {
    name: 'Any',
    settings: { image: image(), follow: { by: 'pattern', value: 'v*' } },
  })
  await expect(pattern).rejects.toMatchObject({ code: 'invalid' })
})
