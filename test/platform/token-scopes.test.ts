import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Viewer } from '../../platform/access.ts'
import { getApp, stopApp, updateApp } from '../../platform/apps.ts'
import { createDeployment } from '../../platform/deployments.ts'
import { changeRole, leaveTeam } from '../../platform/members.ts'
import type { CreateTokenInput } from '../../platform/model/inputs.ts'
import type { App, Team } from '../../platform/model/resources.ts'
import { covers, presetOf, tokenPresets } from '../../platform/model/scopes.ts'
import { isInNetworks } from '../../platform/networks.ts'
import { createProject, deleteProject } from '../../platform/projects.ts'
import { viewerFromToken } from '../../platform/sessions.ts'
import { scopeActions } from '../../platform/token-scope.ts'
import { isTokenText, newTokenSecret } from '../../platform/token-secret.ts'
import {
  createTeamToken,
  createToken,
  listTeamTokens,
  listTokens,
  revokeToken,
  takeTokenOver,
} from '../../platform/tokens.ts'
import { listVariables } from '../../platform/variables.ts'
import { openTestPlatform, operator, type TestPlatform, type TestUser } from '../support/platform.ts'

let berth: TestPlatform
let team: Team
let app: App
let admin: TestUser

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  team = await berth.makeTeam('Acme')
  app = await berth.makeApp(team.id)
  admin = await berth.makeUser({ teamId: team.id, role: 'admin' })
})
afterAll(() => berth?.close())

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => 'allowed',
    (error) => error.code,
  )
}

async function use(secret: string, address = '192.0.2.1'): Promise<Viewer> {
  const viewer = await viewerFromToken(berth.platform, secret, { viaEdge: true, address })
  if (viewer === null) throw new Error('the token is nobody')
  return viewer
}

test('a scanner knows a token offline: its last six characters check the others', () => {
  const secret = newTokenSecret()
  expect(secret).toMatch(/^berth_[0-9A-Za-z]{40}$/)
  expect(isTokenText(secret)).toBe(true)
  // As the documentation says it, without our code.
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  const check = [...secret.slice(-6)].reduce((sum, digit) => sum * 62 + digits.indexOf(digit), 0)
  expect(check).toBe(crc32(secret.slice(6, -6)))
  const other = secret.at(10) === 'x' ? 'y' : 'x'
  for (const wrong of [
    `${secret.slice(0, 10)}${other}${secret.slice(11)}`,
    secret.slice(0, -1),
    `${secret}0`,
    secret.replace('berth_', 'bertH_'),
    `berth_${'a'.repeat(40)}`,
  ])
    expect(isTokenText(wrong)).toBe(false)
})

test('patterns cover whole words of actions only, and every preset is made of actions that there are', () => {
  expect(covers('app.*', 'app.read')).toBe(true)
  expect(covers('app.*', 'application.read')).toBe(false)
  expect(covers('*.read', 'app.read')).toBe(true)
  expect(covers('*.read', 'app.read-logs')).toBe(false)
  expect(covers('app.read', 'app.read-logs')).toBe(false)
  for (const [name, actions] of Object.entries(tokenPresets)) {
    for (const pattern of actions) expect(scopeActions.some((action) => covers(pattern, action))).toBe(true)
    expect(presetOf([...actions].reverse())).toBe(name)
  }
})

test('a token for CI deploys its app and does nothing else', async () => {
  const { platform } = berth
  const { secret } = await createTeamToken(platform, admin.viewer, team.id, {
    ...{ name: 'ci', preset: 'deploy', appIds: [app.id], repositories: ['shop'] },
  })
  const ci = await use(secret)
  expect(await codeOf(createDeployment(platform, ci, app.id, { image: 'registry.example/app:2' }))).toBe(
    'allowed',
  )
  expect(await codeOf(listVariables(platform, ci, { appId: app.id }))).toBe('forbidden')
  expect(await codeOf(updateApp(platform, ci, app.id, { settings: { replicas: 9 } }))).toBe('forbidden')
  expect(await codeOf(stopApp(platform, ci, app.id))).toBe('forbidden')
  const other = await berth.makeApp(team.id)
  expect(await codeOf(createDeployment(platform, ci, other.id))).toBe('not-found')
  expect(await codeOf(createTeamToken(platform, ci, team.id, { name: 'more' }))).toBe('forbidden')
  expect(await codeOf(createToken(platform, ci, { name: 'more' }))).toBe('forbidden')
})

test('a token for a project that is gone reaches nothing, and not everything', async () => {
  const { platform } = berth
  const project = await createProject(platform, operator, team.id, { name: 'Short' })
  const { secret } = await createTeamToken(platform, admin.viewer, team.id, {
    ...{ name: 'short', projectIds: [project.id] },
  })
  await deleteProject(platform, operator, project.id)
  expect(await codeOf(getApp(platform, await use(secret), app.id))).toBe('not-found')
})

test('what can not be is refused: unknown actions, foreign things, networks that are none', async () => {
  const { platform } = berth
  const foreign = await berth.makeApp((await berth.makeTeam()).id)
  const cases: [Partial<CreateTokenInput>, string][] = [
    [{ actions: ['app.fly'] }, 'invalid'],
    [{ actions: ['account.manage-own'] }, 'invalid'],
    [{ actions: [] }, 'invalid'],
    [{ actions: ['app.read; DROP'] }, 'invalid'],
    [{ preset: 'deploy', actions: ['app.read'] }, 'invalid'],
    [{ appIds: [app.id] }, 'invalid'],
    [{ teamId: team.id, appIds: [foreign.id] }, 'not-found'],
    [{ teamId: team.id, projectIds: [foreign.projectId] }, 'not-found'],
    [{ addresses: ['203.0.113.0/33'] }, 'invalid'],
    [{ addresses: ['everywhere'] }, 'invalid'],
    [{ addresses: ['203.0.113.0/24', '2001:db8::/32', '::1'] }, 'allowed'],
    [{ teamId: team.id, appIds: [app.id], actions: ['deployment.create'] }, 'allowed'],
  ]
  for (const [input, expected] of cases)
    expect(
      `${JSON.stringify(input)}: ${await codeOf(createToken(platform, admin.viewer, { name: 'x', ...input }))}`,
    ).toBe(`${JSON.stringify(input)}: ${expected}`)
})

test('an address is in a network in whatever way a proxy writes it', () => {
  const networks = ['203.0.113.0/24', '198.51.100.7', '2001:db8:1::/48']
  for (const address of [
    ...['203.0.113.0', '203.0.113.255', '198.51.100.7', '2001:db8:1:2::3', '203.0.113.9:4711'],
    ...['::ffff:203.0.113.9', '::FFFF:203.0.113.9', '[2001:db8:1::1]:443', '[::ffff:203.0.113.9]:80'],
  ])
    expect([address, isInNetworks(address, networks)]).toEqual([address, true])
  for (const address of [
    ...['203.0.114.0', '198.51.100.8', '2001:db8:2::1', '::1', 'unknown', '', '203.0.113.9, 10.0.0.1'],
    ...['203.0.113', '0xcb007109', '203.0.113.9/24'],
  ])
    expect([address, isInNetworks(address, networks)]).toEqual([address, false])
  expect(isInNetworks('10.1.2.3', ['0.0.0.0/0'])).toBe(true)
})

test('a token with a list of networks works from there alone, and says when and from where it was used last', async () => {
  const { platform } = berth
  const { viewer } = await berth.makeUser({ teamId: team.id, role: 'developer' })
  const { secret } = await createToken(platform, viewer, { name: 'office', addresses: ['203.0.113.0/24'] })
  await use(secret, '203.0.113.9')
  await expect(use(secret, '198.51.100.1')).rejects.toMatchObject({
    ...{ code: 'forbidden', message: 'This token may not be used from the address 198.51.100.1.' },
  })
  expect((await listTokens(platform, viewer)).data).toMatchObject([
    { lastUsedAddress: '203.0.113.9', lastUsedAt: expect.any(String), addresses: ['203.0.113.0/24'] },
  ])
  await use(secret, '203.0.113.10')
  expect((await listTokens(platform, viewer)).data[0]?.lastUsedAddress).toBe('203.0.113.10')
})

test("a team's token never does more than its maker now, and stops when he leaves until somebody takes it over", async () => {
  const { platform } = berth
  const maker = await berth.makeUser({ teamId: team.id, role: 'admin' })
  const { secret, id } = await createTeamToken(platform, maker.viewer, team.id, {
    name: 'robot',
    role: 'admin',
  })
  const make = async () => codeOf(createProject(platform, await use(secret), team.id, { name: 'P' }))
  const stands = async () =>
    (await listTeamTokens(platform, admin.viewer, team.id)).data.find((token) => token.id === id)?.maker
      ?.isMember
  expect([await make(), await stands()]).toEqual(['allowed', true])
  await changeRole(platform, operator, team.id, maker.id, { role: 'viewer' })
  expect([await make(), await stands()]).toEqual(['forbidden', true])
  await leaveTeam(platform, maker.viewer, team.id)
  expect([await make(), await stands()]).toEqual(['not-found', false])

  const developer = await berth.makeUser({ teamId: team.id, role: 'developer' })
  expect(await codeOf(takeTokenOver(platform, developer.viewer, id))).toBe('forbidden')
  expect(await codeOf(takeTokenOver(platform, maker.viewer, id))).toBe('not-found')
  await takeTokenOver(platform, admin.viewer, id)
  expect([await make(), await stands()]).toEqual(['allowed', true])
  await revokeToken(platform, admin.viewer, id)
  expect(await codeOf(takeTokenOver(platform, admin.viewer, id))).toBe('not-found')
})

test("a personal token is not the team's, nor the team's a person's", async () => {
  const { platform } = berth
  const owner = await berth.makeUser({ teamId: team.id, role: 'owner' })
  const personal = await createToken(platform, owner.viewer, { name: 'mine', teamId: team.id })
  const ofTeam = await createTeamToken(platform, owner.viewer, team.id, { name: 'ours' })
  const names = async (list: ReturnType<typeof listTokens>) => (await list).data.map(({ name }) => name)
  expect(await names(listTokens(platform, owner.viewer))).toEqual(['mine'])
  expect(await names(listTeamTokens(platform, admin.viewer, team.id))).toContain('ours')
  expect(await names(listTeamTokens(platform, admin.viewer, team.id))).not.toContain('mine')
  expect(await codeOf(takeTokenOver(platform, admin.viewer, personal.id))).toBe('not-found')
  expect(await codeOf(revokeToken(platform, admin.viewer, ofTeam.id))).toBe('allowed')
})
