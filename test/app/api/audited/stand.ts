/** What a use of a route begins with: a team of its own with something of everything, and ways to call the API. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encode } from 'next-auth/jwt'
import { createDeployment } from '../../../../platform/deployments.ts'
import { newId } from '../../../../platform/model/ids.ts'
import { signIn } from '../../../../platform/sessions.ts'
import { type HostileRegistry, serve } from '../../../support/hostile-registry.ts'
import { operator, type TestUser } from '../../../support/platform.ts'
import { type Answer, type ApiUnderTest, openApi } from '../client.ts'

/** Who calls, and from where. */
export const from = { address: '198.51.100.7', userAgent: 'audited/1.0' }
export const password = 'correct horse battery'

/** Makes what is needed, and ends with the call of the route itself. */
export type Uses = Record<string, (given: Given) => Promise<Answer>>

export interface Given extends AuditStand {
  team: string
  project: string
  emptyProject: string
  app: string
  environment: string
  deployment: string
  /** Looks on. */
  member: TestUser
  host: string
  repository: string
}

export interface AuditStand {
  berth: ApiUnderTest
  /** Lets everybody in who says who he is. */
  registry: HostileRegistry
  /** Administrator of the installation, and owner of every team. */
  owner: TestUser
  /** What no entry may hold. */
  secrets: Set<string>
  /** From now on entries are new; whoever calls says what. */
  begin(route: string): Promise<void>
  /** What was called last. */
  called(): string
  /** Entries since then, newest first. */
  newEntries(): Promise<object[]>
  /** Calls a route, as the owner by default, and keeps what secrets it answers with. */
  call(route: string, body?: object, headers?: Record<string, string>): Promise<Answer>
  /** An archive is no JSON. */
  upload(path: string, archive: Buffer): Promise<Answer>
  cookieOf(user: TestUser): Promise<Record<string, string>>
  asOperator(): Record<string, string>
  /** The secret at the end of a link. */
  tokenOf(url: string | null): string
  make(): Promise<Given>
  close(): Promise<void>
}

export async function openAuditStand(): Promise<AuditStand> {
  const berth = await openApi({ privateHosts: '127.0.0.1' })
  const registry = await serve((request, response) => {
    response.writeHead(request.headers.authorization ? 200 : 401, {
      'www-authenticate': 'Basic realm="here"',
    })
    response.end()
  })
  writeFileSync(join(berth.config.home, 'registries.json'), JSON.stringify({ [registry.host]: {} }))
  const { db } = berth.platform
  const owner = await berth.makeUser()
  await db.user.update({ where: { id: owner.id }, data: { isAdmin: true } })
  const secrets = new Set<string>([password, 'password-of-a-registry'])
  const sender = { 'x-forwarded-for': from.address, 'user-agent': from.userAgent }
  let last = { entries: 0, route: '' }

  async function cookieOf({ id, email }: TestUser): Promise<Record<string, string>> {
    const { sessionId } = await signIn(berth.platform, { email, password, address: from.address })
    const token = await encode({
      token: { sub: id, sessionId },
      secret: berth.config.readSecret('auth.secret'),
    })
    return { cookie: `berth_7080_session=${token}`, 'sec-fetch-site': 'same-origin' }
  }
  const asOwner = await cookieOf(owner)

  const stand: AuditStand = {
    ...{ berth, registry, owner, secrets, cookieOf },
    async begin(route) {
      last = { entries: await db.auditEvent.count(), route }
    },
    called: () => last.route,
    async newEntries() {
      const count = (await db.auditEvent.count()) - last.entries
      return db.auditEvent.findMany({ orderBy: { id: 'desc' }, take: count })
    },
    async call(route, body, headers = asOwner) {
      await stand.begin(route)
      const answer = await berth.nobody(route, body, { ...headers, ...sender })
      const { secret, url, recoveryCodes } = answer.body ?? {}
      for (const found of [secret, url?.split('token=')[1], ...((recoveryCodes as string[]) ?? [])])
        if (found !== undefined) secrets.add(found)
      return answer
    },
    async upload(path, archive) {
      await stand.begin(`POST ${path}`)
      const response = await berth.fetch(path, {
        method: 'POST',
        headers: { ...asOwner, ...sender, 'content-type': 'application/x-tar' },
        body: new Uint8Array(archive),
      })
      const { status, headers } = response
      return { status, headers, body: (await response.json()) as Answer['body'] }
    },
    asOperator: () => ({ authorization: `Bearer ${berth.config.readSecret('operator.token')}` }),
    tokenOf(url) {
      const token = new URL(url ?? '').searchParams.get('token') ?? ''
      secrets.add(token)
      return token
    },
    async make() {
      const team = (await berth.makeTeam()).id
      await db.membership.upsert({
        where: { teamId_userId: { teamId: team, userId: owner.id } },
        create: { teamId: team, userId: owner.id, role: 'owner' },
        update: { role: 'owner' },
      })
      const member = await berth.makeUser({ teamId: team, role: 'viewer' })
      const app = await berth.makeApp(team)
      const { id: deployment } = await createDeployment(berth.platform, operator, app.id, {})
      const host = newId('host')
      await db.host.create({ data: { id: host, name: host } })
      const repository = newId('repository')
      await db.repository.create({ data: { id: repository, teamId: team, name: 'web' } })
      const emptyProject = (await berth.makeProject(team)).id
      return {
        ...stand,
        ...{ team, emptyProject, member, deployment, host, repository },
        ...{ app: app.id, project: app.projectId, environment: app.environmentId },
      }
    },
    async close() {
      registry.close()
      await berth.close()
    },
  }
  return stand
}

/** As if its worker had brought it up. */
export async function makeLive({ berth, app, deployment }: Given): Promise<void> {
  const { db } = berth.platform
  const imageDigest = `sha256:${'1'.repeat(64)}`
  await db.deployment.update({
    where: { id: deployment },
    data: { status: 'live', liveAt: new Date(), imageDigest },
  })
  await db.app.update({ where: { id: app }, data: { liveDeploymentId: deployment } })
}
