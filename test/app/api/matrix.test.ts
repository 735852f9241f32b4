/**
 * Every route × every kind of caller. A route that is not in the table fails: whoever adds one says here who may use
 * it. Each call is really made, with ids of things that are really there.
 */
import { encode } from 'next-auth/jwt'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCronJob } from '../../../platform/cron-jobs.ts'
import { createDeployment } from '../../../platform/deployments.ts'
import { addDomain } from '../../../platform/domains/domains.ts'
import { invite } from '../../../platform/invitations.ts'
import { newId } from '../../../platform/model/ids.ts'
import { type Role, roleIncludes, roles } from '../../../platform/model/roles.ts'
import { createChannel, testChannel } from '../../../platform/notifications/channels.ts'
import { passwordContext } from '../../../platform/registries/pull-login.ts'
import { createRun } from '../../../platform/runs.ts'
import { seal } from '../../../platform/secrets.ts'
import { signIn } from '../../../platform/sessions.ts'
import { createProvider } from '../../../platform/sign-in/providers.ts'
import { createTeamToken, createToken, revokeToken } from '../../../platform/tokens.ts'
import { setVariables } from '../../../platform/variables.ts'
import { operator, type TestUser } from '../../support/platform.ts'
import { type ApiUnderTest, openApi } from './client.ts'

/** The weakest role in the team that may; or every signed-in person, administrators of the installation, the operator. */
type Needs = Role | 'person' | 'administrator' | 'operator'

interface Fixture {
  repository: string
  channel: string
  login: string
  delivery: string
  team: string
  project: string
  emptyProject: string
  app: string
  environment: string
  domain: string
  run: string
  cronJob: string
  deployment: string
  member: string
  invitation: string
  teamToken: string
  provider: string
  /** One that nothing runs on. */
  host: string
}

/** Who may, the path with real ids, and the body. What a route then says of its input is no matter of access. */
type Rule = [needs: Needs, path: (ids: Fixture) => string, body?: object]

const settings = { image: 'registry.example/app:1', port: 80 }
const cronJob = { name: 'Nightly', schedule: '0 3 * * *', command: ['true'] }
const digest = `sha256:${'1'.repeat(64)}`
const rules: Record<string, Rule> = {
  'GET /me': ['person', () => '/me'],
  'GET /me/sessions': ['person', () => '/me/sessions'],
  'POST /me/sessions/end-others': ['person', () => '/me/sessions/end-others'],
  'POST /me/password': ['person', () => '/me/password', { current: 'no', password: 'three unlikely words' }],
  'GET /me/two-factor': ['person', () => '/me/two-factor'],
  'POST /me/two-factor': ['person', () => '/me/two-factor', { password: 'no' }],
  'POST /me/two-factor/confirm': ['person', () => '/me/two-factor/confirm', { code: '000000' }],
  'POST /me/two-factor/disable': ['person', () => '/me/two-factor/disable', { password: 'no' }],
  'POST /me/two-factor/recovery-codes': ['person', () => '/me/two-factor/recovery-codes', { password: 'no' }],
  'DELETE /users/{id}/two-factor': ['administrator', ({ member }) => `/users/${member}/two-factor`],
  'GET /teams': ['person', () => '/teams'],
  'POST /teams': ['administrator', () => '/teams', { name: 'New' }],
  'GET /teams/{team}': ['viewer', ({ team }) => `/teams/${team}`],
  'PATCH /teams/{team}': ['admin', ({ team }) => `/teams/${team}`, { name: 'Renamed' }],
  'DELETE /teams/{team}': ['owner', ({ team }) => `/teams/${team}?confirm=wrong`],
  'GET /deleted-teams': ['person', () => '/deleted-teams'],
  'PUT /teams/{team}/two-factor': ['owner', ({ team }) => `/teams/${team}/two-factor`, { required: false }],
  'GET /teams/{team}/projects': ['viewer', ({ team }) => `/teams/${team}/projects`],
  'POST /teams/{team}/projects': ['developer', ({ team }) => `/teams/${team}/projects`, { name: 'New' }],
  'GET /teams/{team}/apps': ['viewer', ({ team }) => `/teams/${team}/apps`],
  'GET /teams/{team}/audit': ['admin', ({ team }) => `/teams/${team}/audit`],
  'GET /teams/{team}/usage': ['viewer', ({ team }) => `/teams/${team}/usage`],
  'PATCH /teams/{team}/quota': ['administrator', ({ team }) => `/teams/${team}/quota`, { apps: null }],
  'GET /teams/{team}/audit/export': ['admin', ({ team }) => `/teams/${team}/audit/export?format=csv`],
  'GET /admin/audit': ['administrator', () => '/admin/audit'],
  'GET /admin/audit/export': ['administrator', () => '/admin/audit/export'],
  'GET /admin/audit/retention': ['administrator', () => '/admin/audit/retention'],
  'PUT /admin/audit/retention': ['administrator', () => '/admin/audit/retention', { days: 400 }],
  'GET /admin/users': ['administrator', () => '/admin/users'],
  'GET /admin/users/{id}': ['administrator', ({ member }) => `/admin/users/${member}`],
  'PATCH /admin/users/{id}': ['administrator', ({ member }) => `/admin/users/${member}`, { isAdmin: true }],
  'POST /admin/users/{id}/suspend': ['administrator', ({ member }) => `/admin/users/${member}/suspend`],
  'POST /admin/users/{id}/reactivate': ['administrator', ({ member }) => `/admin/users/${member}/reactivate`],
  'POST /admin/users/{id}/end-sessions': [
    'administrator',
    ({ member }) => `/admin/users/${member}/end-sessions`,
  ],
  'POST /admin/users/{id}/reset-link': ['administrator', ({ member }) => `/admin/users/${member}/reset-link`],
  'DELETE /admin/users/{id}': ['administrator', ({ member }) => `/admin/users/${member}`],
  'GET /admin/teams': ['administrator', () => '/admin/teams'],
  'GET /admin/teams/{id}': ['administrator', ({ team }) => `/admin/teams/${team}`],
  'DELETE /admin/teams/{id}': ['administrator', ({ team }) => `/admin/teams/${team}?confirm=wrong`],
  'POST /admin/teams/{id}/owners': [
    'administrator',
    ({ team }) => `/admin/teams/${team}/owners`,
    { userId: 'nobody' },
  ],
  'GET /admin/hosts': ['administrator', () => '/admin/hosts'],
  'POST /admin/hosts/{id}/cordon': ['administrator', ({ host }) => `/admin/hosts/${host}/cordon`],
  'POST /admin/hosts/{id}/uncordon': ['administrator', ({ host }) => `/admin/hosts/${host}/uncordon`],
  'GET /teams/{team}/image-retention': ['viewer', ({ team }) => `/teams/${team}/image-retention`],
  'PUT /teams/{team}/image-retention': [
    'admin',
    ({ team }) => `/teams/${team}/image-retention`,
    { retention: null },
  ],
  'POST /repositories/{id}/retention-preview': [
    'admin',
    ({ repository }) => `/repositories/${repository}/retention-preview`,
    { retention: null },
  ],
  'GET /admin/registry/collection': ['administrator', () => '/admin/registry/collection'],
  'POST /admin/registry/collection': ['administrator', () => '/admin/registry/collection'],
  'GET /teams/{team}/events': ['viewer', ({ team }) => `/teams/${team}/events`],
  'GET /teams/{team}/members': ['viewer', ({ team }) => `/teams/${team}/members`],
  'PATCH /teams/{team}/members/{userId}': [
    'admin',
    ({ team, member }) => `/teams/${team}/members/${member}`,
    { role: 'developer' },
  ],
  'DELETE /teams/{team}/members/{userId}': [
    'admin',
    ({ team, member }) => `/teams/${team}/members/${member}`,
  ],
  'POST /teams/{team}/leave': ['viewer', ({ team }) => `/teams/${team}/leave`],
  'GET /teams/{team}/invitations': ['admin', ({ team }) => `/teams/${team}/invitations`],
  'POST /teams/{team}/invitations': [
    'admin',
    ({ team }) => `/teams/${team}/invitations`,
    { email: 'new@example.com', role: 'viewer' },
  ],
  'DELETE /invitations/{id}': ['admin', ({ invitation }) => `/invitations/${invitation}`],
  'POST /invitations/accept': ['person', () => '/invitations/accept', { token: 'of nobody' }],
  'GET /projects/{id}': ['viewer', ({ project }) => `/projects/${project}`],
  'PATCH /projects/{id}': ['developer', ({ project }) => `/projects/${project}`, { name: 'Renamed' }],
  'DELETE /projects/{id}': ['admin', ({ emptyProject }) => `/projects/${emptyProject}`],
  'GET /projects/{id}/access': ['admin', ({ project }) => `/projects/${project}/access`],
  'PUT /projects/{id}/access/{userId}': [
    'admin',
    ({ project, member }) => `/projects/${project}/access/${member}`,
    { access: 'developer' },
  ],
  'GET /projects/{id}/apps': ['viewer', ({ project }) => `/projects/${project}/apps`],
  'POST /projects/{id}/apps': [
    'developer',
    ({ project }) => `/projects/${project}/apps`,
    { name: 'New', settings },
  ],
  'GET /apps/{id}': ['viewer', ({ app }) => `/apps/${app}`],
  'PATCH /apps/{id}': ['developer', ({ app }) => `/apps/${app}`, { name: 'Renamed' }],
  'DELETE /apps/{id}': ['developer', ({ app }) => `/apps/${app}`],
  'POST /apps/{id}/scale': ['developer', ({ app }) => `/apps/${app}/scale`, { replicas: 2 }],
  'POST /apps/{id}/start': ['developer', ({ app }) => `/apps/${app}/start`],
  'POST /apps/{id}/stop': ['developer', ({ app }) => `/apps/${app}/stop`],
  'GET /apps/{id}/variables': ['developer', ({ app }) => `/apps/${app}/variables`],
  'PATCH /apps/{id}/variables': ['developer', ({ app }) => `/apps/${app}/variables`, { set: [] }],
  'GET /apps/{id}/variables/dotenv': ['developer', ({ app }) => `/apps/${app}/variables/dotenv`],
  'POST /apps/{id}/variables/import': [
    'developer',
    ({ app }) => `/apps/${app}/variables/import`,
    { text: '' },
  ],
  'GET /apps/{id}/variables/versions': ['developer', ({ app }) => `/apps/${app}/variables/versions`],
  'POST /apps/{id}/variables/versions/{number}/restore': [
    'developer',
    ({ app }) => `/apps/${app}/variables/versions/1/restore`,
  ],
  'GET /environments/{id}/variables': [
    'developer',
    ({ environment }) => `/environments/${environment}/variables`,
  ],
  'PATCH /environments/{id}/variables': [
    'developer',
    ({ environment }) => `/environments/${environment}/variables`,
    { set: [] },
  ],
  'GET /environments/{id}/variables/dotenv': [
    'developer',
    ({ environment }) => `/environments/${environment}/variables/dotenv`,
  ],
  'POST /environments/{id}/variables/import': [
    'developer',
    ({ environment }) => `/environments/${environment}/variables/import`,
    { text: '' },
  ],
  'GET /environments/{id}/variables/versions': [
    'developer',
    ({ environment }) => `/environments/${environment}/variables/versions`,
  ],
  'POST /environments/{id}/variables/versions/{number}/restore': [
    'developer',
    ({ environment }) => `/environments/${environment}/variables/versions/1/restore`,
  ],
  'GET /apps/{id}/runs': ['viewer', ({ app }) => `/apps/${app}/runs`],
  'POST /apps/{id}/runs': ['developer', ({ app }) => `/apps/${app}/runs`, { command: ['true'] }],
  'GET /runs/{id}': ['viewer', ({ run }) => `/runs/${run}`],
  'POST /runs/{id}/cancel': ['developer', ({ run }) => `/runs/${run}/cancel`],
  'GET /apps/{id}/cron-jobs': ['viewer', ({ app }) => `/apps/${app}/cron-jobs`],
  'POST /apps/{id}/cron-jobs': ['developer', ({ app }) => `/apps/${app}/cron-jobs`, cronJob],
  'GET /cron-jobs/{id}': ['viewer', ({ cronJob }) => `/cron-jobs/${cronJob}`],
  'PATCH /cron-jobs/{id}': ['developer', ({ cronJob }) => `/cron-jobs/${cronJob}`, { isEnabled: false }],
  'DELETE /cron-jobs/{id}': ['developer', ({ cronJob }) => `/cron-jobs/${cronJob}`],
  'POST /cron-jobs/{id}/run': ['developer', ({ cronJob }) => `/cron-jobs/${cronJob}/run`],
  'GET /apps/{id}/domains': ['viewer', ({ app }) => `/apps/${app}/domains`],
  'POST /apps/{id}/domains': [
    'developer',
    ({ app }) => `/apps/${app}/domains`,
    { name: 'new.test', pathPrefix: '/new' },
  ],
  'POST /domains/{id}/check': ['developer', ({ domain }) => `/domains/${domain}/check`],
  'DELETE /domains/{id}': ['developer', ({ domain }) => `/domains/${domain}`],
  'GET /apps/{id}/deployments': ['viewer', ({ app }) => `/apps/${app}/deployments`],
  'POST /apps/{id}/deployments': ['developer', ({ app }) => `/apps/${app}/deployments`],
  'GET /teams/{team}/registry-logins': ['developer', ({ team }) => `/teams/${team}/registry-logins`],
  'POST /teams/{team}/registry-logins': [
    'admin',
    ({ team }) => `/teams/${team}/registry-logins`,
    { host: 'registry.invalid', username: 'ada', password: 'x' },
  ],
  'PATCH /registry-logins/{id}': ['admin', ({ login }) => `/registry-logins/${login}`, { note: 'Mine' }],
  'POST /registry-logins/{id}/test': ['admin', ({ login }) => `/registry-logins/${login}/test`],
  'DELETE /registry-logins/{id}': ['admin', ({ login }) => `/registry-logins/${login}`],
  'POST /projects/{id}/follow-preview': [
    'developer',
    ({ project }) => `/projects/${project}/follow-preview`,
    { image: 'registry.invalid/app:1', follow: { by: 'tag', value: '1' } },
  ],
  'GET /teams/{team}/notification-channels': ['admin', ({ team }) => `/teams/${team}/notification-channels`],
  'POST /teams/{team}/notification-channels': [
    'admin',
    ({ team }) => `/teams/${team}/notification-channels`,
    { kind: 'webhook', name: 'New', url: 'https://example.com/' },
  ],
  'GET /notification-channels/{id}': ['admin', ({ channel }) => `/notification-channels/${channel}`],
  'PATCH /notification-channels/{id}': [
    'admin',
    ({ channel }) => `/notification-channels/${channel}`,
    { name: 'Renamed' },
  ],
  'DELETE /notification-channels/{id}': ['admin', ({ channel }) => `/notification-channels/${channel}`],
  'POST /notification-channels/{id}/test': [
    'admin',
    ({ channel }) => `/notification-channels/${channel}/test`,
  ],
  'POST /notification-channels/{id}/rotate-secret': [
    'admin',
    ({ channel }) => `/notification-channels/${channel}/rotate-secret`,
  ],
  'GET /notification-channels/{id}/deliveries': [
    'admin',
    ({ channel }) => `/notification-channels/${channel}/deliveries`,
  ],
  'POST /notification-deliveries/{id}/redeliver': [
    'admin',
    ({ delivery }) => `/notification-deliveries/${delivery}/redeliver`,
  ],
  'GET /apps/{id}/timeline': ['viewer', ({ app }) => `/apps/${app}/timeline`],
  'GET /apps/{id}/logs': ['viewer', ({ app }) => `/apps/${app}/logs`],
  'GET /deployments/{id}': ['viewer', ({ deployment }) => `/deployments/${deployment}`],
  'GET /deployments/{id}/events': ['viewer', ({ deployment }) => `/deployments/${deployment}/events`],
  'POST /deployments/{id}/cancel': ['developer', ({ deployment }) => `/deployments/${deployment}/cancel`],
  'GET /deployments/{id}/rollback': ['developer', ({ deployment }) => `/deployments/${deployment}/rollback`],
  'POST /deployments/{id}/rollback': ['developer', ({ deployment }) => `/deployments/${deployment}/rollback`],
  'GET /teams/{team}/repositories': ['viewer', ({ team }) => `/teams/${team}/repositories`],
  'GET /repositories/{id}': ['viewer', ({ repository }) => `/repositories/${repository}`],
  'PATCH /repositories/{id}': [
    'admin',
    ({ repository }) => `/repositories/${repository}`,
    { isPublic: true },
  ],
  'DELETE /repositories/{id}': ['admin', ({ repository }) => `/repositories/${repository}`],
  'GET /repositories/{id}/tags': ['viewer', ({ repository }) => `/repositories/${repository}/tags`],
  'DELETE /repositories/{id}/tags/{tag}': ['admin', ({ repository }) => `/repositories/${repository}/tags/1`],
  'GET /repositories/{id}/images': ['viewer', ({ repository }) => `/repositories/${repository}/images`],
  'GET /repositories/{id}/images/{digest}': [
    'viewer',
    ({ repository }) => `/repositories/${repository}/images/${digest}`,
  ],
  'DELETE /repositories/{id}/images/{digest}': [
    'admin',
    ({ repository }) => `/repositories/${repository}/images/${digest}`,
  ],
  'GET /repositories/{id}/pushes': ['viewer', ({ repository }) => `/repositories/${repository}/pushes`],
  'GET /me/identities': ['person', () => '/me/identities'],
  'GET /admin/registration': ['administrator', () => '/admin/registration'],
  'PUT /admin/registration': [
    'administrator',
    () => '/admin/registration',
    { registration: 'invitation', domains: [] },
  ],
  'GET /admin/sign-in-providers': ['administrator', () => '/admin/sign-in-providers'],
  'POST /admin/sign-in-providers': [
    'administrator',
    () => '/admin/sign-in-providers',
    { id: 'gh', kind: 'github', name: 'GitHub', clientId: 'x', clientSecret: 'x' },
  ],
  'PATCH /admin/sign-in-providers/{id}': [
    'administrator',
    ({ provider }) => `/admin/sign-in-providers/${provider}`,
    { name: 'Renamed' },
  ],
  'DELETE /admin/sign-in-providers/{id}': [
    'administrator',
    ({ provider }) => `/admin/sign-in-providers/${provider}`,
  ],
  'GET /admin/mail': ['administrator', () => '/admin/mail'],
  'PUT /admin/mail': [
    'administrator',
    () => '/admin/mail',
    { host: '127.0.0.1', port: 1, from: 'a@example.com' },
  ],
  'DELETE /admin/mail': ['administrator', () => '/admin/mail'],
  'POST /admin/mail/test': ['administrator', () => '/admin/mail/test', { to: 'nobody@example.com' }],
  'GET /tokens': ['person', () => '/tokens'],
  'POST /tokens': ['person', () => '/tokens', { name: 'mine' }],
  'GET /teams/{team}/tokens': ['admin', ({ team }) => `/teams/${team}/tokens`],
  'POST /teams/{team}/tokens': [
    'admin',
    ({ team }) => `/teams/${team}/tokens`,
    { name: 'ci', preset: 'deploy' },
  ],
  'POST /tokens/{id}/take-over': ['admin', ({ teamToken }) => `/tokens/${teamToken}/take-over`],
  'GET /operator/status': ['operator', () => '/operator/status'],
  'POST /operator/setup-link': ['operator', () => '/operator/setup-link'],
  'POST /operator/tokens': ['operator', () => '/operator/tokens', { name: 'x', email: 'nobody@example.com' }],
}
/** Everybody has the right and nothing to use it on: tokens.test.ts and account.test.ts say whose are whose. */
const elsewhere = [
  // Of a deleted team: team-deletion.test.ts.
  'POST /deleted-teams/{team}/restore',
  'DELETE /tokens/{id}',
  'DELETE /me/sessions/{id}',
  'DELETE /me/identities/{id}',
]

interface Caller {
  /** In the team of the fixture. */
  role: Role | null
  /** In the fixture's projects, where that differs. */
  inProject?: Role | null
  userId?: string
  isAdministrator?: boolean
  isOperator?: boolean
  /** Not known at all. */
  isNobody?: boolean
  headers: Record<string, string>
}

let berth: ApiUnderTest
let team: string
const callers = new Map<string, Caller>()
const people = new Map<Role, TestUser>()

beforeAll(async () => {
  berth = await openApi()
  team = (await berth.makeTeam('Acme')).id
  for (const role of roles) {
    const user = await berth.makeUser({ teamId: team, role })
    people.set(role, user)
    callers.set(role, { role, headers: await cookieOf(user) })
  }
  const other = await berth.makeTeam('Other')
  const stranger = await berth.makeUser({ teamId: other.id, role: 'owner' })
  for (const [name, role, inProject] of [
    ['viewer of the team, developer of the project', 'viewer', 'developer'],
    ['viewer of the team, administrator of the project', 'viewer', 'admin'],
    ['developer of the team, viewer of the project', 'developer', 'viewer'],
    ['developer of the team without the project', 'developer', null],
  ] as const) {
    const user = await berth.makeUser({ teamId: team, role })
    callers.set(name, { role, inProject, userId: user.id, headers: await cookieOf(user) })
  }
  callers.set('owner of another team', { role: null, headers: await cookieOf(stranger) })
  const administrator = await berth.makeUser()
  await berth.platform.db.user.update({ where: { id: administrator.id }, data: { isAdmin: true } })
  callers.set('administrator', { role: null, isAdministrator: true, headers: await cookieOf(administrator) })
  const secret = berth.config.readSecret('operator.token')
  callers.set('operator', { role: 'owner', isOperator: true, headers: { authorization: `Bearer ${secret}` } })
  const revoked = await createToken(berth.platform, people.get('owner')?.viewer ?? operator, {
    name: 'old',
    role: 'owner',
  })
  await revokeToken(berth.platform, operator, revoked.id)
  callers.set('revoked token', {
    role: null,
    isNobody: true,
    headers: { authorization: `Bearer ${revoked.secret}` },
  })
  callers.set('no session', { role: null, isNobody: true, headers: {} })
})
afterAll(() => berth?.close())

async function cookieOf({ id, email, password }: TestUser): Promise<Record<string, string>> {
  const { sessionId } = await signIn(berth.platform, { email, password, address: '127.0.0.1' })
  const token = await encode({
    token: { sub: id, sessionId },
    secret: berth.config.readSecret('auth.secret'),
  })
  return { cookie: `berth_7080_session=${token}`, 'sec-fetch-site': 'same-origin' }
}

let lastName = 0

async function makeFixture(): Promise<Fixture> {
  const app = await berth.makeApp(team, { name: `Fixture ${++lastName}` })
  await makeVersions(app)
  const deployment = await createDeployment(berth.platform, operator, app.id, {})
  const member = await berth.makeUser({ teamId: team, role: 'viewer' })
  const emptyProject = (await berth.makeProject(team)).id
  for (const { userId, inProject } of callers.values()) {
    if (userId === undefined || inProject === undefined) continue
    const rows = [app.projectId, emptyProject].map((projectId) => ({ projectId, userId, role: inProject }))
    await berth.platform.db.projectAccess.createMany({ data: rows })
  }
  // A team has only so many open ones.
  await berth.platform.db.invitation.updateMany({ where: { teamId: team }, data: { revokedAt: new Date() } })
  const invitation = await invite(berth.platform, operator, team, { email: `guest${lastName}@example.com` })
  const teamToken = await createTeamToken(berth.platform, operator, team, { name: 'robot' })
  const provider = await createProvider(berth.platform, operator, {
    ...{ id: `gh-${lastName}`, kind: 'github', name: 'GitHub', clientId: 'x', clientSecret: 'x' },
  })
  const host = newId('host')
  await berth.platform.db.host.create({ data: { id: host, name: host } })
  return {
    teamToken: teamToken.id,
    provider: provider.id,
    repository: await makeRepository(),
    ...(await makeChannel()),
    login: await makeLogin(),
    ...{
      team,
      app: app.id,
      ...(await makeRuns(app.id, deployment.id)),
      environment: app.environmentId,
      domain: (await addDomain(berth.platform, operator, app.id, { name: `fixture-${lastName}.test` })).id,
      project: app.projectId,
      deployment: deployment.id,
    },
    ...{ emptyProject, member: member.id, invitation: invitation.id, host },
  }
}

/** A cron job and a run of an app that is live, as far as anybody can tell. */
async function makeRuns(appId: string, deploymentId: string): Promise<{ run: string; cronJob: string }> {
  await berth.platform.db.app.update({ where: { id: appId }, data: { liveDeploymentId: deploymentId } })
  const run = await createRun(berth.platform, operator, appId, { command: ['true'] })
  const { id } = await createCronJob(berth.platform, operator, appId, { ...cronJob, name: 'Fixture' })
  return { run: run.id, cronJob: id }
}

/** Of an app and its environment: a version that can be put back. */
async function makeVersions(app: { id: string; environmentId: string }): Promise<void> {
  for (const owner of [{ appId: app.id }, { environmentId: app.environmentId }])
    await setVariables(berth.platform, operator, owner, { set: [{ name: 'KEY', value: 'x' }] })
}

async function makeChannel(): Promise<{ channel: string; delivery: string }> {
  // A team has only so many.
  await berth.platform.db.notificationChannel.deleteMany({ where: { teamId: team } })
  const { id } = await createChannel(berth.platform, operator, team, {
    ...{ kind: 'webhook', name: 'Ops', url: 'https://example.com/hook' },
  })
  const [delivery = ''] = await testChannel(berth.platform, operator, id)
  await berth.platform.db.notificationDelivery.update({ where: { id: delivery }, data: { status: 'failed' } })
  return { channel: id, delivery }
}

async function makeLogin(): Promise<string> {
  const id = newId('registry-login')
  const sealedPassword = seal(berth.platform.keyring, 'x', passwordContext(id))
  const prefix = `fixture-${++lastName}`
  await berth.platform.db.registryLogin.create({
    data: {
      id,
      teamId: team,
      host: 'registry.invalid',
      prefix,
      username: 'ada',
      sealedPassword,
      createdBy: 'Ada',
    },
  })
  return id
}

async function makeRepository(): Promise<string> {
  const id = newId('repository')
  const manifest = { digest, mediaType: 'application/vnd.oci.image.index.v1+json', sizeBytes: 2 }
  await berth.platform.db.repository.create({
    data: {
      ...{ id, teamId: team, name: `fixture-${lastName}` },
      manifests: { create: manifest },
      tags: { create: { name: '1', digest } },
    },
  })
  return id
}

/** The status alone: an event stream has no end. */
async function ask(route: string, path: string, caller: Caller, body?: object): Promise<number> {
  const method = route.split(' ')[0] ?? ''
  const response = await berth.fetch(path, {
    method,
    headers: { ...caller.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  await response.body?.cancel()
  return response.status
}

/** 401 for nobody, 404 where the thing is in a team that is not the caller's, 403 where the right is too weak. */
function expected(route: string, needs: Needs, caller: Caller): 401 | 403 | 404 | 'allowed' {
  const isInProject = /^\w+ \/(projects|environments|apps|deployments|domains|runs|cron-jobs)\//.test(route)
  const role = isInProject && caller.inProject !== undefined ? caller.inProject : caller.role
  if (caller.isNobody) return 401
  if (caller.isOperator) return 'allowed'
  switch (needs) {
    case 'person':
      return 'allowed'
    case 'operator':
      return 403
    case 'administrator':
      return caller.isAdministrator ? 'allowed' : 403
    default:
      if (role === null) return 404
      return roleIncludes(role, needs) ? 'allowed' : 403
  }
}

/** What only a person can do, with a right that the operator has as well. */
const notForTheOperator = [
  'GET /me/sessions',
  'GET /me/identities',
  'POST /me/sessions/end-others',
  'POST /me/password',
  'GET /me/two-factor',
  'POST /me/two-factor',
  'POST /me/two-factor/confirm',
  'POST /me/two-factor/disable',
  'POST /me/two-factor/recovery-codes',
  'POST /teams/{team}/leave',
  'POST /invitations/accept',
  'POST /tokens',
  'POST /tokens/{id}/take-over',
]

test('every route is in the table, and nothing else', async () => {
  const { body } = await berth.nobody('GET /openapi.json')
  const paths = body.paths as Record<string, Record<string, unknown>>
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(routes.length).toBeGreaterThan(40)
  expect([...Object.keys(rules), ...elsewhere].sort()).toEqual(routes.sort())
})

describe('each route is for exactly those who may', () => {
  for (const [route, [needs, path, body]] of Object.entries(rules)) {
    test(`${route} (${needs})`, async () => {
      let ids = await makeFixture()
      for (const [name, caller] of callers) {
        if (caller.isOperator && notForTheOperator.includes(route)) continue
        const status = await ask(route, path(ids), caller, body)
        const isRefused = [401, 403, 404].includes(status)
        const wanted = expected(route, needs, caller)
        // A right to look for something that is not there is a right all the same.
        const isMissing = status === 404 && route === 'POST /operator/tokens'
        expect(`${name}: ${isRefused && !isMissing ? status : 'allowed'}`).toBe(`${name}: ${wanted}`)
        if (route === 'POST /teams/{team}/leave') await comeBack(caller)
        if (!isRefused && !route.startsWith('GET')) ids = await makeFixture()
      }
    })
  }
})

async function comeBack(caller: Caller): Promise<void> {
  const userId = caller.userId ?? people.get(caller.role ?? 'viewer')?.id
  if (caller.role === null || userId === undefined) return
  await berth.platform.db.membership.createMany({
    data: [{ teamId: team, userId, role: caller.role }],
    skipDuplicates: true,
  })
}

test('ids, slugs and names of another team lead to the same answer as those of nothing', async () => {
  const ids = await makeFixture()
  const stranger = callers.get('owner of another team')
  if (stranger === undefined) throw new Error('no stranger')
  const answers = new Map<string, string>()
  for (const [real, invented] of [
    [`/teams/${ids.team}`, '/teams/team_01jd3k0000000000000000'],
    ['/teams/acme', '/teams/acmee'],
    [`/projects/${ids.project}`, '/projects/prj_01jd3k000000000000000'],
    [`/apps/${ids.app}`, '/apps/app_01jd3k00000000000000'],
    [`/apps/${ids.app}/logs?follow=true`, '/apps/app_01jd3k00000000000000/logs?follow=true'],
    [`/deployments/${ids.deployment}/events`, '/deployments/dep_01jd3k0000000/events'],
  ] as const) {
    for (const path of [real, invented]) {
      const response = await berth.fetch(path, { headers: { ...stranger.headers, 'x-request-id': 'same' } })
      answers.set(path, `${response.status} ${await response.text()}`)
    }
    expect(answers.get(real)).toMatch(/^404 /)
    expect(answers.get(real)).toBe(answers.get(invented))
  }
})
