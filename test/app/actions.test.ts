/**
 * Every server action × every kind of caller. Each exported action is really called, with a cookie of a real session
 * and ids of things that are really there; an action that is not in the table fails. What Next.js gives an action
 * (headers and cookies of the request) is given here; everything below it is ours and real.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { encode } from 'next-auth/jwt'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import type { ActionResult } from '../../app/_actions/result.ts'
import { createCronJob } from '../../platform/cron-jobs.ts'
import { createDeployment } from '../../platform/deployments.ts'
import { addDomain } from '../../platform/domains/domains.ts'
import { invite } from '../../platform/invitations.ts'
import { newId } from '../../platform/model/ids.ts'
import { type Role, roleIncludes, roles } from '../../platform/model/roles.ts'
import { createChannel, testChannel } from '../../platform/notifications/channels.ts'
import { passwordContext } from '../../platform/registries/pull-login.ts'
import { createRun } from '../../platform/runs.ts'
import { seal } from '../../platform/secrets.ts'
import { signIn } from '../../platform/sessions.ts'
import { createProvider } from '../../platform/sign-in/providers.ts'
import { createTeamToken } from '../../platform/tokens.ts'
import { setVariables } from '../../platform/variables.ts'
import { openTestPlatform, operator, type TestPlatform, type TestUser } from '../support/platform.ts'

const request = vi.hoisted(() => ({ cookie: null as unknown as AsyncLocalStorage<string | null> }))
vi.mock('server-only', () => ({}))
vi.mock('next/headers', () => ({
  headers: async () => new Headers({ 'x-forwarded-for': '198.51.100.7' }),
  cookies: async () => ({
    get: (name: string) => {
      const value = request.cookie.getStore()
      return name === 'berth_7080_session' && value ? { name, value } : undefined
    },
    set: () => {},
  }),
}))
vi.mock('next-intl/server', () => ({ getLocale: async () => 'en' }))
request.cookie = new AsyncLocalStorage()

/** The weakest role in the team that may, every signed-in person, administrators of the installation, or anybody. */
type Needs = Role | 'person' | 'administrator' | 'anybody'

interface Fixture {
  team: string
  project: string
  emptyProject: string
  app: string
  environment: string
  deployment: string
  member: string
  invitation: string
  teamToken: string
  provider: string
  channel: string
  delivery: string
  repository: string
  run: string
  cronJob: string
  host: string
  domain: string
  login: string
}

/** Who may, and with what. What an action then says of its input is no matter of access. */
type Rule = [needs: Needs, input: (ids: Fixture) => unknown[]]

const settings = { image: 'registry.example/app:1', port: 80 }
const schedule = { name: 'Nightly', schedule: '0 3 * * *', command: ['true'] }
const rules: Record<string, Rule> = {
  claimAction: ['anybody', () => [{ token: 'of nobody' }]],
  changePasswordAction: ['person', () => [{ current: 'no', password: 'three unlikely words' }]],
  endSessionAction: ['person', () => ['ses_of_nobody']],
  endOtherSessionsAction: ['person', () => []],
  createTokenAction: ['person', () => [{ name: 'mine' }]],
  createTeamTokenAction: ['admin', ({ team }) => [team, { name: 'ci', preset: 'deploy' }]],
  takeTokenOverAction: ['admin', ({ teamToken }) => [teamToken]],
  revokeTokenAction: ['admin', ({ teamToken }) => [teamToken]],
  chooseLocaleAction: ['anybody', () => ['en']],
  suspendUserAction: ['administrator', ({ member }) => [member]],
  reactivateUserAction: ['administrator', ({ member }) => [member]],
  setAdministratorAction: ['administrator', ({ member }) => [member, true]],
  createResetLinkAction: ['administrator', ({ member }) => [member]],
  resetTwoFactorAction: ['administrator', ({ member }) => [member]],
  endUserSessionsAction: ['administrator', ({ member }) => [member]],
  deleteUserAction: ['administrator', ({ member }) => [member, {}]],
  appointOwnerAction: ['administrator', ({ team }) => [team, 'usr_of_nobody']],
  deleteAnyTeamAction: ['administrator', ({ team }) => [team, 'wrong']],
  cordonHostAction: ['administrator', ({ host }) => [host, true]],
  setAuditRetentionAction: ['administrator', () => [{ days: 400 }]],
  collectRegistryAction: ['administrator', () => []],
  deployImageAction: [
    'developer',
    ({ team, project }) => [
      { teamId: team, projectId: project, projectName: '', app: { name: 'New', settings } },
    ],
  ],
  updateAppAction: ['developer', ({ app }) => [app, { name: 'Renamed' }]],
  scaleAppAction: ['developer', ({ app }) => [app, { replicas: 2 }]],
  stopAppAction: ['developer', ({ app }) => [app]],
  startAppAction: ['developer', ({ app }) => [app]],
  deleteAppAction: ['developer', ({ app }) => [app]],
  deployAction: ['developer', ({ app }) => [app]],
  rollbackAction: ['developer', ({ deployment }) => [deployment]],
  cancelAction: ['developer', ({ deployment }) => [deployment]],
  createRunAction: ['developer', ({ app }) => [app, { command: ['true'] }]],
  cancelRunAction: ['developer', ({ run }) => [run]],
  createCronJobAction: ['developer', ({ app }) => [app, schedule]],
  updateCronJobAction: ['developer', ({ cronJob }) => [cronJob, { isEnabled: false }]],
  deleteCronJobAction: ['developer', ({ cronJob }) => [cronJob]],
  runCronJobAction: ['developer', ({ cronJob }) => [cronJob]],
  addDomainAction: ['developer', ({ app }) => [app, { name: 'new.test' }]],
  checkDomainAction: ['developer', ({ domain }) => [domain]],
  removeDomainAction: ['developer', ({ domain }) => [domain]],
  createRegistryLoginAction: [
    'admin',
    ({ team }) => [team, { host: 'registry.invalid', username: 'ada', password: 'x' }],
  ],
  updateRegistryLoginAction: ['admin', ({ login }) => [login, { note: 'Mine' }]],
  testRegistryLoginAction: ['admin', ({ login }) => [login]],
  deleteRegistryLoginAction: ['admin', ({ login }) => [login]],
  previewFollowAction: [
    'developer',
    ({ project }) => [project, { image: 'registry.invalid/app:1', follow: { by: 'tag', value: '1' } }],
  ],
  inviteAction: ['admin', ({ team }) => [team, { email: 'new@example.com', role: 'viewer' }]],
  revokeInvitationAction: ['admin', ({ invitation }) => [invitation]],
  changeRoleAction: ['admin', ({ team, member }) => [team, member, { role: 'developer' }]],
  removeMemberAction: ['admin', ({ team, member }) => [team, member]],
  leaveTeamAction: ['viewer', ({ team }) => [team]],
  acceptInvitationAction: ['person', () => ['of nobody']],
  joinAction: ['anybody', () => [{ token: 'of nobody' }]],
  createChannelAction: [
    'admin',
    ({ team }) => [team, { kind: 'webhook', name: 'New', url: 'https://example.com/' }],
  ],
  updateChannelAction: ['admin', ({ channel }) => [channel, { name: 'Renamed' }]],
  enableChannelAction: ['admin', ({ channel }) => [channel, false]],
  deleteChannelAction: ['admin', ({ channel }) => [channel]],
  testChannelAction: ['admin', ({ channel }) => [channel]],
  rotateSecretAction: ['admin', ({ channel }) => [channel]],
  redeliverAction: ['admin', ({ delivery }) => [delivery]],
  updateRepositoryAction: ['admin', ({ repository }) => [repository, { isPublic: true }]],
  removeFromRepositoryAction: ['admin', ({ repository }) => [repository, { force: false }]],
  setTeamRetentionAction: ['admin', ({ team }) => [team, null]],
  previewRetentionAction: ['admin', ({ repository }) => [repository, null]],
  askResetAction: ['anybody', () => ['nobody@example.com']],
  resetPasswordAction: ['anybody', () => [{ token: 'of nobody', password: 'three unlikely words' }]],
  askRegistrationAction: ['anybody', () => ['nobody@example.com']],
  registerAction: ['anybody', () => [{ token: 'of nobody' }]],
  beginLinkAction: ['person', ({ provider }) => [provider, { password: 'no' }]],
  unlinkIdentityAction: ['person', () => ['idn_of_nobody']],
  changeRegistrationAction: ['administrator', () => [{ registration: 'invitation', domains: [] }]],
  createProviderAction: [
    'administrator',
    () => [{ id: 'gh', kind: 'github', name: 'GitHub', clientId: 'x', clientSecret: 'x' }],
  ],
  updateProviderAction: ['administrator', ({ provider }) => [provider, { name: 'Renamed' }]],
  deleteProviderAction: ['administrator', ({ provider }) => [provider]],
  changeMailAction: ['administrator', () => [{ host: '127.0.0.1', port: 1, from: 'a@example.com' }]],
  removeMailAction: ['administrator', () => []],
  testMailAction: ['administrator', () => ['nobody@example.com']],
  createTeamAction: ['administrator', () => [{ name: 'New' }]],
  moveTeamAction: ['admin', ({ team }) => [team, 'moved']],
  deleteTeamAction: ['owner', ({ team }) => [team, 'wrong']],
  changeQuotaAction: ['administrator', ({ team }) => [team, { apps: null }]],
  changeProjectAccessAction: ['admin', ({ project, member }) => [project, member, { access: 'developer' }]],
  renameTeamAction: ['admin', ({ team }) => [team, 'Renamed']],
  createProjectAction: ['developer', ({ team }) => [team, { name: 'New' }]],
  renameProjectAction: ['developer', ({ project }) => [project, { name: 'Renamed' }]],
  deleteProjectAction: ['admin', ({ emptyProject }) => [emptyProject]],
  beginTwoFactorAction: ['person', () => [{ password: 'no' }]],
  confirmTwoFactorAction: ['person', () => [{ code: '000000' }]],
  renewRecoveryCodesAction: ['person', () => [{ password: 'no' }]],
  disableTwoFactorAction: ['person', () => [{ password: 'no' }]],
  requireTwoFactorAction: ['owner', ({ team }) => [team, false]],
  setVariablesAction: ['developer', ({ app }) => [{ appId: app }, { set: [] }]],
  restoreVariablesAction: ['developer', ({ environment }) => [{ environmentId: environment }, 1]],
  exportVariablesAction: ['developer', ({ app }) => [{ appId: app }]],
}
/** Of a deleted team: test/platform/team-life.test.ts says who brings it back. */
const elsewhere = ['restoreTeamAction']

interface Caller {
  /** In the team of the fixture. */
  role: Role | null
  userId?: string
  isAdministrator?: boolean
  /** Not known at all. */
  isNobody?: boolean
  cookie: string | null
}

type Action = (...input: unknown[]) => Promise<ActionResult<unknown>>

let berth: TestPlatform
let team: string
let fixture: Fixture | undefined
const actions = new Map<string, Action>()
const callers = new Map<string, Caller>()

beforeAll(async () => {
  berth = await openTestPlatform(
    { postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') },
    { registryKey: true },
  )
  // Where the web keeps its one platform: app/_server/platform.ts.
  Object.assign(globalThis, { __berthPlatform: Promise.resolve(berth.platform) })
  const folder = join(import.meta.dirname, '../../app/_actions')
  for (const file of readdirSync(folder)) {
    if (file === 'run.ts' || file === 'result.ts') continue
    const exported = (await import(join(folder, file))) as Record<string, Action>
    for (const [name, action] of Object.entries(exported)) actions.set(name, action)
  }
  team = (await berth.makeTeam('Acme')).id
  const other = (await berth.makeTeam('Other')).id
  for (const role of roles) {
    const user = await berth.makeUser({ teamId: team, role })
    callers.set(role, { role, userId: user.id, cookie: await cookieOf(user) })
  }
  const stranger = await berth.makeUser({ teamId: other, role: 'owner' })
  callers.set('owner of another team', { role: null, cookie: await cookieOf(stranger) })
  const administrator = await berth.makeUser()
  await berth.platform.db.user.update({ where: { id: administrator.id }, data: { isAdmin: true } })
  callers.set('administrator', { role: null, isAdministrator: true, cookie: await cookieOf(administrator) })
  const left = await berth.makeUser({ teamId: team, role: 'owner' })
  const cookie = await cookieOf(left)
  await berth.platform.db.session.updateMany({ where: { userId: left.id }, data: { revokedAt: new Date() } })
  callers.set('session that was ended', { role: null, isNobody: true, cookie })
  callers.set('no session', { role: null, isNobody: true, cookie: null })
})
afterAll(async () => {
  Object.assign(globalThis, { __berthPlatform: undefined })
  await berth?.close()
})

async function cookieOf({ id, email, password }: TestUser): Promise<string> {
  const { sessionId } = await signIn(berth.platform, { email, password, address: '127.0.0.1' })
  return encode({ token: { sub: id, sessionId }, secret: berth.config.readSecret('auth.secret') })
}

let lastName = 0

async function makeFixture(): Promise<Fixture> {
  const { platform } = berth
  // Whoever left the team just now is in it again.
  for (const { role, userId } of callers.values()) {
    if (role === null || userId === undefined) continue
    const membership = { teamId: team, userId, role }
    const where = { teamId_userId: { teamId: team, userId } }
    await platform.db.membership.upsert({ where, create: membership, update: { role } })
  }
  const app = await berth.makeApp(team, { name: `Fixture ${++lastName}` })
  await setVariables(platform, operator, { appId: app.id }, { set: [{ name: 'A', value: '1' }] })
  await setVariables(
    platform,
    operator,
    { environmentId: app.environmentId },
    { set: [{ name: 'A', value: '1' }] },
  )
  const deployment = await createDeployment(platform, operator, app.id, {})
  await platform.db.app.update({ where: { id: app.id }, data: { liveDeploymentId: deployment.id } })
  // A team has only so many open ones.
  await platform.db.invitation.updateMany({ where: { teamId: team }, data: { revokedAt: new Date() } })
  const invitation = await invite(platform, operator, team, { email: `guest${lastName}@example.com` })
  // And only so many channels.
  await platform.db.notificationChannel.deleteMany({ where: { teamId: team } })
  const channel = await createChannel(platform, operator, team, {
    ...{ kind: 'webhook', name: `Ops ${lastName}`, url: 'https://example.com/hook' },
  })
  const [delivery = ''] = await testChannel(platform, operator, channel.id)
  await platform.db.notificationDelivery.update({ where: { id: delivery }, data: { status: 'failed' } })
  const host = newId('host')
  await platform.db.host.create({ data: { id: host, name: host } })
  const repository = newId('repository')
  await platform.db.repository.create({ data: { id: repository, teamId: team, name: `web${lastName}` } })
  const provider = await createProvider(platform, operator, {
    ...{ id: `gh-${lastName}`, kind: 'github', name: 'GitHub', clientId: 'x', clientSecret: 'x' },
  })
  return {
    ...{ team, project: app.projectId, emptyProject: (await berth.makeProject(team)).id, app: app.id },
    ...{ environment: app.environmentId, deployment: deployment.id, host, repository },
    ...{ invitation: invitation.id, channel: channel.id, delivery, provider: provider.id },
    member: (await berth.makeUser({ teamId: team, role: 'viewer' })).id,
    teamToken: (await createTeamToken(platform, operator, team, { name: 'robot' })).id,
    domain: (await addDomain(platform, operator, app.id, { name: `fixture-${lastName}.test` })).id,
    login: await makeLogin(),
    cronJob: (await createCronJob(platform, operator, app.id, schedule)).id,
    run: (await createRun(platform, operator, app.id, { command: ['true'] })).id,
  }
}

async function makeLogin(): Promise<string> {
  const id = newId('registry-login')
  const { keyring, db } = berth.platform
  const sealedPassword = seal(keyring, 'x', passwordContext(id))
  const where = { host: 'registry.invalid', prefix: `fixture-${lastName}`, username: 'ada' }
  await db.registryLogin.create({ data: { id, teamId: team, ...where, sealedPassword, createdBy: 'Ada' } })
  return id
}

/** What stands between a caller and what the action does; null where nothing may. */
function refusalOf(needs: Needs, { role, isAdministrator, isNobody }: Caller): string[] | null {
  if (needs === 'anybody') return null
  if (isNobody) return ['unauthenticated']
  if (needs === 'person') return null
  if (needs === 'administrator') return isAdministrator ? null : ['forbidden', 'not-found']
  if (role === null) return ['not-found']
  return roleIncludes(role, needs) ? null : ['forbidden']
}

test('every action is in the table, and there are many', () => {
  expect(actions.size).toBeGreaterThan(75)
  expect([...Object.keys(rules), ...elsewhere].sort()).toEqual([...actions.keys()].sort())
})

describe('who may', () => {
  for (const [name, [needs, input]] of Object.entries(rules)) {
    test(`${name}: ${needs}`, async () => {
      // Those who may not first: they must leave everything as it is for those who may.
      const inTurn = [...callers].sort((a, b) => Number(mayOf(needs, a[1])) - Number(mayOf(needs, b[1])))
      // Input that names nothing of the fixture needs no new one.
      if (input.length > 0 || fixture === undefined) fixture = await makeFixture()
      const ids = fixture
      const wrong: string[] = []
      for (const [who, caller] of inTurn) {
        const refusal = refusalOf(needs, caller)
        const answer = await request.cookie.run(caller.cookie, async () => actions.get(name)?.(...input(ids)))
        const code = answer?.ok ? 'done' : String(answer?.code)
        const isRefused = ['unauthenticated', 'forbidden'].includes(code)
        if (code === 'internal' || code === 'undefined') wrong.push(`${who}: ${code}`)
        else if (refusal === null ? isRefused : !refusal.includes(code)) wrong.push(`${who}: ${code}`)
      }
      expect(wrong).toEqual([])
    })
  }
})

function mayOf(needs: Needs, caller: Caller): boolean {
  return refusalOf(needs, caller) === null
}
