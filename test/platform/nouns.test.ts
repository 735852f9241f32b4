import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Viewer } from '../../platform/access.ts'
import { createApp, deleteApp, getApp, listApps, startApp, stopApp, updateApp } from '../../platform/apps.ts'
import { listAudit } from '../../platform/audit-log.ts'
import {
  cancelDeployment,
  createDeployment,
  getDeployment,
  listDeployments,
  rollbackTo,
} from '../../platform/deployments.ts'
import { listFirstApps } from '../../platform/first-apps.ts'
import { followDeployment, followTeam } from '../../platform/follow-events.ts'
import { followLogs } from '../../platform/follow-logs.ts'
import type { Page, Team } from '../../platform/model/resources.ts'
import {
  createProject,
  deleteProject,
  getProject,
  listProjects,
  updateProject,
} from '../../platform/projects.ts'
import { listPlaces } from '../../platform/team-places.ts'
import { createTeam, getTeam, idRangeOf, renameTeam } from '../../platform/teams.ts'
import { listVariables, setVariables } from '../../platform/variables.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'

let berth: TestPlatform
let team: Team
const servers = () => ({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })

beforeAll(async () => {
  berth = await openTestPlatform(servers())
  team = await berth.makeTeam('Acme')
})
afterAll(() => berth?.close())

const settings = { image: 'nginx:1.27' }

async function allPages<Item>(list: (cursor: string | undefined) => Promise<Page<Item>>): Promise<Item[][]> {
  const pages: Item[][] = []
  let cursor: string | undefined
  do {
    const page = await list(cursor)
    pages.push(page.data)
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return pages
}

test('pages of a list hold everything once, whatever the size of a page', async () => {
  const { platform } = berth
  const own = await berth.makeTeam()
  const ids: string[] = []
  for (let i = 0; i < 7; i++) ids.push((await berth.makeProject(own.id)).id)
  for (const limit of [1, 3, 7, 100]) {
    const pages = await allPages((cursor) => listProjects(platform, operator, own.id, { cursor, limit }))
    expect(pages.flat().map(({ id }) => id)).toEqual([...ids].sort())
    expect(pages).toHaveLength(Math.ceil(7 / limit))
  }
  const app = await berth.makeApp(own.id)
  for (let i = 0; i < 5; i++) await createDeployment(platform, operator, app.id)
  const pages = await allPages((cursor) => listDeployments(platform, operator, app.id, { cursor, limit: 2 }))
  expect(pages.map((page) => page.map(({ number }) => number))).toEqual([[5, 4], [3, 2], [1]])
})

test('a cursor that no list gave out and a limit out of range are refused with their names', async () => {
  const list = (page: object) => listProjects(berth.platform, operator, team.id, page)
  await expect(list({ cursor: 'bm9uc2Vuc2U' })).rejects.toMatchObject({ code: 'bad-request' })
  await expect(list({ limit: 101 })).rejects.toMatchObject({ code: 'invalid', fields: [{ path: 'limit' }] })
  await expect(list({ limt: 3 })).rejects.toMatchObject({ fields: [{ path: 'limt' }] })
  const app = await berth.makeApp(team.id)
  const { nextCursor } = await listApps(berth.platform, operator, { teamId: team.id }, { limit: 1 })
  if (nextCursor !== null) {
    const cursor = nextCursor
    await expect(listDeployments(berth.platform, operator, app.id, { cursor })).rejects.toMatchObject({
      code: 'bad-request',
    })
  }
})

test('apps are found by a part of their name or slug, whatever its case and whatever a pattern would mean', async () => {
  const { platform } = berth
  const own = await berth.makeTeam()
  const shop = await berth.makeApp(own.id, { name: 'Online Shop' })
  const half = await berth.makeApp(own.id, { name: '50% off' })
  const search = async (text: string, of: { teamId: string } | { projectId: string } = { teamId: own.id }) =>
    (await listApps(platform, operator, of, { search: text })).data.map(({ name }) => name)
  expect(await search('SHOP')).toEqual(['Online Shop'])
  expect(await search('line-sh')).toEqual(['Online Shop'])
  expect(await search('%')).toEqual(['50% off'])
  expect(await search('_')).toEqual([])
  expect(await search('o', { projectId: half.projectId })).toEqual(['50% off'])
  await expect(search('x'.repeat(1_000))).rejects.toMatchObject({ fields: [{ path: 'search' }] })
  const { data, nextCursor } = await listApps(
    platform,
    operator,
    { teamId: own.id },
    { search: 'o', limit: 1 },
  )
  expect(data.map(({ id }) => id)).toEqual([shop.id])
  const rest = await listApps(
    platform,
    operator,
    { teamId: own.id },
    { search: 'o', cursor: nextCursor ?? '' },
  )
  expect(rest.data.map(({ id }) => id)).toEqual([half.id])
})

test('the first apps of each project are its oldest ones, however many another project has', async () => {
  const { platform } = berth
  const own = await berth.makeTeam()
  const [many, few] = [await berth.makeProject(own.id), await berth.makeProject(own.id)]
  const ids: string[] = []
  for (let i = 0; i < 5; i++)
    ids.push((await createApp(platform, operator, many.id, { name: `App ${i}`, settings })).id)
  const last = await createApp(platform, operator, few.id, { name: 'Last', settings })
  const elsewhere = await berth.makeApp(team.id)
  const projectIds = [many.id, few.id, elsewhere.projectId]
  const first = await listFirstApps(platform, operator, own.id, { projectIds, each: 3 })
  expect(first.map(({ id }) => id)).toEqual([...ids.slice(0, 3), last.id])
})

test('what something of a team can be for is all of its projects, environments and apps', async () => {
  const { platform } = berth
  const own = await berth.makeTeam()
  const project = await berth.makeProject(own.id)
  const empty = await berth.makeProject(own.id)
  const names = Array.from({ length: 101 }, (_, index) => `App ${index}`)
  for (const name of names) await createApp(platform, operator, project.id, { name, settings })
  const places = await listPlaces(platform, operator, own.id)
  expect(places.map(({ id }) => id)).toEqual([project.id, empty.id])
  expect(places[0]?.apps.map(({ name }) => name)).toEqual(names)
  expect(places[1]).toMatchObject({ apps: [], environments: [{ name: 'Production' }] })
})

test("other teams' things are not found, by every function that takes an id", async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id)
  const deployment = await createDeployment(platform, operator, app.id)
  const own = await berth.makeTeam()
  const { viewer } = await berth.makeUser({ teamId: own.id, role: 'owner' })
  const { signal } = new AbortController()
  const calls: Record<string, (viewer: Viewer) => Promise<unknown>> = {
    getTeam: (v) => getTeam(platform, v, team.id),
    getTeamBySlug: (v) => getTeam(platform, v, team.slug),
    renameTeam: (v) => renameTeam(platform, v, team.id, { name: 'Mine' }),
    listAudit: (v) => listAudit(platform, v, { teamId: team.id }),
    listProjects: (v) => listProjects(platform, v, team.id),
    createProject: (v) => createProject(platform, v, team.id, { name: 'P' }),
    getProject: (v) => getProject(platform, v, app.projectId),
    updateProject: (v) => updateProject(platform, v, app.projectId, { name: 'P' }),
    deleteProject: (v) => deleteProject(platform, v, app.projectId),
    listAppsOfTeam: (v) => listApps(platform, v, { teamId: team.id }),
    listFirstApps: (v) => listFirstApps(platform, v, team.id, { projectIds: [app.projectId], each: 4 }),
    listPlaces: (v) => listPlaces(platform, v, team.id),
    listAppsOfProject: (v) => listApps(platform, v, { projectId: app.projectId }),
    createApp: (v) => createApp(platform, v, app.projectId, { name: 'A', settings }),
    getApp: (v) => getApp(platform, v, app.id),
    updateApp: (v) => updateApp(platform, v, app.id, { name: 'B' }),
    stopApp: (v) => stopApp(platform, v, app.id),
    startApp: (v) => startApp(platform, v, app.id),
    deleteApp: (v) => deleteApp(platform, v, app.id),
    createDeployment: (v) => createDeployment(platform, v, app.id),
    getDeployment: (v) => getDeployment(platform, v, deployment.id),
    listDeployments: (v) => listDeployments(platform, v, app.id),
    rollbackTo: (v) => rollbackTo(platform, v, deployment.id),
    cancelDeployment: (v) => cancelDeployment(platform, v, deployment.id),
    listVariables: (v) => listVariables(platform, v, { appId: app.id }),
    setVariables: (v) => setVariables(platform, v, { appId: app.id }, { set: [{ name: 'A', value: 'b' }] }),
    followTeam: (v) => followTeam(platform, v, team.id, { signal }),
    followDeployment: (v) => followDeployment(platform, v, deployment.id, { signal }),
    followLogs: (v) => followLogs(platform, v, app.id, { signal }),
  }
  for (const [name, call] of Object.entries(calls)) {
    const error = (await call(viewer).catch((e) => e)) as { code: string; message: string }
    expect(`${name} ${error.code}`).toBe(`${name} not-found`)
    expect(JSON.stringify(error.message)).not.toContain('Acme')
  }
  expect(await getApp(platform, operator, app.id)).toMatchObject({ name: app.name, desiredState: 'running' })
})

test('a slug is made from the name and counted up; one that was asked for is a conflict', async () => {
  const { platform } = berth
  const names = await Promise.all(
    ['Shop', 'Shop!', 'shop', '示例', 'x'.repeat(80)].map((name) =>
      createProject(platform, operator, team.id, { name }),
    ),
  )
  expect(names.map(({ slug }) => slug).sort()).toEqual(
    ['project', 'shop', 'shop-2', 'shop-3', 'x'.repeat(34)].sort(),
  )
  await expect(createTeam(platform, operator, { name: 'Other', slug: team.slug })).rejects.toMatchObject({
    code: 'conflict',
    fields: [{ path: 'slug' }],
  })
  const project = names[0]
  expect(project?.environments.map(({ slug }) => slug)).toEqual(['production'])
})

test('an app gets an address that nobody else has', async () => {
  const { platform } = berth
  const one = await berth.makeProject(team.id, 'One')
  const two = await berth.makeProject(team.id, 'Two')
  const web = await createApp(platform, operator, one.id, { name: 'Web', settings })
  const same = await createApp(platform, operator, two.id, { name: 'Web', settings })
  expect(web.urls).toEqual([`http://web-${team.slug}.localhost:7080`])
  expect(same.urls).toEqual([`http://web-two-${team.slug}.localhost:7080`])
  expect(web).toMatchObject({
    status: 'empty',
    desiredState: 'running',
    containers: [],
    latestDeployment: null,
  })
  const long = 'a'.repeat(40)
  const longTeam = await createTeam(platform, operator, { name: 'Long', slug: 'b'.repeat(40) })
  const project = await berth.makeProject(longTeam.id)
  const app = await createApp(platform, operator, project.id, { name: 'Long', slug: long, settings })
  const label = new URL(app.urls[0] ?? '').hostname.split('.')[0] ?? ''
  expect(label.length).toBeLessThanOrEqual(63)
  expect(label.startsWith(long)).toBe(true)
})

test('with a domain apps are below it', async () => {
  const other = await openTestPlatform(servers(), { domain: 'berth.example.com', port: 80 })
  try {
    const acme = await other.makeTeam('Acme')
    const first = await other.makeApp(acme.id, { name: 'Web' })
    const second = await other.makeApp((await other.makeTeam('Beta')).id, { name: 'Web' })
    expect(first.urls).toEqual(['http://web.berth.example.com'])
    expect(second.urls).toEqual(['http://web-beta.berth.example.com'])
  } finally {
    await other.close()
  }
})

test('an update changes what is named and nothing else', async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id, { settings: { replicas: 3, limits: { memoryBytes: 2 ** 28 } } })
  const updated = await updateApp(platform, operator, app.id, {
    settings: { limits: { pids: 99 }, port: 8080 },
  })
  expect(updated.settings).toEqual({
    ...app.settings,
    port: 8080,
    limits: { ...app.settings.limits, pids: 99 },
  })
  const broken = { settings: { port: 70_000, limits: { pid: 3 } } }
  await expect(updateApp(platform, operator, app.id, broken as never)).rejects.toMatchObject({
    code: 'invalid',
    fields: [{ path: 'settings.port' }, { path: 'settings.limits.pid', message: 'is not a known field' }],
  })
})

test('a project with apps is not deleted, an empty one is', async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id)
  await expect(deleteProject(platform, operator, app.projectId)).rejects.toMatchObject({ code: 'conflict' })
  const empty = await berth.makeProject(team.id)
  await deleteProject(platform, operator, empty.id)
  await expect(getProject(platform, operator, empty.id)).rejects.toMatchObject({ code: 'not-found' })
})

test('secrets are written, never shown, and stand nowhere in plain text', async () => {
  const { platform } = berth
  const app = await berth.makeApp(team.id)
  const set = [
    { name: 'DATABASE_URL', value: 'postgres://plain-text-canary', isSecret: true },
    { name: 'MODE', value: 'bright' },
    { name: 'OLD', value: 'x' },
  ]
  await setVariables(platform, operator, { appId: app.id }, { set })
  const listed = await setVariables(platform, operator, { appId: app.id }, { remove: ['OLD'] })
  expect(listed).toMatchObject([
    { name: 'DATABASE_URL', value: null, isSecret: true },
    { name: 'MODE', value: 'bright', isSecret: false },
  ])
  const deployment = await createDeployment(platform, operator, app.id)
  expect(JSON.stringify(deployment)).not.toContain('canary')
  for (const table of ['variables', 'deployments', 'audit_events', 'apps']) {
    const rows = await platform.db.$queryRawUnsafe(`SELECT to_jsonb(t)::text AS row FROM ${table} t`)
    expect(JSON.stringify(rows)).not.toContain('canary')
  }
  for (const key of await platform.redis.keys('berth:*')) {
    if ((await platform.redis.type(key)) !== 'stream') continue
    expect(JSON.stringify(await platform.redis.xrange(key, '-', '+'))).not.toContain('canary')
  }
  await expect(
    setVariables(platform, operator, { appId: app.id }, { set: [{ name: 'BERTH_X', value: '' }] }),
  ).rejects.toMatchObject({ code: 'invalid', fields: [{ path: 'set.0.name' }] })
})

test('each change is written down with who made it', async () => {
  const { platform } = berth
  const own = await berth.makeTeam()
  const { viewer } = await berth.makeUser({ teamId: own.id, role: 'admin' })
  const project = await createProject(platform, viewer, own.id, { name: 'P' })
  const app = await createApp(platform, viewer, project.id, { name: 'A', settings })
  await setVariables(platform, viewer, { appId: app.id }, { set: [{ name: 'A', value: 'b' }] })
  await createDeployment(platform, viewer, app.id)
  await stopApp(platform, viewer, app.id)
  await deleteApp(platform, viewer, app.id)
  await deleteApp(platform, viewer, app.id)
  const { data } = await listAudit(platform, viewer, { teamId: own.id })
  expect(data.map(({ action }) => action)).toEqual([
    'app.delete',
    'app.stop',
    'deployment.create',
    'variable.write',
    'app.create',
    'project.create',
    'team.create',
  ])
  expect(data[0]).toMatchObject({
    actor: expect.stringContaining('User'),
    targetType: 'app',
    targetName: 'A',
  })
  expect(data.at(-1)?.actor).toBe('Operator')
})

test('teams that first need their id range at once get ranges that do not overlap', async () => {
  const teams = await Promise.all(Array.from({ length: 6 }, () => berth.makeTeam()))
  const ranges = await Promise.all([...teams, ...teams].map(({ id }) => idRangeOf(berth.platform, id)))
  const bases = ranges.map(({ base }) => base)
  expect(bases.slice(0, 6)).toEqual(bases.slice(6))
  expect(new Set(bases).size).toBe(6)
  for (const { base, size } of ranges) {
    expect(size).toBe(65_536)
    expect((base - 100_000) % 65_536).toBe(0)
  }
})
