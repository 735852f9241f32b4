import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Viewer } from '../../platform/access.ts'
import { createApp, getApp, stopApp, updateApp } from '../../platform/apps.ts'
import { createDeployment, listDeployments, rollbackTo } from '../../platform/deployments.ts'
import { followPushes } from '../../platform/follow-pushes.ts'
import { listTags } from '../../platform/images.ts'
import type { App, Deployment, Team } from '../../platform/model/resources.ts'
import { readManifest, writeManifest } from '../../platform/registry/client.ts'
import { reconcileRegistry } from '../../platform/registry/reconcile.ts'
import { deleteTag } from '../../platform/registry/remove.ts'
import { findRepository, updateRepository } from '../../platform/repositories.ts'
import { get } from '../support/edge.ts'
import { pushWithSkopeo } from '../support/oci-layout.ts'
import { operator } from '../support/platform.ts'
import { type RegistryStack, startRegistryStack } from '../support/registry-stack.ts'
import { until } from '../support/until.ts'
import { quickSettings, webServer } from '../support/worker.ts'

let berth: RegistryStack
let team: Team
let ada: { viewer: Viewer; email: string; password: string; id: string }
let name: string

beforeAll(async () => {
  const servers = { postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') }
  berth = await startRegistryStack(servers, { withWorker: true })
  team = await berth.makeTeam('Acme')
  ada = await berth.makeUser({ teamId: team.id, role: 'developer' })
  name = (await berth.platform.db.user.findUniqueOrThrow({ where: { id: ada.id } })).name
}, 60_000)
afterAll(() => berth?.close(), 60_000)

const reference = (image: string) => `${berth.host}/acme/${image}`
const push = (image: string, text: string) =>
  pushWithSkopeo(reference(image), `${ada.email}:${ada.password}`, {
    entrypoint: webServer,
    files: { 'www/index.html': text },
  })
type Follow = NonNullable<App['settings']['follow']>
const makeApp = (image: string, follow: Pick<Follow, 'by' | 'value'> & Partial<Follow>) =>
  berth.makeApp(team.id, { settings: { ...quickSettings, image: reference(image), follow } })
const deployments = async (app: App): Promise<Deployment[]> =>
  (await listDeployments(berth.platform, operator, app.id)).data
const tags = async (app: App) =>
  (await deployments(app)).map(({ image }) => image.split(':').at(-1)).reverse()
const followed = async (app: App) => (await getApp(berth.platform, operator, app.id)).followed
const serves = (app: App, text: string) =>
  until(`${app.name} serves ${text}`, async () => {
    const { body } = await get(berth.config.port, new URL(app.urls[0] ?? '').hostname, { path: '/' })
    return body === text
  })
/** The platform knows the repository's tags, and every app was told of them. */
async function settled(repository: string, count: number): Promise<string> {
  const found = await until(`${repository} has ${count} tags`, async () => {
    const now = await findRepository(berth.platform, operator, team.id, repository).catch(() => null)
    return now?.tagCount === count && now
  })
  await followPushes(berth.platform)
  return found.id
}

test('a push goes live in every app that follows it, which says what came and who pushed it', async () => {
  const shop = await makeApp('shop:1.0.0', { by: 'version', value: '^1.4' })
  const preview = await makeApp('shop:edge', { by: 'tag', value: 'edge' })
  await push('shop:v1.4.2', 'one')
  await serves(shop, 'one')
  const [deployment] = await deployments(shop)
  expect(deployment).toMatchObject({
    trigger: 'push',
    image: reference('shop:v1.4.2'),
    followed: { tag: 'v1.4.2', by: 'version', value: '^1.4', pushedBy: name },
  })
  await push('shop:edge', 'two')
  await serves(preview, 'two')
  expect(await tags(shop)).toEqual(['v1.4.2'])
  const { data } = {
    data: await berth.platform.db.auditEvent.findMany({ where: { targetId: deployment?.id ?? '' } }),
  }
  expect(data).toMatchObject([
    { actor: 'system', action: 'deployment.create', detail: { followed: 'v1.4.2', pushedBy: name } },
  ])
})

test('the highest version wins: an older one, a pre-release, the same digest and a deleted tag do nothing', async () => {
  const app = await makeApp('versions:0', { by: 'version', value: '1.x' })
  await push('versions:1.4.0', 'a')
  await settled('versions', 1)
  await push('versions:1.3.9', 'b')
  await push('versions:1.5.0-rc.1', 'c')
  await push('versions:2.0.0', 'd')
  await push('versions:1.4', 'e')
  await push('versions:1.4.1', 'a')
  const id = await settled('versions', 6)
  expect(await tags(app)).toEqual(['1.4.0'])
  await push('versions:1.6.0', 'f')
  await settled('versions', 7)
  await deleteTag(berth.platform, operator, id, '1.6.0', { force: true })
  await settled('versions', 6)
  expect(await tags(app)).toEqual(['1.4.0', '1.6.0'])
  const asked = await makeApp('versions:0', { by: 'version', value: '1.x', preReleases: true })
  expect((await followed(asked))?.tag).toBe('1.5.0-rc.1')
})

test('of a pattern the last one pushed is meant', async () => {
  const app = await makeApp('nightly:0', { by: 'pattern', value: 'main-*' })
  await push('nightly:main-9', 'a')
  await settled('nightly', 1)
  await push('nightly:feature-1', 'b')
  await push('nightly:main-10', 'c')
  const id = await settled('nightly', 3)
  await deleteTag(berth.platform, operator, id, 'main-10', { force: true })
  await settled('nightly', 2)
  expect(await tags(app)).toEqual(['main-9', 'main-10'])
})

test('a push that nobody told of is found, and one that came while the worker was dead goes live', async () => {
  const app = await makeApp('lost:latest', { by: 'tag', value: 'latest' })
  await push('lost:latest', 'first')
  await push('lost:old', 'first')
  await serves(app, 'first')
  await berth.restartWorker(async () => {
    await push('lost:latest', 'second')
    await until('a deployment waits', async () => (await deployments(app))[0]?.status === 'queued')
  })
  await serves(app, 'second')
  // While nobody listens; and the registry dies with what it has not told yet.
  berth.setWeb(false)
  const old = await readManifest(berth.platform, 'acme/lost', 'old')
  const again = { mediaType: old?.mediaType ?? '', body: old?.bytes.toString() ?? '' }
  await writeManifest(berth.platform, 'acme/lost', 'latest', again)
  await berth.restartRegistry()
  berth.setWeb(true)
  await followPushes(berth.platform)
  expect(await tags(app)).toHaveLength(2)
  expect(await reconcileRegistry(berth.platform, new AbortController().signal)).toContain('acme/lost')
  await followPushes(berth.platform)
  await serves(app, 'first')
  expect(await tags(app)).toEqual(['latest', 'latest', 'latest'])
})

test('an app that is stopped, or follows no more, is left alone; what was there when it began is not deployed', async () => {
  await push('calm:1.0.0', 'a')
  await settled('calm', 1)
  const stopped = await makeApp('calm:1.0.0', { by: 'version', value: '1' })
  const off = await makeApp('calm:1.0.0', { by: 'version', value: '1' })
  const { platform } = berth
  await stopApp(platform, operator, stopped.id)
  await updateApp(platform, operator, off.id, { settings: { follow: null } })
  await push('calm:1.1.0', 'b')
  await settled('calm', 2)
  expect([await tags(stopped), await tags(off), await followed(off)]).toEqual([[], [], null])
  await updateApp(platform, operator, off.id, { settings: { follow: { by: 'version', value: '1' } } })
  await followPushes(platform)
  expect([await tags(off), await followed(off)]).toEqual([[], expect.objectContaining({ tag: '1.1.0' })])
  // Whoever deploys gets what it follows, and whoever goes back stays there.
  const first = await createDeployment(platform, operator, off.id)
  expect(first).toMatchObject({ image: reference('calm:1.1.0'), trigger: 'api', followed: { tag: '1.1.0' } })
  await serves(off, 'b')
  await push('calm:1.2.0', 'c')
  await serves(off, 'c')
  expect(await rollbackTo(platform, operator, first.id)).toMatchObject({
    trigger: 'rollback',
    followed: null,
  })
  await serves(off, 'b')
  await followPushes(platform)
  expect(await tags(off)).toEqual(['1.1.0', '1.2.0', '1.1.0'])
})

test('several pushes in a short time are one deployment after the one under way', async () => {
  const app = await makeApp('quick:1', { by: 'tag', value: '1' })
  const { id } = await createDeployment(berth.platform, operator, app.id)
  await berth.restartWorker(async () => {
    for (const text of ['a', 'b', 'c']) {
      await push('quick:1', text)
      await until(`${text} waits`, async () => {
        const [latest, before] = await deployments(app)
        return (
          latest?.id !== id &&
          latest?.imageDigest === (await followed(app))?.digest &&
          before?.status !== 'queued'
        )
      })
    }
  })
  await serves(app, 'c')
  const ended = await until('all have ended', async () => {
    const statuses = (await deployments(app)).map(({ status }) => status)
    return statuses[0] === 'live' && statuses
  })
  expect(ended.slice(0, 3)).toEqual(['live', 'superseded', 'superseded'])
})

test('what can not be followed is said at the field', async () => {
  const { platform } = berth
  const project = await berth.makeProject(team.id)
  const other = await berth.makeTeam('Other')
  const fieldOf = (image: string, by: Follow['by'], value: string) =>
    createApp(platform, operator, project.id, {
      name: 'Any',
      settings: { image, follow: { by, value } },
    }).then(
      () => 'made',
      (error) => `${error.fields[0]?.path} ${error.fields[0]?.message}`,
    )
  expect(await fieldOf('nginx:1', 'version', 'latest')).toBe(
    'settings.follow.value must be a range of versions such as ^1.4, 1.x or >=2 <3',
  )
  expect(await fieldOf('nginx:1', 'tag', 'a b')).toBe('settings.follow.value must be a tag such as stable')
  expect(await fieldOf(reference('shop:1'), 'pattern', 'v[12]')).toContain(
    'settings.follow.value must be a tag in which *',
  )
  expect(await fieldOf('nginx:1', 'pattern', 'release-*')).toContain(
    "settings.follow.value can't be a pattern",
  )
  expect(await fieldOf(`${berth.host}/${other.imageNamespace}/x:1`, 'tag', '1')).toContain(
    'settings.follow can follow repositories of the team (…/acme/…)',
  )
})

test('a team runs nothing of another’s: neither by its name, nor by a digest that the host has', async () => {
  const { platform } = berth
  const rival = await berth.makeTeam('Rival')
  const eve = await berth.makeUser({ teamId: rival.id, role: 'developer' })
  await push('vault:1', 'secret')
  const vault = await settled('vault', 1)
  const own = await berth.makeApp(team.id, { settings: { ...quickSettings, image: reference('vault:1') } })
  await createDeployment(platform, ada.viewer, own.id)
  await serves(own, 'secret')
  const { imageDigest } = (await deployments(own))[0] ?? {}
  await until('the repository says that it is live', async () => {
    const [tag] = (await listTags(platform, ada.viewer, vault)).data
    return tag?.usedBy[0]?.use === 'live'
  })
  const thief = await berth.makeApp(rival.id, { settings: { ...quickSettings, image: 'nowhere.test/x:1' } })
  const deploy = (image: string) => createDeployment(platform, eve.viewer, thief.id, { image })
  const named = [reference('vault:1'), reference(`vault@${imageDigest}`), reference('no-such:1')]
  for (const image of named)
    await expect(deploy(image)).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringMatching(/another team's and private, or does not exist/),
    })
  // A repository of her own, which the digest is not in.
  await pushWithSkopeo(`${berth.host}/rival/own:1`, `${eve.email}:${eve.password}`, {
    bare: true,
    files: { a: 'b' },
  })
  const ended = (id: string) =>
    until('the deployment ended', async () => {
      const deployment = (await deployments(thief)).find((one) => one.id === id)
      return (deployment?.finishedAt ?? null) !== null && deployment
    })
  const { id } = await deploy(`${berth.host}/rival/own@${imageDigest}`)
  expect(await ended(id)).toMatchObject({ status: 'failed', failure: { code: 'image-not-found' } })
  await updateRepository(platform, operator, vault, { isPublic: true })
  await deploy(reference(`vault@${imageDigest}`))
  await serves(thief, 'secret')
  // The right is there when it is asked for, and not when the worker comes to it.
  await berth.restartWorker(async () => {
    await deploy(reference(`vault@${imageDigest}`))
    await updateRepository(platform, operator, vault, { isPublic: false })
  })
  const [late] = await deployments(thief)
  expect(await ended(late?.id ?? '')).toMatchObject({
    status: 'failed',
    failure: { code: 'image-access-denied' },
  })
})
