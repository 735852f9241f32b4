/**
 * Every route that changes something is called once with success, and must leave an entry in the audit log that says
 * who it was and from where. A route that is not in the table fails: whoever adds one says here how it is used.
 * Server actions may only call what such a route calls, what is called here by itself, and what changes nothing.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encode } from 'next-auth/jwt'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signLeaf } from '../../../platform/certificates/authority.ts'
import { createDeployment } from '../../../platform/deployments.ts'
import { invite, joinByInvitation } from '../../../platform/invitations.ts'
import { createDrain } from '../../../platform/log-drains/drains.ts'
import { removeMail } from '../../../platform/mail/settings.ts'
import { newId } from '../../../platform/model/ids.ts'
import { createChannel, testChannel } from '../../../platform/notifications/channels.ts'
import { createRegistryLogin } from '../../../platform/registries/logins.ts'
import { withRequestOrigin } from '../../../platform/request-origin.ts'
import { resetPassword } from '../../../platform/reset-password.ts'
import { randomText, sha256 } from '../../../platform/secrets.ts'
import { signIn } from '../../../platform/sessions.ts'
import { claimInstallation, createSetupLink } from '../../../platform/setup.ts'
import { changeRegistration, register } from '../../../platform/sign-in/registration.ts'
import { deleteTeam } from '../../../platform/team-deletion.ts'
import { createTeamToken, createToken } from '../../../platform/tokens.ts'
import { createResetLink } from '../../../platform/user-admin.ts'
import { setLocale } from '../../../platform/users.ts'
import { type HostileRegistry, serve } from '../../support/hostile-registry.ts'
import { makeTar } from '../../support/images.ts'
import { operator, type TestUser } from '../../support/platform.ts'
import { codeOf } from '../../support/totp.ts'
import { type Answer, type ApiUnderTest, openApi } from './client.ts'

const root = join(import.meta.dirname, '../../..')
const from = { address: '198.51.100.7', userAgent: 'audited/1.0' }
const settings = { image: 'registry.example/app:1', port: 80 }
const password = 'correct horse battery'
const provider = { kind: 'github', name: 'GitHub', clientId: 'x', clientSecret: 'secret-of-a-provider' }
/** Nobody listens there, so that a letter fails at once. */
const mail = { host: '127.0.0.1', port: 1, security: 'none', from: 'berth@example.com' }

interface Fixture {
  team: string
  project: string
  emptyProject: string
  app: string
  environment: string
  deployment: string
  member: TestUser
  host: string
  repository: string
}

/** Makes what is needed, and ends with the call of the route itself. */
type Use = (ids: Fixture) => Promise<Answer>

let berth: ApiUnderTest
/** Lets everybody in who says who he is. */
let registry: HostileRegistry
/** Administrator of the installation, and owner of every team. */
let owner: TestUser
let asOwner: Record<string, string>
/** What no entry may hold. */
const secrets = new Set<string>([password, 'password-of-a-registry'])
let lastCall = { entries: 0, route: '' }

beforeAll(async () => {
  berth = await openApi()
  registry = await serve((request, response) => {
    response.writeHead(request.headers.authorization ? 200 : 401, {
      'www-authenticate': 'Basic realm="here"',
    })
    response.end()
  })
  writeFileSync(join(berth.config.home, 'registries.json'), JSON.stringify({ [registry.host]: {} }))
  owner = await berth.makeUser()
  await berth.platform.db.user.update({ where: { id: owner.id }, data: { isAdmin: true } })
  asOwner = await cookieOf(owner)
})
afterAll(() => {
  registry?.close()
  return berth?.close()
})

async function cookieOf({ id, email }: TestUser): Promise<Record<string, string>> {
  const { sessionId } = await signIn(berth.platform, { email, password, address: from.address })
  const token = await encode({
    token: { sub: id, sessionId },
    secret: berth.config.readSecret('auth.secret'),
  })
  return { cookie: `berth_7080_session=${token}`, 'sec-fetch-site': 'same-origin' }
}

async function call(route: string, body?: object, headers = asOwner): Promise<Answer> {
  lastCall = { entries: await berth.platform.db.auditEvent.count(), route }
  const sender = { 'x-forwarded-for': from.address, 'user-agent': from.userAgent }
  const answer = await berth.nobody(route, body, { ...headers, ...sender })
  const { secret, url, recoveryCodes } = answer.body ?? {}
  for (const found of [secret, url?.split('token=')[1], ...((recoveryCodes as string[]) ?? [])])
    if (found !== undefined) secrets.add(found)
  return answer
}

const asOperator = () => ({ authorization: `Bearer ${berth.config.readSecret('operator.token')}` })

async function makeFixture(): Promise<Fixture> {
  const { platform } = berth
  const team = (await berth.makeTeam()).id
  await platform.db.membership.upsert({
    where: { teamId_userId: { teamId: team, userId: owner.id } },
    create: { teamId: team, userId: owner.id, role: 'owner' },
    update: { role: 'owner' },
  })
  const member = await berth.makeUser({ teamId: team, role: 'viewer' })
  const app = await berth.makeApp(team)
  const { id: deployment } = await createDeployment(platform, operator, app.id, {})
  const host = newId('host')
  await platform.db.host.create({ data: { id: host, name: host } })
  const repository = newId('repository')
  await platform.db.repository.create({ data: { id: repository, teamId: team, name: 'web' } })
  const emptyProject = (await berth.makeProject(team)).id
  return {
    environment: app.environmentId,
    team,
    project: app.projectId,
    emptyProject,
    app: app.id,
    deployment,
    member,
    host,
    repository,
  }
}

/** As if its worker had brought it up. */
async function makeLive({ app, deployment }: Fixture): Promise<void> {
  const { db } = berth.platform
  const imageDigest = `sha256:${'1'.repeat(64)}`
  await db.deployment.update({
    where: { id: deployment },
    data: { status: 'live', liveAt: new Date(), imageDigest },
  })
  await db.app.update({ where: { id: app }, data: { liveDeploymentId: deployment } })
}

function makeVolume(app: string): Promise<Answer> {
  return call(`POST /apps/${app}/volumes`, { name: 'data', mountPath: '/data', sizeBytes: 2 ** 24 })
}

async function makeVolumeSnapshot(app: string): Promise<string> {
  const volume = await makeVolume(app)
  const { body } = await call(`POST /volumes/${volume.body.id}/snapshots`)
  const id = String(body.id)
  await berth.platform.db.volumeSnapshot.update({ where: { id }, data: { status: 'ready' } })
  return id
}

function makeCronJob(app: string): Promise<Answer> {
  return call(`POST /apps/${app}/cron-jobs`, { name: 'Nightly', schedule: '0 3 * * *', command: ['true'] })
}

/** A public address, so that nobody need know a name. */
function setGitSource(app: string): Promise<Answer> {
  return call(`PUT /apps/${app}/git-source`, { address: 'ssh://git@9.9.9.9/acme/shop.git' })
}

/** An archive is no JSON. */
async function upload(app: string): Promise<Answer> {
  const route = `POST /apps/${app}/builds`
  lastCall = { entries: await berth.platform.db.auditEvent.count(), route }
  const sender = { 'x-forwarded-for': from.address, 'user-agent': from.userAgent }
  const response = await berth.fetch(`/apps/${app}/builds`, {
    method: 'POST',
    headers: { ...asOwner, ...sender, 'content-type': 'application/x-tar' },
    body: new Uint8Array(await makeTar([{ name: 'Dockerfile', content: 'FROM scratch' }])),
  })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Answer['body'],
  }
}

async function makeDomain(app: string): Promise<Answer> {
  return call(`POST /apps/${app}/domains`, { name: `${app.replace('_', '-')}.test` })
}

const acme = { directoryUrl: 'https://acme.example.org/directory', termsAgreed: true }

async function bringCertificate(app: string): Promise<Answer> {
  const { body } = await makeDomain(app)
  const names = [String(body.name)] as [string]
  return call(`PUT /domains/${body.id}/certificate`, { ...(await signLeaf(berth.platform, names)) })
}

async function makeChannel(team: string): Promise<string> {
  const input = { kind: 'webhook', name: 'Ops', url: 'https://example.com/hook' } as const
  return (await createChannel(berth.platform, operator, team, input)).id
}

async function makeDrain(team: string): Promise<string> {
  // Of this machine, which is refused at once: nobody is asked.
  const input = { kind: 'http', name: 'Logs', url: 'http://127.0.0.1:9/' } as const
  return (await createDrain(berth.platform, operator, team, input)).id
}

const registryPassword = 'password-of-a-registry'
const registryLogin = () => ({ host: registry.host, username: 'ada', password: registryPassword })

async function makeLogin(team: string): Promise<string> {
  return (await createRegistryLogin(berth.platform, operator, team, registryLogin())).id
}

/** A person with two-factor sign-in, and codes that are good. */
async function withTwoFactor(team: string) {
  const user = await berth.makeUser({ teamId: team, role: 'viewer' })
  const cookie = await cookieOf(user)
  const { secret } = (await call('POST /me/two-factor', { password }, cookie)).body
  const confirm = () => call('POST /me/two-factor/confirm', { code: codeOf(secret) }, cookie)
  return { user, cookie, confirm }
}

const uses: Record<string, Use> = {
  'POST /me/sessions/end-others': () => call('POST /me/sessions/end-others', {}),
  'DELETE /me/sessions/{id}': async ({ member }) => {
    const { sessionId } = await signIn(berth.platform, { email: member.email, password, address: '::1' })
    return call(`DELETE /me/sessions/${sessionId}`, undefined, await cookieOf(member))
  },
  'POST /me/password': async ({ member }) => {
    const wanted = 'three unlikely words'
    secrets.add(wanted)
    const cookie = await cookieOf(member)
    return call('POST /me/password', { current: password, password: wanted }, cookie)
  },
  'POST /me/two-factor': async ({ member }) =>
    call('POST /me/two-factor', { password }, await cookieOf(member)),
  'POST /me/two-factor/confirm': async ({ team }) => (await withTwoFactor(team)).confirm(),
  'POST /me/two-factor/recovery-codes': async ({ team }) => {
    const { confirm, cookie } = await withTwoFactor(team)
    const [code] = (await confirm()).body.recoveryCodes as string[]
    return call('POST /me/two-factor/recovery-codes', { password, code }, cookie)
  },
  'POST /me/two-factor/disable': async ({ team }) => {
    const { confirm, cookie } = await withTwoFactor(team)
    const [code] = (await confirm()).body.recoveryCodes as string[]
    return call('POST /me/two-factor/disable', { password, code }, cookie)
  },
  'DELETE /users/{id}/two-factor': async ({ team }) => {
    const { confirm, user } = await withTwoFactor(team)
    await confirm()
    return call(`DELETE /users/${user.id}/two-factor`)
  },
  'PUT /teams/{team}/two-factor': ({ team }) => call(`PUT /teams/${team}/two-factor`, { required: false }),
  'POST /teams': () => call('POST /teams', { name: 'New' }),
  'PATCH /teams/{team}': ({ team }) => call(`PATCH /teams/${team}`, { name: 'Renamed' }),
  'DELETE /teams/{team}': async ({ team }) => {
    const { name } = await berth.platform.db.team.findUniqueOrThrow({ where: { id: team } })
    return call(`DELETE /teams/${team}?confirm=${encodeURIComponent(name)}`)
  },
  'POST /deleted-teams/{team}/restore': async ({ team }) => {
    const { name } = await berth.platform.db.team.findUniqueOrThrow({ where: { id: team } })
    await deleteTeam(berth.platform, owner.viewer, team, { confirm: name })
    return call(`POST /deleted-teams/${team}/restore`)
  },
  'PATCH /teams/{team}/quota': ({ team }) => call(`PATCH /teams/${team}/quota`, { apps: 100 }),
  'POST /teams/{team}/projects': ({ team }) => call(`POST /teams/${team}/projects`, { name: 'New' }),
  'PATCH /teams/{team}/members/{userId}': ({ team, member }) =>
    call(`PATCH /teams/${team}/members/${member.id}`, { role: 'developer' }),
  'DELETE /teams/{team}/members/{userId}': ({ team, member }) =>
    call(`DELETE /teams/${team}/members/${member.id}`),
  'POST /teams/{team}/leave': async ({ team, member }) =>
    call(`POST /teams/${team}/leave`, {}, await cookieOf(member)),
  'POST /teams/{team}/invitations': ({ team }) =>
    call(`POST /teams/${team}/invitations`, { email: 'new@example.com', role: 'viewer' }),
  'DELETE /invitations/{id}': async ({ team }) => {
    const { id } = await invite(berth.platform, operator, team, { email: 'gone@example.com' })
    return call(`DELETE /invitations/${id}`)
  },
  'POST /invitations/accept': async ({ team }) => {
    const guest = await berth.makeUser()
    const { url } = await invite(berth.platform, operator, team, { email: guest.email })
    return call('POST /invitations/accept', { token: tokenOf(url) }, await cookieOf(guest))
  },
  'PATCH /projects/{id}': ({ project }) => call(`PATCH /projects/${project}`, { name: 'Renamed' }),
  'DELETE /projects/{id}': ({ emptyProject }) => call(`DELETE /projects/${emptyProject}`),
  'PUT /projects/{id}/access/{userId}': ({ project, member }) =>
    call(`PUT /projects/${project}/access/${member.id}`, { access: 'developer' }),
  'POST /projects/{id}/apps': ({ project }) => {
    secrets.add('value-of-a-new-app')
    const variables = [{ name: 'KEY', value: 'value-of-a-new-app' }]
    return call(`POST /projects/${project}/apps`, { name: 'New', settings, variables })
  },
  'PATCH /apps/{id}': ({ app }) => call(`PATCH /apps/${app}`, { settings: { replicas: 2 } }),
  'DELETE /apps/{id}': ({ app }) => call(`DELETE /apps/${app}`),
  'PUT /apps/{id}/access': ({ app }) =>
    call(`PUT /apps/${app}/access`, { users: [], addresses: ['203.0.113.0/24'] }),
  'PUT /apps/{id}/alert-rules/{rule}': ({ app }) =>
    call(`PUT /apps/${app}/alert-rules/cpu`, { threshold: 80 }),
  'DELETE /apps/{id}/alert-rules/{rule}': async ({ app }) => {
    await call(`PUT /apps/${app}/alert-rules/memory`, { isEnabled: false })
    return call(`DELETE /apps/${app}/alert-rules/memory`)
  },
  'POST /apps/{id}/scale': async (ids) => {
    await makeLive(ids)
    return call(`POST /apps/${ids.app}/scale`, { replicas: 2 })
  },
  'PUT /apps/{id}/processes/{name}': ({ app }) =>
    call(`PUT /apps/${app}/processes/worker`, { command: ['work'] }),
  'DELETE /apps/{id}/processes/{name}': async ({ app }) => {
    await call(`PUT /apps/${app}/processes/worker`, { command: ['work'] })
    return call(`DELETE /apps/${app}/processes/worker`)
  },
  'POST /apps/{id}/discard-changes': async (ids) => {
    await makeLive(ids)
    await call(`PATCH /apps/${ids.app}`, { settings: { replicas: 3 } })
    return call(`POST /apps/${ids.app}/discard-changes`, {})
  },
  'POST /apps/{id}/stop': async (ids) => {
    await makeLive(ids)
    return call(`POST /apps/${ids.app}/stop`)
  },
  'POST /apps/{id}/start': async (ids) => {
    await makeLive(ids)
    await call(`POST /apps/${ids.app}/stop`)
    return call(`POST /apps/${ids.app}/start`)
  },
  'PATCH /apps/{id}/variables': ({ app }) => {
    secrets.add('value-that-was-set')
    return call(`PATCH /apps/${app}/variables`, { set: [{ name: 'KEY', value: 'value-that-was-set' }] })
  },
  'POST /apps/{id}/variables/import': ({ app }) => {
    secrets.add('value-of-a-file')
    return call(`POST /apps/${app}/variables/import`, { text: 'KEY=value-of-a-file' })
  },
  'POST /apps/{id}/variables/versions/{number}/restore': async ({ app }) => {
    secrets.add('value-that-comes-back')
    const set = (value: string) => call(`PATCH /apps/${app}/variables`, { set: [{ name: 'KEY', value }] })
    await set('value-that-comes-back')
    await set('')
    return call(`POST /apps/${app}/variables/versions/1/restore`)
  },
  'PATCH /environments/{id}/variables': ({ environment }) => {
    secrets.add('value-that-is-shared')
    return call(`PATCH /environments/${environment}/variables`, {
      set: [{ name: 'KEY', value: 'value-that-is-shared' }],
    })
  },
  'POST /environments/{id}/variables/import': ({ environment }) => {
    secrets.add('value-of-a-file')
    return call(`POST /environments/${environment}/variables/import`, { text: 'KEY=value-of-a-file' })
  },
  'POST /environments/{id}/variables/versions/{number}/restore': async ({ environment }) => {
    secrets.add('value-that-comes-back')
    const set = (value: string) =>
      call(`PATCH /environments/${environment}/variables`, { set: [{ name: 'KEY', value }] })
    await set('value-that-comes-back')
    await set('')
    return call(`POST /environments/${environment}/variables/versions/1/restore`)
  },
  'POST /apps/{id}/runs': async (ids) => {
    await makeLive(ids)
    return call(`POST /apps/${ids.app}/runs`, { command: ['true'] })
  },
  'POST /apps/{id}/terminals': async (ids) => {
    const { deployment: deploymentId } = ids
    const container = { id: `${deploymentId}-0`, deploymentId, appId: ids.app, hostId: ids.host }
    await berth.platform.db.container.create({ data: { ...container, replica: 0, state: 'running' } })
    return call(`POST /apps/${ids.app}/terminals`)
  },
  'POST /runs/{id}/cancel': async (ids) => {
    await makeLive(ids)
    const { body } = await call(`POST /apps/${ids.app}/runs`, { command: ['true'] })
    return call(`POST /runs/${body.id}/cancel`)
  },
  'POST /apps/{id}/volumes': ({ app }) => makeVolume(app),
  'PATCH /volumes/{id}': async ({ app }) => {
    const { body } = await makeVolume(app)
    return call(`PATCH /volumes/${body.id}`, { mountPath: '/other' })
  },
  'DELETE /volumes/{id}': async ({ app }) => {
    const { body } = await makeVolume(app)
    return call(`DELETE /volumes/${body.id}`)
  },
  'POST /volumes/{id}/undelete': async ({ app }) => {
    const { body } = await makeVolume(app)
    await call(`DELETE /volumes/${body.id}`)
    return call(`POST /volumes/${body.id}/undelete`)
  },
  'POST /volumes/{id}/snapshots': async ({ app }) => {
    const { body } = await makeVolume(app)
    return call(`POST /volumes/${body.id}/snapshots`, { note: 'before' })
  },
  'DELETE /volume-snapshots/{id}': async ({ app }) =>
    call(`DELETE /volume-snapshots/${await makeVolumeSnapshot(app)}`),
  'POST /volume-snapshots/{id}/restore': async ({ app }) =>
    call(`POST /volume-snapshots/${await makeVolumeSnapshot(app)}/restore`),
  'POST /apps/{id}/cron-jobs': ({ app }) => makeCronJob(app),
  'PATCH /cron-jobs/{id}': async ({ app }) => {
    const { body } = await makeCronJob(app)
    return call(`PATCH /cron-jobs/${body.id}`, { isEnabled: false })
  },
  'DELETE /cron-jobs/{id}': async ({ app }) => {
    const { body } = await makeCronJob(app)
    return call(`DELETE /cron-jobs/${body.id}`)
  },
  'POST /cron-jobs/{id}/run': async (ids) => {
    await makeLive(ids)
    const { body } = await makeCronJob(ids.app)
    return call(`POST /cron-jobs/${body.id}/run`)
  },
  'POST /apps/{id}/ports': ({ app }) => call(`POST /apps/${app}/ports`, { containerPort: 5432 }),
  'PATCH /apps/{id}/ports/{name}': async ({ app }) => {
    const { body } = await call(`POST /apps/${app}/ports`, { containerPort: 5432 })
    return call(`PATCH /apps/${app}/ports/${body.name}`, { containerPort: 5433 })
  },
  'DELETE /apps/{id}/ports/{name}': async ({ app }) => {
    const { body } = await call(`POST /apps/${app}/ports`, { containerPort: 5432 })
    return call(`DELETE /apps/${app}/ports/${body.name}`)
  },
  'POST /apps/{id}/domains': ({ app }) => makeDomain(app),
  'POST /domains/{id}/check': async ({ app }) => {
    const { body } = await makeDomain(app)
    return call(`POST /domains/${body.id}/check`)
  },
  'PATCH /domains/{id}': async ({ app }) => {
    const { body } = await makeDomain(app)
    return call(`PATCH /domains/${body.id}`, { httpsRedirect: true })
  },
  'PUT /domains/{id}/certificate': ({ app }) => bringCertificate(app),
  'POST /domains/{id}/certificate/try': async ({ app }) => {
    const { body } = await makeDomain(app)
    const { project } = await berth.platform.db.app.findUniqueOrThrow({
      where: { id: app },
      select: { project: { select: { teamId: true } } },
    })
    const row = { name: String(body.name), ...project, source: 'acme', status: 'failed' }
    await berth.platform.db.certificate.create({ data: { id: newId('certificate'), ...row } })
    return call(`POST /domains/${body.id}/certificate/try`)
  },
  'DELETE /domains/{id}/certificate': async ({ app }) => {
    const { body } = await bringCertificate(app)
    return call(`DELETE /domains/${body.id}/certificate`)
  },
  'DELETE /domains/{id}': async ({ app }) => {
    const { body } = await makeDomain(app)
    return call(`DELETE /domains/${body.id}`)
  },
  'POST /apps/{id}/deployments': ({ app }) => call(`POST /apps/${app}/deployments`),
  'POST /apps/{id}/builds': ({ app }) => upload(app),
  'PUT /apps/{id}/git-source': ({ app }) => setGitSource(app),
  'DELETE /apps/{id}/git-source': async ({ app }) => {
    await setGitSource(app)
    return call(`DELETE /apps/${app}/git-source`)
  },
  'POST /apps/{id}/git-source/deploy-key': async ({ app }) => {
    await setGitSource(app)
    return call(`POST /apps/${app}/git-source/deploy-key`)
  },
  'POST /apps/{id}/git-source/webhook': async ({ app }) => {
    await setGitSource(app)
    return call(`POST /apps/${app}/git-source/webhook`)
  },
  'POST /apps/{id}/git-source/deploy': async ({ app }) => {
    await setGitSource(app)
    return call(`POST /apps/${app}/git-source/deploy`)
  },
  'POST /deployments/{id}/cancel': ({ deployment }) => call(`POST /deployments/${deployment}/cancel`),
  'POST /deployments/{id}/rollback': async (ids) => {
    await makeLive(ids)
    return call(`POST /deployments/${ids.deployment}/rollback`)
  },
  'POST /teams/{team}/registry-logins': ({ team }) =>
    call(`POST /teams/${team}/registry-logins`, registryLogin()),
  'PATCH /registry-logins/{id}': async ({ team }) =>
    call(`PATCH /registry-logins/${await makeLogin(team)}`, { password: registryPassword }),
  'POST /registry-logins/{id}/test': async ({ team }) =>
    call(`POST /registry-logins/${await makeLogin(team)}/test`),
  'DELETE /registry-logins/{id}': async ({ team }) =>
    call(`DELETE /registry-logins/${await makeLogin(team)}`),
  'POST /teams/{team}/log-drains': ({ team }) => {
    secrets.add('Bearer a-key-of-a-drain')
    const headers = { authorization: 'Bearer a-key-of-a-drain' }
    return call(`POST /teams/${team}/log-drains`, {
      kind: 'http',
      name: 'Logs',
      url: 'https://example.com/',
      headers,
    })
  },
  'PATCH /log-drains/{id}': async ({ team }) =>
    call(`PATCH /log-drains/${await makeDrain(team)}`, { isEnabled: false }),
  'DELETE /log-drains/{id}': async ({ team }) => call(`DELETE /log-drains/${await makeDrain(team)}`),
  'POST /log-drains/{id}/test': async ({ team }) => call(`POST /log-drains/${await makeDrain(team)}/test`),
  'POST /teams/{team}/notification-channels': ({ team }) => {
    secrets.add('a-part-of-a-hook')
    const url = 'https://example.com/a-part-of-a-hook'
    return call(`POST /teams/${team}/notification-channels`, { kind: 'webhook', name: 'Ops', url })
  },
  'PATCH /notification-channels/{id}': async ({ team }) =>
    call(`PATCH /notification-channels/${await makeChannel(team)}`, { isEnabled: false }),
  'DELETE /notification-channels/{id}': async ({ team }) =>
    call(`DELETE /notification-channels/${await makeChannel(team)}`),
  'POST /notification-channels/{id}/test': async ({ team }) =>
    call(`POST /notification-channels/${await makeChannel(team)}/test`),
  'POST /notification-channels/{id}/rotate-secret': async ({ team }) =>
    call(`POST /notification-channels/${await makeChannel(team)}/rotate-secret`),
  'POST /notification-deliveries/{id}/redeliver': async ({ team }) => {
    const [id = ''] = await testChannel(berth.platform, operator, await makeChannel(team))
    await berth.platform.db.notificationDelivery.update({ where: { id }, data: { status: 'failed' } })
    return call(`POST /notification-deliveries/${id}/redeliver`)
  },
  'PATCH /repositories/{id}': ({ repository }) =>
    call(`PATCH /repositories/${repository}`, { isPublic: true }),
  'DELETE /repositories/{id}': ({ repository }) => call(`DELETE /repositories/${repository}`),
  'POST /tokens': () => call('POST /tokens', { name: 'mine' }),
  'DELETE /tokens/{id}': async () => {
    const { id } = await createToken(berth.platform, owner.viewer, { name: 'old' })
    return call(`DELETE /tokens/${id}`)
  },
  'POST /teams/{team}/tokens': ({ team }) => call(`POST /teams/${team}/tokens`, { name: 'ci' }),
  'POST /tokens/{id}/take-over': async ({ team }) => {
    const { id } = await createTeamToken(berth.platform, operator, team, { name: 'robot' })
    return call(`POST /tokens/${id}/take-over`)
  },
  'POST /operator/setup-link': () => call('POST /operator/setup-link', {}, asOperator()),
  'POST /operator/tokens': ({ member }) =>
    call('POST /operator/tokens', { name: 'x', email: member.email }, asOperator()),
  'DELETE /me/identities/{id}': async ({ member }) => {
    const id = newId('identity')
    await berth.platform.db.identity.create({
      data: { id, userId: member.id, issuer: 'https://idp.example', subject: id },
    })
    return call(`DELETE /me/identities/${id}`, undefined, await cookieOf(member))
  },
  'PUT /admin/registration': () => call('PUT /admin/registration', { registration: 'invitation' }),
  'POST /admin/sign-in-providers': () => {
    secrets.add(provider.clientSecret)
    return call('POST /admin/sign-in-providers', { id: 'gh-made', ...provider })
  },
  'PATCH /admin/sign-in-providers/{id}': async () => {
    await call('POST /admin/sign-in-providers', { id: 'gh-changed', ...provider })
    return call('PATCH /admin/sign-in-providers/gh-changed', { name: 'Renamed' })
  },
  'DELETE /admin/sign-in-providers/{id}': async () => {
    await call('POST /admin/sign-in-providers', { id: 'gh-removed', ...provider })
    return call('DELETE /admin/sign-in-providers/gh-removed')
  },
  'PUT /admin/acme': () => call('PUT /admin/acme', acme),
  'DELETE /admin/acme': async () => {
    await call('PUT /admin/acme', acme)
    return call('DELETE /admin/acme')
  },
  'PUT /admin/mail': () => {
    secrets.add('password-of-the-mail-server')
    return call('PUT /admin/mail', { ...mail, user: 'berth', password: 'password-of-the-mail-server' })
  },
  'DELETE /admin/mail': async () => {
    await call('PUT /admin/mail', mail)
    return call('DELETE /admin/mail')
  },
  'POST /admin/mail/test': async () => {
    await call('PUT /admin/mail', mail)
    return call('POST /admin/mail/test', { to: 'somebody@example.com' })
  },
  'PUT /admin/audit/retention': () => call('PUT /admin/audit/retention', { days: 400 }),
  'PATCH /admin/users/{id}': ({ member }) => call(`PATCH /admin/users/${member.id}`, { isAdmin: true }),
  'DELETE /admin/users/{id}': ({ member }) => call(`DELETE /admin/users/${member.id}`),
  'POST /admin/users/{id}/suspend': ({ member }) => call(`POST /admin/users/${member.id}/suspend`),
  'POST /admin/users/{id}/reactivate': async ({ member }) => {
    await call(`POST /admin/users/${member.id}/suspend`)
    return call(`POST /admin/users/${member.id}/reactivate`)
  },
  'POST /admin/users/{id}/reset-link': ({ member }) => call(`POST /admin/users/${member.id}/reset-link`),
  'POST /admin/users/{id}/end-sessions': ({ member }) => call(`POST /admin/users/${member.id}/end-sessions`),
  'DELETE /admin/teams/{id}': async ({ team }) => {
    const { slug } = await berth.platform.db.team.findUniqueOrThrow({ where: { id: team } })
    return call(`DELETE /admin/teams/${team}?confirm=${slug}`)
  },
  'POST /admin/teams/{id}/owners': ({ team, member }) =>
    call(`POST /admin/teams/${team}/owners`, { userId: member.id }),
  'PUT /teams/{team}/image-retention': ({ team }) =>
    call(`PUT /teams/${team}/image-retention`, { retention: { keepLast: 5 } }),
  'POST /admin/registry/collection': () => call('POST /admin/registry/collection'),
  'PUT /admin/hosts/{id}/alert-rules/{rule}': ({ host }) =>
    call(`PUT /admin/hosts/${host}/alert-rules/silent`, { threshold: 10 }),
  'DELETE /admin/hosts/{id}/alert-rules/{rule}': async ({ host }) => {
    await call(`PUT /admin/hosts/${host}/alert-rules/disk`, { forSeconds: 600 })
    return call(`DELETE /admin/hosts/${host}/alert-rules/disk`)
  },
  'POST /admin/hosts/{id}/cordon': ({ host }) => call(`POST /admin/hosts/${host}/cordon`),
  'POST /admin/hosts/{id}/uncordon': async ({ host }) => {
    await call(`POST /admin/hosts/${host}/cordon`)
    return call(`POST /admin/hosts/${host}/uncordon`)
  },
}

/** Routes that are not called here, and why. */
const elsewhere: Record<string, string> = {
  'DELETE /apps/{id}/files': 'needs a host: test/worker/files.test.ts looks for its entry',
  'PUT /apps/{id}/files/content': 'needs a host: test/worker/files.test.ts looks for its entry',
  'POST /apps/{id}/files/folders': 'needs a host: test/worker/files.test.ts looks for its entry',
  'DELETE /volumes/{id}/files': 'needs a host: test/worker/files.test.ts looks for its entry',
  'PUT /volumes/{id}/files/content': 'needs a host: test/worker/files.test.ts looks for its entry',
  'POST /volumes/{id}/files/folders': 'needs a host: test/worker/files.test.ts looks for its entry',
  'POST /repositories/{id}/retention-preview': 'changes nothing: it has a body, so it is no GET',
  'POST /projects/{id}/follow-preview': 'changes nothing: it has a body, so it is no GET',
  'DELETE /repositories/{id}/tags/{tag}':
    'needs a registry: test/registry/repositories.test.ts looks for its entry',
  'DELETE /repositories/{id}/images/{digest}':
    'needs a registry: test/registry/repositories.test.ts looks for its entry',
}

/** What server actions call and no route does. Each is called here, and answers who is to stand in the entry. */
const others: Record<string, (ids: Fixture) => Promise<string>> = {
  async setLocale({ member }) {
    await setLocale(berth.platform, member.viewer, 'zh-CN')
    return `user:${member.id}`
  },
  async resetPassword({ member }) {
    const { url } = await createResetLink(berth.platform, operator, member.id)
    lastCall = { entries: await berth.platform.db.auditEvent.count(), route: 'reset' }
    const wanted = 'four other unlikely words'
    secrets.add(wanted)
    await resetPassword(berth.platform, { token: tokenOf(url), password: wanted }, from)
    return `user:${member.id}`
  },
  async register() {
    const token = randomText(40)
    secrets.add(token)
    await berth.platform.db.installation.upsert({
      where: { id: 'installation' },
      create: { id: 'installation', registration: 'open' },
      update: { registration: 'open' },
    })
    await berth.platform.db.linkRequest.create({
      data: {
        ...{ id: newId('linkRequest'), kind: 'register', email: 'registers@example.com' },
        ...{ tokenHash: sha256(token), expiresAt: new Date(Date.now() + 60_000) },
      },
    })
    const { userId } = await register(berth.platform, { token, name: 'Registers', password })
    return `user:${userId}`
  },
  async joinByInvitation({ team }) {
    // Where letters are sent, the link is in one alone.
    await changeRegistration(berth.platform, operator, { registration: 'invitation' })
    await removeMail(berth.platform, operator)
    const { url } = await invite(berth.platform, operator, team, { email: 'joins@example.com' })
    lastCall = { entries: await berth.platform.db.auditEvent.count(), route: 'join' }
    const token = tokenOf(url)
    const { userId } = await joinByInvitation(berth.platform, { token, name: 'Joins', password })
    return `user:${userId}`
  },
  async claimInstallation() {
    const { url } = await createSetupLink(berth.platform, operator)
    lastCall = { entries: await berth.platform.db.auditEvent.count(), route: 'claim' }
    const person = { name: 'First', email: 'first@example.com', password }
    const { userId } = await claimInstallation(berth.platform, { token: tokenOf(url), ...person })
    return `user:${userId}`
  },
}

/**
 * Platform functions that server actions call and that change nothing. Whoever asks for a link by e-mail, which anybody
 * may for any address, or for a ticket to link an identity, changes nothing either; following it does.
 */
const readers = [
  ...['askRegistration', 'askReset', 'beginLink', 'linkSeconds', 'getProject', 'getTeam', 'listProjects'],
  ...['exportVariables', 'listDomains', 'listVariables'],
  ...['validate', 'withRequestOrigin'],
]

function tokenOf(url: string | null): string {
  const token = new URL(url ?? '').searchParams.get('token') ?? ''
  secrets.add(token)
  return token
}

async function newEntries() {
  const { db } = berth.platform
  const count = (await db.auditEvent.count()) - lastCall.entries
  return db.auditEvent.findMany({ orderBy: { id: 'desc' }, take: count })
}

test('every route that changes something is in the table, or says where else its entry is looked for', async () => {
  const { body } = await berth.nobody('GET /openapi.json')
  const changing = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => method !== 'get')
      .map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(changing.length).toBeGreaterThan(45)
  expect([...Object.keys(uses), ...Object.keys(elsewhere)].sort()).toEqual(changing.sort())
})

describe('leaves an entry', () => {
  for (const [route, use] of Object.entries(uses)) {
    test(route, async () => {
      const answer = await use(await makeFixture())
      expect([answer.status < 300, answer.body?.detail]).toEqual([true, undefined])
      const pattern = route.replaceAll(/\{\w+\}/g, '[^/]+')
      expect(lastCall.route.split('?')[0]).toMatch(new RegExp(`^${pattern}$`))
      const [entry, ...more] = await newEntries()
      expect(entry).toMatchObject({ ...from, actor: expect.stringMatching(/^(user:|operator$)/) })
      expect(more.length).toBeLessThan(3)
    })
  }

  for (const [name, use] of Object.entries(others)) {
    test(name, async () => {
      const ids = await makeFixture()
      lastCall = { entries: await berth.platform.db.auditEvent.count(), route: name }
      const actor = await withRequestOrigin(from, () => use(ids))
      const entries = await newEntries()
      expect(entries.length).toBeGreaterThan(0)
      expect(entries[0]).toMatchObject({ ...from, actor })
    })
  }
})

// After the others: it looks through what they left.
test('no password, token, link, code or value of a variable stands anywhere in the log', async () => {
  expect(secrets.size).toBeGreaterThan(20)
  const log = JSON.stringify(await berth.platform.db.auditEvent.findMany())
  expect(log.length).toBeGreaterThan(10_000)
  expect([...secrets].filter((secret) => log.includes(secret))).toEqual([])
})

test('server actions change things by no other functions than those above', () => {
  const byRoutes = new Set(files('app/api/v1/_routes').flatMap(usedByChangingRoutes))
  expect([...byRoutes]).toEqual(expect.arrayContaining(['deleteTeam', 'createTeamToken', 'setVariables']))
  const byActions = files('app/_actions').flatMap((file) => platformFunctions(file, file))
  expect(byActions.length).toBeGreaterThan(40)
  const known = new Set([...byRoutes, ...Object.keys(others), ...readers])
  expect(byActions.filter((name) => !known.has(name))).toEqual([])
})

function files(folder: string): ts.SourceFile[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const text = readFileSync(join(root, folder, name), 'utf8')
      return ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true)
    })
}

/** Names of the functions of platform/ that are spoken of within the node. */
function platformFunctions(file: ts.SourceFile, within: ts.Node): string[] {
  const imported = new Set<string>()
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement) || !/platform\//.test(statement.moduleSpecifier.getText()))
      continue
    const names = statement.importClause?.namedBindings
    if (names === undefined || !ts.isNamedImports(names)) continue
    // Functions begin with a small letter; so do schemas, which end in this.
    for (const { name, isTypeOnly } of names.elements)
      if (!isTypeOnly && /^[a-z]/.test(name.text) && !/Schema$/.test(name.text)) imported.add(name.text)
  }
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) return
    if (ts.isIdentifier(node) && imported.has(node.text)) found.push(node.text)
    ts.forEachChild(node, visit)
  }
  visit(within)
  return found
}

function calls(node: ts.Node): ts.CallExpression[] {
  const inside: ts.CallExpression[] = []
  const visit = (child: ts.Node): void => {
    if (ts.isCallExpression(child)) inside.push(child)
    ts.forEachChild(child, visit)
  }
  visit(node)
  return inside
}

/** `api.openapi(createRoute({method: 'post', …}), handler)`: what such handlers speak of, with the list that makes several. */
function usedByChangingRoutes(file: ts.SourceFile): string[] {
  return calls(file)
    .filter(({ expression }) => expression.getText() === 'api.openapi')
    .filter(({ arguments: [route] }) => !/method: 'get'/.test(route?.getText() ?? ''))
    .flatMap((call) => {
      const list = ts.findAncestor(call, ts.isForOfStatement)?.expression
      const [, handler] = call.arguments
      return [handler, list].flatMap((node) => (node === undefined ? [] : platformFunctions(file, node)))
    })
}
