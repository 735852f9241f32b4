import { createCronJob } from '../../platform/cron-jobs.ts'
import { createDeployment } from '../../platform/deployments.ts'
import { addDomain } from '../../platform/domains/domains.ts'
import { setGitSource } from '../../platform/git/source.ts'
import { invite } from '../../platform/invitations.ts'
import { createDrain } from '../../platform/log-drains/drains.ts'
import { newId } from '../../platform/model/ids.ts'
import type { App } from '../../platform/model/resources.ts'
import { createChannel, testChannel } from '../../platform/notifications/channels.ts'
import { publishPort } from '../../platform/ports/ports.ts'
import { passwordContext } from '../../platform/registries/pull-login.ts'
import { createRun } from '../../platform/runs.ts'
import { seal } from '../../platform/secrets.ts'
import { createProvider } from '../../platform/sign-in/providers.ts'
import { createTeamToken } from '../../platform/tokens.ts'
import { setVariables } from '../../platform/variables.ts'
import { createVolumeSnapshot } from '../../platform/volume-snapshots.ts'
import { createVolume } from '../../platform/volumes.ts'
import { operator, type TestPlatform } from '../support/platform.ts'

/** Ids of one of everything that a route or an action can be about, all in one team. */
export interface Things {
  team: string
  project: string
  emptyProject: string
  /** Live, as far as anybody can tell, with a Git source, and variables of its own and of its environment that can be put back. */
  app: string
  environment: string
  deployment: string
  domain: string
  /** Name of one of the app's. */
  port: string
  run: string
  cronJob: string
  volume: string
  /** Of the volume; it is ready. */
  volumeSnapshot: string
  member: string
  invitation: string
  teamToken: string
  provider: string
  channel: string
  drain: string
  /** Of the channel; it failed. */
  delivery: string
  login: string
  repository: string
  /** One that nothing runs on. */
  host: string
}

type Name = keyof Things

/** Those in which a member may have another role than in the team. */
const inProjects = [
  'project',
  'emptyProject',
  'app',
  'environment',
  'deployment',
  'domain',
  'port',
  'run',
  'cronJob',
  'volume',
  'volumeSnapshot',
]

/** Of the image that the repository's tag 1 names. */
export const digest = `sha256:${'1'.repeat(64)}`

/** Which things `read` looks at. It may look at them, and do nothing else. */
export function namesIn(read: (things: Things) => unknown): Set<Name> {
  const names = new Set<Name>()
  const get = (_: object, name: string) => {
    names.add(name as Name)
    return name
  }
  read(new Proxy({}, { get }) as Things)
  return names
}

export function isInProject(read: (things: Things) => unknown): boolean {
  return [...namesIn(read)].some((name) => inProjects.includes(name))
}

export interface ThingsMaker {
  /** What `read` makes of the things that it looks at. Those that are not there yet are made first, and no others. */
  for<Result>(read: (things: Things) => Result): Promise<Result>
  /** Something was done to them: the next call gets new ones. */
  renew(): void
}

/** `onProject`: for each project that is made, such as to give people their roles in it. */
export function thingsOf(
  berth: TestPlatform,
  team: string,
  onProject: (projectId: string) => Promise<void> = async () => {},
): ThingsMaker {
  const { platform } = berth
  let last = 0
  let made = new Map<Name | 'app itself', Promise<unknown>>()

  function once<Made>(name: Name | 'app itself', make: () => Promise<Made>): Promise<Made> {
    const present = made.get(name) as Promise<Made> | undefined
    const found = present ?? make()
    made.set(name, found)
    return found
  }
  const get = (name: Name) => once(name, makers[name])
  const theApp = () =>
    once('app itself', async () => {
      const settings = { processes: { worker: { command: ['true'] } } }
      const app = await berth.makeApp(team, { name: `Fixture ${++last}`, settings })
      await onProject(app.projectId)
      return app
    })
  const ofApp = (read: (app: App) => string) => async () => read(await theApp())

  const makers: Record<Name, () => Promise<string>> = {
    team: async () => team,
    project: ofApp(({ projectId }) => projectId),
    environment: async () => {
      const { environmentId } = await theApp()
      await setVariables(platform, operator, { environmentId }, { set: [{ name: 'KEY', value: 'x' }] })
      return environmentId
    },
    async emptyProject() {
      const { id } = await berth.makeProject(team)
      await onProject(id)
      return id
    },
    async app() {
      const { id } = await theApp()
      await setVariables(platform, operator, { appId: id }, { set: [{ name: 'KEY', value: 'x' }] })
      await setGitSource(platform, operator, id, { address: 'git@9.9.9.9:acme/shop.git' })
      await get('deployment')
      return id
    },
    async deployment() {
      const app = await theApp()
      const { id } = await createDeployment(platform, operator, app.id, {})
      await platform.db.app.update({ where: { id: app.id }, data: { liveDeploymentId: id } })
      return id
    },
    domain: async () =>
      (await addDomain(platform, operator, await get('app'), { name: `fixture-${++last}.test` })).id,
    port: async () => (await publishPort(platform, operator, await get('app'), { containerPort: 5432 })).name,
    run: async () => (await createRun(platform, operator, await get('app'), { command: ['true'] })).id,
    async cronJob() {
      const input = { name: 'Fixture', schedule: '0 3 * * *', command: ['true'] }
      return (await createCronJob(platform, operator, await get('app'), input)).id
    },
    async volume() {
      const input = { name: `data-${++last}`, mountPath: `/data-${last}`, sizeBytes: 2 ** 24 }
      return (await createVolume(platform, operator, await get('app'), input)).id
    },
    async volumeSnapshot() {
      const { id } = await createVolumeSnapshot(platform, operator, await get('volume'))
      await platform.db.volumeSnapshot.update({ where: { id }, data: { status: 'ready' } })
      return id
    },
    member: async () => (await berth.makeUser({ teamId: team, role: 'viewer' })).id,
    async invitation() {
      // A team has only so many open ones.
      await platform.db.invitation.updateMany({ where: { teamId: team }, data: { revokedAt: new Date() } })
      return (await invite(platform, operator, team, { email: `guest${++last}@example.com` })).id
    },
    teamToken: async () => (await createTeamToken(platform, operator, team, { name: 'robot' })).id,
    async provider() {
      const input = { kind: 'github', name: 'GitHub', clientId: 'x', clientSecret: 'x' } as const
      return (await createProvider(platform, operator, { id: `gh-${++last}`, ...input })).id
    },
    async drain() {
      await platform.db.logDrain.deleteMany({ where: { teamId: team } })
      // An address of this machine, which is refused at once: nobody is asked.
      const input = { kind: 'http', name: `Drain ${++last}`, url: 'http://127.0.0.1:9/' } as const
      return (await createDrain(platform, operator, team, input)).id
    },
    async channel() {
      // And only so many of these.
      await platform.db.notificationChannel.deleteMany({ where: { teamId: team } })
      const input = { kind: 'webhook', name: `Ops ${++last}`, url: 'https://example.com/hook' } as const
      return (await createChannel(platform, operator, team, input)).id
    },
    async delivery() {
      const [id = ''] = await testChannel(platform, operator, await get('channel'))
      await platform.db.notificationDelivery.update({ where: { id }, data: { status: 'failed' } })
      return id
    },
    async login() {
      const id = newId('registry-login')
      const sealedPassword = seal(platform.keyring, 'x', passwordContext(id))
      const where = { host: 'registry.invalid', prefix: `fixture-${++last}`, username: 'ada' }
      const data = { id, teamId: team, ...where, sealedPassword, createdBy: 'Ada' }
      await platform.db.registryLogin.create({ data })
      return id
    },
    async repository() {
      const id = newId('repository')
      const manifest = { digest, mediaType: 'application/vnd.oci.image.index.v1+json', sizeBytes: 2 }
      const content = { manifests: { create: manifest }, tags: { create: { name: '1', digest } } }
      await platform.db.repository.create({
        data: { id, teamId: team, name: `fixture-${++last}`, ...content },
      })
      return id
    },
    async host() {
      const id = newId('host')
      await platform.db.host.create({ data: { id, name: id } })
      return id
    },
  }

  return {
    async for(read) {
      const names = [...namesIn(read)]
      const ids = await Promise.all(names.map(async (name) => [name, await get(name)] as const))
      return read(Object.fromEntries(ids) as unknown as Things)
    },
    renew() {
      made = new Map()
    },
  }
}
