import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { askSocket } from '../../platform/abstract-socket.ts'
import type { Viewer } from '../../platform/access.ts'
import { createDeployment } from '../../platform/deployments.ts'
import { getImage, listImages, listPushes, listTags } from '../../platform/images.ts'
import type { Team } from '../../platform/model/resources.ts'
import { readManifest } from '../../platform/registry/client.ts'
import { ownToken } from '../../platform/registry/grant.ts'
import { reconcileRegistry } from '../../platform/registry/reconcile.ts'
import { deleteImage, deleteRepository, deleteTag } from '../../platform/registry/remove.ts'
import { applyRetention, previewRetention, setTeamRetention } from '../../platform/registry/retention.ts'
import { syncRepository } from '../../platform/registry/sync.ts'
import { findRepository, listRepositories, updateRepository } from '../../platform/repositories.ts'
import { renameTeam } from '../../platform/teams.ts'
import { createToken } from '../../platform/tokens.ts'
import { buildImage } from '../support/images.ts'
import { pushWithSkopeo } from '../support/oci-layout.ts'
import { operator } from '../support/platform.ts'
import { client, type RegistryStack, startRegistryStack } from '../support/registry-stack.ts'
import { until } from '../support/until.ts'

let berth: RegistryStack
let team: Team
let ada: { viewer: Viewer; email: string; password: string; id: string }

beforeAll(async () => {
  berth = await startRegistryStack({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  team = await berth.makeTeam('Acme')
  ada = await berth.makeUser({ teamId: team.id, role: 'admin' })
})
afterAll(() => berth?.close())

const reference = (name: string) => `${berth.host}/acme/${name}`
const push = (name: string, text: string) =>
  pushWithSkopeo(reference(name), `${ada.email}:${ada.password}`, {
    bare: true,
    files: { 'www/index.html': text },
    history: [{ created_by: `COPY ${text}` }],
  })

/** As the platform knows it, once the registry has told. */
async function repository(name: string, tags: number) {
  return until(`${name} has ${tags} tags`, async () => {
    const found = await findRepository(berth.platform, ada.viewer, team.id, name).catch(() => null)
    return found?.tagCount === tags && found
  })
}

test('a push is seen: repository, tag, digest, platform, size, layers, history and who pushed', async () => {
  await push('shop/web:1', 'one')
  const { id, sizeBytes, isPublic, reference: called } = await repository('shop/web', 1)
  expect([called, isPublic]).toEqual([reference('shop/web'), false])
  const { data: tags } = await listTags(berth.platform, ada.viewer, id)
  const image = await buildImage({
    bare: true,
    files: { 'www/index.html': 'one' },
    history: [{ created_by: 'COPY one' }],
  })
  const user = await berth.platform.db.user.findUniqueOrThrow({ where: { id: ada.id } })
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  expect(tags).toMatchObject([
    {
      name: '1',
      digest: image.digest,
      platforms: [`linux/${architecture}`],
      pushedBy: user.name,
      usedBy: [],
    },
  ])
  const bytes = [...image.blobs.values(), image.manifest].reduce((sum, { length }) => sum + length, 0)
  expect([tags[0]?.sizeBytes, sizeBytes]).toEqual([bytes, bytes])
  const detail = await getImage(berth.platform, ada.viewer, id, image.digest)
  expect(detail).toMatchObject({ kind: 'image', tags: ['1'], looseSince: null, partOf: [] })
  expect(detail.layers.map(({ digest }) => digest)).toEqual(image.layers.map(({ digest }) => digest))
  expect(detail.history).toMatchObject([{ createdBy: 'COPY one', isEmpty: false }])
  expect((await listPushes(berth.platform, ada.viewer, id)).data).toMatchObject([
    { tag: '1', digest: image.digest, pushedBy: user.name },
  ])
  const audit = await berth.platform.db.auditEvent.findMany({ where: { action: 'repository.push' } })
  expect(audit).toMatchObject([{ actor: `user:${ada.id}`, targetName: 'acme/shop/web' }])
  expect((await listRepositories(berth.platform, ada.viewer, team.id)).data).toHaveLength(1)
})

test('images keep their names when their team moves to another address', async () => {
  await push('steadfast:1', 'before')
  await repository('steadfast', 1)
  await renameTeam(berth.platform, ada.viewer, team.id, { slug: 'elsewhere' })
  try {
    await push('steadfast:2', 'after')
    const { reference: called, id } = await repository('steadfast', 2)
    expect(called).toBe(reference('steadfast'))
    expect(await reconcileRegistry(berth.platform, new AbortController().signal)).toEqual([])
    await deleteTag(berth.platform, ada.viewer, id, '1')
    expect(await readManifest(berth.platform, 'acme/steadfast', '1')).toBeNull()
    const entry = { actorUserId: ada.id, action: 'repository.delete-image', targetId: id }
    const [written] = await berth.platform.db.auditEvent.findMany({ where: entry })
    expect(written?.detail).toMatchObject({ tag: '1', force: false })
    await repository('steadfast', 1)
    await deleteRepository(berth.platform, ada.viewer, id, {})
  } finally {
    await renameTeam(berth.platform, ada.viewer, team.id, { slug: 'acme' })
  }
})

test('a tag that moves leaves its image without a name; one that is taken away leaves the other', async () => {
  await push('moving:a', 'first')
  await push('moving:b', 'first')
  const { id } = await repository('moving', 2)
  await deleteTag(berth.platform, ada.viewer, id, 'a')
  await repository('moving', 1)
  expect(await readManifest(berth.platform, 'acme/moving', 'a')).toBeNull()
  expect(await readManifest(berth.platform, 'acme/moving', 'b')).not.toBeNull()
  await push('moving:b', 'second')
  const images = await until('the first image is loose', async () => {
    const { data } = await listImages(berth.platform, ada.viewer, id)
    return data.length === 2 && data.some(({ looseSince }) => looseSince !== null) && data
  })
  expect(images.filter(({ looseSince }) => looseSince === null)).toMatchObject([{ tags: ['b'] }])
})

test('what a deployment runs or can go back to is not deleted unless forced, by the platform or by skopeo', async () => {
  const { platform } = berth
  await push('needed:1', 'needed')
  const { id } = await repository('needed', 1)
  const [tag] = (await listTags(platform, ada.viewer, id)).data
  if (tag === undefined) throw new Error('no tag')
  const app = await berth.makeApp(team.id, { name: 'Shop', settings: { image: reference('needed:1') } })
  const { id: deploymentId } = await createDeployment(platform, operator, app.id, {})
  // A deployment that only waits means the tag; one that was live means the digest.
  const remove = () =>
    deleteTag(platform, ada.viewer, id, '1').then(
      () => 'deleted',
      (error) => error.message,
    )
  expect(await remove()).toBe(
    'Shop (deployment 1) is about to run it. Deploy something else first, or force it.',
  )
  await platform.db.deployment.update({
    where: { id: deploymentId },
    data: { status: 'superseded', liveAt: new Date(), imageDigest: tag.digest },
  })
  expect(await remove()).toContain('can be rolled back to it')
  await expect(deleteImage(platform, ada.viewer, id, tag.digest)).rejects.toMatchObject({ code: 'conflict' })
  await expect(deleteRepository(platform, ada.viewer, id)).rejects.toMatchObject({ code: 'conflict' })
  const creds = ['--creds', `${ada.email}:${ada.password}`, '--tls-verify=false']
  const refused = await client('skopeo', ['delete', ...creds, `docker://${reference('needed:1')}`])
  expect([refused.ok, refused.said]).toEqual([false, expect.stringContaining('can be rolled back to it')])
  expect((await listTags(platform, ada.viewer, id)).data).toMatchObject([
    { usedBy: [{ use: 'rollback', app: { name: 'Shop' }, deployment: 1 }] },
  ])
  expect(await readManifest(platform, 'acme/needed', '1')).not.toBeNull()
  await deleteImage(platform, ada.viewer, id, tag.digest, { force: true })
  expect(await readManifest(platform, 'acme/needed', tag.digest)).toBeNull()
  const entry = { actorUserId: ada.id, action: 'repository.delete-image', targetId: id }
  const [written] = await platform.db.auditEvent.findMany({ where: entry })
  expect(written?.detail).toMatchObject({ digest: tag.digest, force: true })
  await repository('needed', 0)
})

test('a public image that another team’s app runs is not deleted unless forced, and whose app it is stays theirs', async () => {
  const { platform } = berth
  await push('shared:1', 'shared')
  const { id } = await repository('shared', 1)
  await updateRepository(platform, ada.viewer, id, { isPublic: true })
  const rival = await berth.makeTeam('Rival')
  const settings = { image: reference('shared:1') }
  const app = await berth.makeApp(rival.id, { name: 'Secret plans', settings })
  await createDeployment(platform, operator, app.id, {})
  const refused = await deleteTag(platform, ada.viewer, id, '1').then(String, (error) => error.message)
  expect(refused).toBe('An app of another team is about to run it. Deploy something else first, or force it.')
  const { data } = await listTags(platform, ada.viewer, id)
  expect(data[0]?.usedBy).toMatchObject([{ use: 'in-progress', app: null, deployment: null }])
  expect(JSON.stringify(data)).not.toContain('Secret plans')
})

test('anybody pulls from a repository that was made public, and nobody after it is private again', async () => {
  await push('open:1', 'open')
  const { id } = await repository('open', 1)
  const pull = () =>
    client('skopeo', ['inspect', '--tls-verify=false', '--no-creds', `docker://${reference('open:1')}`])
  expect((await pull()).ok).toBe(false)
  await updateRepository(berth.platform, ada.viewer, id, { isPublic: true, description: 'For everybody' })
  const begun = Date.now()
  expect((await pull()).ok).toBe(true)
  const noted = await until('it is known when it was pulled', async () => {
    const { lastPulledAt } = await findRepository(berth.platform, ada.viewer, team.id, 'open')
    return lastPulledAt !== null && Date.parse(lastPulledAt)
  })
  expect(noted).toBeGreaterThanOrEqual(begun)
  expect(noted).toBeLessThanOrEqual(Date.now())
  await updateRepository(berth.platform, ada.viewer, id, { isPublic: false })
  expect((await pull()).ok).toBe(false)
})

test('an event that comes twice, late, or of a tag that moved on changes nothing; a removal cut off is mended', async () => {
  await push('odd:1', 'odd one')
  const { id } = await repository('odd', 1)
  const [tag] = (await listTags(berth.platform, ada.viewer, id)).data
  const tell = (digest: string) =>
    syncRepository(berth.platform, { name: 'acme/odd', digests: [digest], tags: ['1'] })
  expect(await tell(tag?.digest ?? '')).toBe(false)
  expect(await tell(`sha256:${'0'.repeat(64)}`)).toBe(false)
  expect((await listPushes(berth.platform, ada.viewer, id)).data).toHaveLength(1)
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [],
    annotations: { 'berth.tag-removed': 'x' },
  })
  const { secret } = await createToken(berth.platform, ada.viewer, { name: 'ci', role: 'admin' })
  const put = await berth.ask('/v2/acme/odd/manifests/1', {
    method: 'PUT',
    body,
    headers: { 'content-type': 'application/vnd.oci.image.index.v1+json' },
    as: secret,
    scopes: ['repository:acme/odd:pull,push'],
  })
  expect(put.status).toBe(201)
  await repository('odd', 0)
  expect(await readManifest(berth.platform, 'acme/odd', '1')).toBeNull()
})

test('a push that the registry could not tell of is found, also of a repository that nobody knew', async () => {
  const { platform } = berth
  await push('lost:1', 'kept')
  const { id } = await repository('lost', 1)
  const token = await ownToken(platform, 'acme/lost', 'pull', 'push')
  // Nobody is told: what the registry would say again is lost with its process.
  berth.setWeb(false)
  const manifest = await readManifest(platform, 'acme/lost', '1')
  const put = await askSocket(berth.config.registrySocket, '/v2/acme/lost/manifests/2', {
    method: 'PUT',
    body: manifest?.bytes.toString() ?? '',
    headers: { authorization: `Bearer ${token}`, 'content-type': manifest?.mediaType ?? '' },
    signal: AbortSignal.timeout(5_000),
  })
  expect(put.status).toBe(201)
  await berth.restartRegistry()
  berth.setWeb(true)
  expect((await listTags(platform, ada.viewer, id)).data.map(({ name }) => name)).toEqual(['1'])
  const { signal } = new AbortController()
  expect(await reconcileRegistry(platform, signal)).toEqual(['acme/lost'])
  expect((await listTags(platform, ada.viewer, id)).data.map(({ name }) => name).sort()).toEqual(['1', '2'])
  expect(await reconcileRegistry(platform, signal)).toEqual([])
  await platform.db.repository.delete({ where: { id } })
  expect(await reconcileRegistry(platform, signal)).toEqual(['acme/lost'])
  await repository('lost', 2)
})

test('of an app with more deployments than it keeps, the images of the latest are needed and the others may go', async () => {
  const { platform } = berth
  for (const tag of ['1', '2', '3']) await push(`versions:${tag}`, `version ${tag}`)
  const { id } = await repository('versions', 3)
  const { data: tags } = await listTags(platform, ada.viewer, id)
  const settings = { image: reference('versions:1'), keptDeployments: 1 }
  const app = await berth.makeApp(team.id, { name: 'Versions', settings })
  for (const version of [1, 2, 3]) {
    const image = reference(`versions:${version}`)
    const made = await createDeployment(platform, operator, app.id, { image })
    const digest = tags.find(({ name }) => name === String(version))?.digest ?? ''
    const data = { status: 'superseded' as const, liveAt: new Date(version * 1_000), imageDigest: digest }
    await platform.db.deployment.update({ where: { id: made.id }, data })
    await platform.db.app.update({ where: { id: app.id }, data: { liveDeploymentId: made.id } })
  }
  const uses = (await listTags(platform, ada.viewer, id)).data.map(({ name, usedBy }) => [
    name,
    usedBy.map(({ use }) => use),
  ])
  expect(Object.fromEntries(uses)).toEqual({ 1: [], 2: ['rollback'], 3: ['live'] })
  await updateRepository(platform, ada.viewer, id, { retention: { keepTags: ['none'], untaggedDays: 1 } })
  const { tags: planned } = await previewRetention(platform, ada.viewer, id)
  expect(planned.filter(({ keptBy }) => keptBy.length === 0).map(({ name }) => name)).toEqual(['1'])
})

test('rules remove what they don’t keep, by the team’s where a repository has none, and never what is needed', async () => {
  const { platform } = berth
  const { signal } = new AbortController()
  const endPushes = () =>
    platform.db.repository.updateMany({ data: { pushGrantedAt: new Date(Date.now() - 3_600_000) } })
  for (const tag of ['v1', 'v2', 'v3', 'live']) await push(`ruled:${tag}`, tag)
  const { id } = await repository('ruled', 4)
  await push('other:1', 'other one')
  await push('other:2', 'other two')
  const other = await repository('other', 2)
  const { data: tags } = await listTags(platform, ada.viewer, id)
  const live = tags.find(({ name }) => name === 'live')
  await platform.db.imageTag.updateMany({
    where: { repositoryId: id, name: 'live' },
    data: { pushedAt: new Date(0) },
  })
  const app = await berth.makeApp(team.id, { name: 'Ruled', settings: { image: reference('ruled:live') } })
  const { id: deploymentId } = await createDeployment(platform, operator, app.id, {})
  await platform.db.deployment.update({
    where: { id: deploymentId },
    data: { status: 'superseded', liveAt: new Date(), imageDigest: live?.digest ?? '' },
  })
  await setTeamRetention(platform, ada.viewer, team.id, { keepLast: 1 })
  await updateRepository(platform, ada.viewer, id, { retention: { keepTags: ['v2'], untaggedDays: 1 } })
  await expect(
    updateRepository(platform, ada.viewer, id, { retention: { keepTags: ['(x'] } }),
  ).rejects.toMatchObject({ code: 'invalid' })
  const preview = await previewRetention(platform, ada.viewer, id)
  expect(preview.tags.map(({ name, keptBy }) => [name, keptBy.map(({ kind }) => kind)])).toEqual([
    ['v3', []],
    ['v2', ['rule']],
    ['v1', []],
    ['live', ['use']],
  ])
  expect((await previewRetention(platform, ada.viewer, id, null)).tags[0]?.keptBy).toEqual([
    { kind: 'newest', place: 1 },
  ])
  // Somebody may be pushing still.
  expect(await applyRetention(platform, signal)).toEqual({ tags: 0, images: 0 })
  await endPushes()
  // Other tests left repositories of the team, which its rules are for too.
  const gone = await applyRetention(platform, signal)
  expect([gone.tags >= 3, gone.images]).toEqual([true, 0])
  await repository('ruled', 2)
  await repository('other', 1)
  expect(await readManifest(platform, 'acme/ruled', 'v1')).toBeNull()
  expect(await readManifest(platform, 'acme/other', '2')).not.toBeNull()
  // Without a name they stay for a day.
  await platform.db.imageManifest.updateMany({
    where: { repositoryId: id, looseSince: { not: null } },
    data: { looseSince: new Date(Date.now() - 25 * 3_600_000) },
  })
  expect(await applyRetention(platform, signal)).toEqual({ tags: 0, images: 2 })
  const entries = await platform.db.auditEvent.findMany({
    where: { action: 'repository.apply-retention', targetId: { in: [id, other.id] } },
    orderBy: { id: 'asc' },
  })
  expect(entries.map(({ actor, targetName, detail }) => [actor, targetName, detail])).toEqual(
    expect.arrayContaining([
      ['system', 'acme/ruled', expect.objectContaining({ tagCount: 2, tags: ['v3', 'v1'], imageCount: 0 })],
      ['system', 'acme/other', expect.objectContaining({ tagCount: 1, tags: ['1'] })],
      ['system', 'acme/ruled', expect.objectContaining({ tagCount: 0, imageCount: 2 })],
    ]),
  )
  const [settings] = await platform.db.auditEvent.findMany({
    where: { action: 'repository.update', targetId: id },
  })
  expect(settings?.actorUserId).toBe(ada.id)
  await setTeamRetention(platform, ada.viewer, team.id, null)
})

test('a team without room is told so in words, goes on pulling, and pushes again when there is some', async () => {
  const other = await berth.makeTeam('Tight')
  const user = await berth.makeUser({ teamId: other.id, role: 'developer' })
  const basic = { authorization: `Basic ${btoa(`${user.email}:${user.password}`)}` }
  const scope = 'scope=repository:tight/app:pull,push'
  const ask = () => fetch(`http://${berth.host}/api/registry/token?${scope}`, { headers: basic })
  const pushTo = () =>
    pushWithSkopeo(`${berth.host}/tight/app:1`, `${user.email}:${user.password}`, {
      bare: true,
      files: { a: 'b' },
    }).then(
      () => 'pushed',
      () => 'refused',
    )
  await berth.platform.db.team.update({ where: { id: other.id }, data: { maxDiskBytes: 0 } })
  expect(await pushTo()).toBe('refused')
  const refusal = await ask()
  expect([refusal.status, await refusal.json()]).toEqual([
    403,
    { errors: [{ code: 'DENIED', message: expect.stringMatching(/volumes and images may take 0 KiB/) }] },
  ])
  await berth.platform.db.team.update({ where: { id: other.id }, data: { maxDiskBytes: 10_000_000 } })
  expect(await pushTo()).toBe('pushed')
  // Full now: what is there can be pulled still.
  await berth.platform.db.team.update({ where: { id: other.id }, data: { maxDiskBytes: 1 } })
  await until('the push was counted', async () => (await ask()).status === 403)
  const creds = ['--creds', `${user.email}:${user.password}`, '--tls-verify=false']
  expect((await client('skopeo', ['inspect', ...creds, `docker://${berth.host}/tight/app:1`])).ok).toBe(true)
})
