/**
 * Every server action × every kind of caller. Each exported action is really called, with a cookie of a real session
 * and ids of things that are really there; an action that is not in the table fails. What Next.js gives an action
 * (headers and cookies of the request) is given here; everything below it is ours and real.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import type { ActionResult } from '../../app/_actions/result.ts'
import { type Role, roleIncludes } from '../../platform/model/roles.ts'
import { openTestPlatform, type TestPlatform } from '../support/platform.ts'
import { type Caller, type Callers, makeCallers } from './callers.ts'
import { isInProject, type Things, type ThingsMaker, thingsOf } from './things.ts'

interface Sent {
  session: string | null
  headers: Record<string, string>
}

const request = vi.hoisted(() => ({ store: null as unknown as AsyncLocalStorage<Sent> }))
vi.mock('server-only', () => ({}))
vi.mock('next/headers', () => ({
  headers: async () =>
    new Headers({ 'x-forwarded-for': '198.51.100.7', ...request.store.getStore()?.headers }),
  cookies: async () => ({
    get: (name: string) => {
      const value = request.store.getStore()?.session
      return name === 'berth_7080_session' && value ? { name, value } : undefined
    },
    set: () => {},
  }),
}))
vi.mock('next-intl/server', () => ({ getLocale: async () => 'en' }))
request.store = new AsyncLocalStorage()

/** The weakest role in the team that may, every signed-in person, administrators of the installation, or anybody. */
type Needs = Role | 'person' | 'administrator' | 'anybody'

/** Who may, and with what. What an action then says of its input is no matter of access. */
type Rule = [needs: Needs, input: (ids: Things) => unknown[]]

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
  setHostAlertRuleAction: ['administrator', ({ host }) => [host, 'disk', { threshold: 80 }]],
  resetHostAlertRuleAction: ['administrator', ({ host }) => [host, 'disk']],
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
  putProcessAction: ['developer', ({ app }) => [app, 'worker', { command: ['true'] }]],
  removeProcessAction: ['developer', ({ app }) => [app, 'worker']],
  discardChangesAction: ['developer', ({ app }) => [app, {}]],
  stopAppAction: ['developer', ({ app }) => [app]],
  startAppAction: ['developer', ({ app }) => [app]],
  deleteAppAction: ['developer', ({ app }) => [app]],
  deployAction: ['developer', ({ app }) => [app]],
  rollbackAction: ['developer', ({ deployment }) => [deployment]],
  cancelAction: ['developer', ({ deployment }) => [deployment]],
  openTerminalAction: ['developer', ({ app }) => [app, {}]],
  createRunAction: ['developer', ({ app }) => [app, { command: ['true'] }]],
  cancelRunAction: ['developer', ({ run }) => [run]],
  setGitSourceAction: ['developer', ({ app }) => [app, { address: 'git@9.9.9.9:acme/shop.git' }]],
  removeGitSourceAction: ['developer', ({ app }) => [app]],
  renewDeployKeyAction: ['developer', ({ app }) => [app]],
  makeGitWebhookAction: ['developer', ({ app }) => [app]],
  deployFromGitAction: ['developer', ({ app }) => [app]],
  createCronJobAction: ['developer', ({ app }) => [app, schedule]],
  updateCronJobAction: ['developer', ({ cronJob }) => [cronJob, { isEnabled: false }]],
  deleteCronJobAction: ['developer', ({ cronJob }) => [cronJob]],
  runCronJobAction: ['developer', ({ cronJob }) => [cronJob]],
  createVolumeAction: [
    'developer',
    ({ app }) => [app, { name: 'own', mountPath: '/own', sizeBytes: 2 ** 24 }],
  ],
  updateVolumeAction: ['developer', ({ volume }) => [volume, { mountPath: '/other' }]],
  deleteVolumeAction: ['developer', ({ volume }) => [volume]],
  undeleteVolumeAction: ['developer', ({ volume }) => [volume, {}]],
  snapshotVolumeAction: ['developer', ({ volume }) => [volume, {}]],
  deleteVolumeSnapshotAction: ['developer', ({ volumeSnapshot }) => [volumeSnapshot]],
  restoreVolumeAction: ['developer', ({ volumeSnapshot }) => [volumeSnapshot]],
  setAppAlertRuleAction: ['developer', ({ app }) => [app, 'cpu', { threshold: 80 }]],
  resetAppAlertRuleAction: ['developer', ({ app }) => [app, 'cpu']],
  setEdgeAccessAction: ['developer', ({ app }) => [app, { users: [], addresses: [] }]],
  publishPortAction: ['developer', ({ app }) => [app, { containerPort: 5432 }]],
  changePortAction: ['developer', ({ app, port }) => [app, port, { containerPort: 5433 }]],
  removePortAction: ['developer', ({ app, port }) => [app, port]],
  addDomainAction: ['developer', ({ app }) => [app, { name: 'new.test' }]],
  checkDomainAction: ['developer', ({ domain }) => [domain]],
  changeDomainAction: ['developer', ({ domain }) => [domain, { httpsRedirect: true }]],
  setCertificateAction: ['developer', ({ domain }) => [domain, { chain: 'none', key: 'none' }]],
  tryCertificateAction: ['developer', ({ domain }) => [domain]],
  removeCertificateAction: ['developer', ({ domain }) => [domain]],
  setRecordsByAction: [
    'developer',
    ({ domain }) => [domain, { kind: 'webhook', url: 'https://dns.invalid/records' }],
  ],
  removeRecordsByAction: ['developer', ({ domain }) => [domain]],
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
  createDrainAction: [
    'admin',
    ({ team }) => [team, { kind: 'http', name: 'New', url: 'https://example.com/' }],
  ],
  updateDrainAction: ['admin', ({ drain }) => [drain, { name: 'Renamed' }]],
  testDrainAction: ['admin', ({ drain }) => [drain]],
  deleteDrainAction: ['admin', ({ drain }) => [drain]],
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
  changeAcmeAction: [
    'administrator',
    () => [{ directoryUrl: 'https://acme.example.org/directory', termsAgreed: true }],
  ],
  removeAcmeAction: ['administrator', () => []],
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

/** What an action says to those who may, of something that is not there. */
const aimless: Record<string, string> = { endSessionAction: 'not-found', unlinkIdentityAction: 'not-found' }

type Action = (...input: unknown[]) => Promise<ActionResult<unknown>>

let berth: TestPlatform
let people: Callers
let things: ThingsMaker
const actions = new Map<string, Action>()

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
  const team = (await berth.makeTeam('Acme')).id
  people = await makeCallers(berth, team)
  things = thingsOf(berth, team, people.enterProject)
})
afterAll(async () => {
  Object.assign(globalThis, { __berthPlatform: undefined })
  await berth?.close()
})

/** By what an action is refused; null where it is not. */
function refusalOf(needs: Needs, input: Rule[1], caller: Caller): string[] | null {
  if (needs === 'anybody') return null
  if (caller.isNobody) return ['unauthenticated']
  if (needs === 'person') return null
  if (needs === 'administrator') return caller.isAdministrator ? null : ['forbidden', 'not-found']
  const role = isInProject(input) && caller.inProject !== undefined ? caller.inProject : caller.role
  if (role === null) return ['not-found']
  return roleIncludes(role, needs) ? null : ['forbidden']
}

/** What the action says: `done`, or the code of the problem. */
async function call(
  name: string,
  { session }: Caller,
  input: unknown[],
  headers: Record<string, string> = { 'sec-fetch-site': 'same-origin' },
): Promise<string> {
  const answer = await request.store.run({ session, headers }, async () => actions.get(name)?.(...input))
  return answer?.ok ? 'done' : String(answer?.code)
}

test('every action is in the table, and there are many', () => {
  expect(actions.size).toBeGreaterThan(75)
  expect([...Object.keys(rules), ...elsewhere].sort()).toEqual([...actions.keys()].sort())
})

describe('who may', () => {
  for (const [name, [needs, input]] of Object.entries(rules)) {
    test(`${name}: ${needs}`, async () => {
      const wrong: string[] = []
      for (const [who, caller] of people.all) {
        const refusal = refusalOf(needs, input, caller)
        const code = await call(name, caller, await things.for(input))
        const isRefused = ['unauthenticated', 'forbidden', 'not-found'].includes(code)
        const isRight = refusal === null ? !isRefused || code === aimless[name] : refusal.includes(code)
        if (!isRight || code === 'internal' || code === 'undefined') wrong.push(`${who}: ${code}`)
        // Each caller is to find what the first one found.
        if (!isRefused) things.renew()
        if (name === 'leaveTeamAction') await people.comeBack()
      }
      expect(wrong).toEqual([])
    })
  }
})

test('whoever may not do something is told nothing about the input that he sent', async () => {
  const wrong: string[] = []
  for (const [name, [needs, input]] of Object.entries(rules)) {
    if (needs === 'anybody') continue
    const sent = await things.for(input)
    const nonsense = sent.map((part) => (typeof part === 'object' ? { ...part, nonsense: [true] } : part))
    for (const [who, caller] of people.all) {
      const refusal = refusalOf(needs, input, caller)
      if (refusal === null) continue
      const code = await call(name, caller, nonsense)
      if (!refusal.includes(code)) wrong.push(`${name}, ${who}: ${code}`)
    }
  }
  expect(wrong).toEqual([])
})

test('no action does anything for a page of another site, nor for who does not say where he comes from', async () => {
  const owner = people.all.get('owner')
  const administrator = people.all.get('administrator')
  if (owner === undefined || administrator === undefined) throw new Error('somebody is missing')
  const host = 'localhost:7080'
  const strangers: Record<string, string>[] = [
    { host },
    { host, 'sec-fetch-site': 'cross-site', origin: `http://${host}` },
    { host, 'sec-fetch-site': 'same-site' },
    { host, origin: 'http://shop-acme.localhost:7080' },
    { host, 'x-forwarded-host': 'evil.example', origin: 'http://evil.example' },
    { host, origin: 'null' },
  ]
  const done: string[] = []
  for (const [name, [needs, input]] of Object.entries(rules)) {
    const sent = await things.for(input)
    const entries = await berth.platform.db.auditEvent.count()
    for (const headers of strangers) {
      const code = await call(name, needs === 'administrator' ? administrator : owner, sent, headers)
      if (code !== 'forbidden') done.push(`${name}: ${code} for ${JSON.stringify(headers)}`)
    }
    if ((await berth.platform.db.auditEvent.count()) > entries) done.push(`${name}: left an entry`)
  }
  expect(done).toEqual([])
  expect(await call('renameTeamAction', owner, await things.for(({ team }) => [team, 'Mine']))).toBe('done')
  const ours = { host, origin: `http://${host}` }
  expect(await call('renameTeamAction', owner, await things.for(({ team }) => [team, 'Ours']), ours)).toBe(
    'done',
  )
})
