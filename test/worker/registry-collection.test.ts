import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Viewer } from '../../platform/access.ts'
import type { Team } from '../../platform/model/resources.ts'
import { deleteImage, deleteRepository } from '../../platform/registry/remove.ts'
import { registryStorage } from '../../platform/registry/storage.ts'
import { findRepository } from '../../platform/repositories.ts'
import { createToken } from '../../platform/tokens.ts'
import { type CollectTimes, collectRegistry, putBackHeld } from '../../worker/registry/collect.ts'
import { blobFolder, exists, registryFiles } from '../../worker/registry/layout.ts'
import { listAside, moveAside } from '../../worker/registry/trash.ts'
import { buildImage } from '../support/images.ts'
import { pushWithSkopeo } from '../support/oci-layout.ts'
import { client, type RegistryStack, startRegistryStack } from '../support/registry-stack.ts'
import { until } from '../support/until.ts'

let berth: RegistryStack
let team: Team
let ada: { viewer: Viewer; email: string; password: string; id: string }
let secret: string
const { signal } = new AbortController()
const files = () => registryFiles(berth.platform.config.home)

beforeAll(async () => {
  berth = await startRegistryStack({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  team = await berth.makeTeam('Acme')
  ada = await berth.makeUser({ teamId: team.id, role: 'admin' })
  secret = (await createToken(berth.platform, ada.viewer, { name: 'ci', role: 'admin' })).secret
})
afterAll(() => berth?.close())

const collect = (times: Partial<CollectTimes> = {}) =>
  collectRegistry(berth.platform, { signal, times: { blobRestsMs: 0, settleMs: 50, ...times } })

/** As if every token to push had run out. */
const letPushesEnd = () =>
  berth.platform.db.repository.updateMany({
    data: { pushGrantedAt: new Date(Date.now() - 3_600_000), createdAt: new Date(0) },
  })

const push = (name: string, content: Record<string, string | Buffer>) =>
  pushWithSkopeo(`${berth.host}/acme/${name}`, `ci:${secret}`, { bare: true, files: content })

async function pulls(name: string): Promise<boolean> {
  const creds = ['--src-creds', `ci:${secret}`, '--src-tls-verify=false']
  const target = join(berth.platform.config.home, `pulled-${randomBytes(4).toString('hex')}`)
  const source = `docker://${berth.host}/acme/${name}`
  return (await client('skopeo', ['copy', '--insecure-policy', '--all', ...creds, source, `dir:${target}`]))
    .ok
}

const repository = (name: string) =>
  until(`${name} is known`, async () => {
    const found = await findRepository(berth.platform, ada.viewer, team.id, name).catch(() => null)
    return found !== null && found.tagCount > 0 && found
  })

async function bytesOnDisk(folder = join(berth.platform.config.home, 'registry/data')): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  const sizes = entries.flatMap((entry) =>
    entry.isFile() ? [stat(join(entry.parentPath, entry.name)).then(({ size }) => size)] : [],
  )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

const sha256 = (bytes: Buffer | string) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const indexType = 'application/vnd.oci.image.index.v1+json'

const ask = (name: string, path: string, init: RequestInit = {}) =>
  berth.ask(path.startsWith('/v2/') ? path : `/v2/acme/${name}/${path}`, {
    ...init,
    as: secret,
    scopes: [`repository:acme/${name}:pull,push`],
  })

async function upload(name: string, bytes: Buffer): Promise<string> {
  const begun = await ask(name, 'blobs/uploads/', { method: 'POST' })
  const at = `${begun.headers.get('location')}&digest=${sha256(bytes)}`
  const put = await ask(name, at, { method: 'PUT', body: new Uint8Array(bytes) })
  expect(put.status).toBe(201)
  return sha256(bytes)
}

const putManifest = (name: string, tag: string, body: string, type = manifestType) =>
  ask(name, `manifests/${tag}`, { method: 'PUT', body, headers: { 'content-type': type } })

/** An image of this one layer, which is in the repository already. */
async function manifestOf(name: string, layer: Buffer, architecture = 'amd64'): Promise<string> {
  const config = Buffer.from(
    JSON.stringify({ os: 'linux', architecture, rootfs: { type: 'layers', diff_ids: [] } }),
  )
  await upload(name, config)
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: sha256(config),
      size: config.length,
    },
    layers: [
      { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: sha256(layer), size: layer.length },
    ],
  })
}

test('what was deleted leaves the disk; a layer that another repository holds stays, and the same image can come again', async () => {
  const big = randomBytes(3_000_000)
  await push('gone:1', { big, own: 'gone' })
  await push('stays:1', { other: 'stays' })
  const { id } = await repository('gone')
  await repository('stays')
  const { usedBytes } = await registryStorage(berth.platform, ada.viewer, team.id)
  const before = await bytesOnDisk()
  const [manifest] = await berth.platform.db.imageManifest.findMany({ where: { repositoryId: id } })
  await deleteImage(berth.platform, ada.viewer, id, manifest?.digest ?? '')
  // Somebody may push still: nothing goes, and the team still pays for it.
  expect(await collect()).toMatchObject({ heldBack: 1, freedBytes: expect.any(Number) })
  expect(await bytesOnDisk()).toBeGreaterThan(before - 100_000)
  const held = await registryStorage(berth.platform, ada.viewer, team.id)
  expect(held.looseBytes).toBeGreaterThan(3_000_000)
  expect(held.looseBytes + held.usedBytes).toBeLessThanOrEqual(usedBytes)
  await letPushesEnd()
  const collected = await collect()
  expect(collected).toMatchObject({ heldBack: 0 })
  expect(collected?.freedBytes).toBeGreaterThan(3_000_000)
  expect(before - (await bytesOnDisk())).toBeGreaterThan(3_000_000)
  expect((await registryStorage(berth.platform, ada.viewer, team.id)).looseBytes).toBe(0)
  expect(await pulls('stays:1')).toBe(true)
  await push('gone:1', { big, own: 'gone' })
  expect(await pulls('gone:1')).toBe(true)
  await push('twin:1', { big, own: 'gone' })
  const twin = await repository('gone')
  await deleteRepository(berth.platform, ada.viewer, twin.id)
  await letPushesEnd()
  await collect()
  expect(await pulls('twin:1')).toBe(true)
})

test('the platforms of an index stay, with a tag or without; what a deleted index alone named goes', async () => {
  const layers = [randomBytes(200_000), randomBytes(200_000)]
  const manifests: { digest: string; size: number; mediaType: string }[] = []
  for (const [at, layer] of layers.entries()) {
    await upload('multi', layer)
    const body = await manifestOf('multi', layer, at === 0 ? 'amd64' : 'arm64')
    expect((await putManifest('multi', sha256(body), body)).status).toBe(201)
    manifests.push({ digest: sha256(body), size: body.length, mediaType: manifestType })
  }
  const index = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests })
  expect((await putManifest('multi', 'latest', index, indexType)).status).toBe(201)
  await letPushesEnd()
  await collect()
  expect(await pulls('multi:latest')).toBe(true)
  const { id } = await repository('multi')
  await deleteImage(berth.platform, ada.viewer, id, sha256(index))
  await letPushesEnd()
  expect((await collect())?.freedBytes).toBeGreaterThan(400_000)
  for (const { digest } of manifests) expect(await exists(blobFolder(files(), digest))).toBe(false)
})

test('what a push under way relies on stays until its token has run out', async () => {
  const layer = randomBytes(100_000)
  await upload('slow', layer)
  const manifest = await manifestOf('slow', layer)
  expect((await collect())?.heldBack).toBe(1)
  expect((await putManifest('slow', '1', manifest)).status).toBe(201)
  expect(await pulls('slow:1')).toBe(true)
  // Nobody came back for this one.
  const lost = randomBytes(100_000)
  await upload('lost', lost)
  const never = await manifestOf('lost', lost)
  await letPushesEnd()
  await collect()
  const late = await putManifest('lost', '1', never)
  expect([late.status, await late.text()]).toEqual([400, expect.stringContaining('MANIFEST_BLOB_UNKNOWN')])
  await upload('lost', lost)
  expect((await putManifest('lost', '1', await manifestOf('lost', lost))).status).toBe(201)
})

test('an upload under way holds its repository back and is resumed; one that was broken off long ago goes', async () => {
  const before = randomBytes(100_000)
  await upload('halves', before)
  const begun = await ask('halves', 'blobs/uploads/', { method: 'POST' })
  const bytes = randomBytes(300_000)
  const first = await ask('halves', begun.headers.get('location') ?? '', {
    method: 'PATCH',
    body: new Uint8Array(bytes.subarray(0, 100_000)),
    headers: { 'content-type': 'application/octet-stream' },
  })
  expect(first.status).toBe(202)
  const old = join(files().root, 'repositories/acme/halves/_uploads/00000000-0000-4000-8000-000000000000')
  await mkdir(old)
  await writeFile(join(old, 'data'), randomBytes(50_000))
  const longAgo = new Date(Date.now() - 25 * 3_600_000)
  await utimes(join(old, 'data'), longAgo, longAgo)
  await utimes(old, longAgo, longAgo)
  await letPushesEnd()
  expect(await collect()).toMatchObject({ uploadCount: 1, heldBack: 1 })
  expect(await exists(old)).toBe(false)
  const location = `${first.headers.get('location')}&digest=${sha256(bytes)}`
  const rest = new Uint8Array(bytes.subarray(100_000))
  expect((await ask('halves', location, { method: 'PUT', body: rest })).status).toBe(201)
  // The layer that the same push brought first is there still.
  expect((await putManifest('halves', '1', await manifestOf('halves', before))).status).toBe(201)
})

test('pushes at any moment of collections end well, also of what is being collected', async () => {
  const contents = Array.from({ length: 6 }, () => ({ file: randomBytes(150_000) }))
  const pushAll = () => Promise.all(contents.map((content, at) => push(`busy${at}:1`, content)))
  let isPushing = true
  const collecting = (async () => {
    while (isPushing) await collect({ blobRestsMs: 1_000, settleMs: 200 })
  })()
  try {
    for (let round = 0; round < 3; round += 1) {
      await pushAll()
      for (const at of contents.keys()) {
        const { id } = await repository(`busy${at}`)
        await deleteRepository(berth.platform, ada.viewer, id)
      }
    }
    await pushAll()
  } finally {
    isPushing = false
    await collecting
  }
  await collect({ blobRestsMs: 0 })
  const names = contents.map((_, at) => `busy${at}:1`)
  expect(await Promise.all(names.map(pulls))).toEqual(names.map(() => true))
})

test('after a collection that was killed everything can be pulled and pushed, and the next one ends its work', async () => {
  const { platform, environment } = berth
  await push('killed:1', { file: randomBytes(400_000) })
  await push('alive:1', { file: randomBytes(400_000) })
  const { id } = await repository('killed')
  const [manifest] = await platform.db.imageManifest.findMany({ where: { repositoryId: id } })
  await deleteImage(platform, ada.viewer, id, manifest?.digest ?? '')
  await letPushesEnd()
  const child = collectorProcess(environment)
  await until('blobs were moved aside', async () => (await listAside(files())).length > 0)
  child.kill('SIGKILL')
  await once(child, 'exit')
  // And as if it had been killed before it saw that this one is held.
  const image = await repository('alive')
  const [blob] = await platform.db.imageBlob.findMany({ where: { repositoryId: image.id, position: 1 } })
  await moveAside(files(), blob?.digest ?? '')
  expect(await pulls('alive:1')).toBe(false)
  await putBackHeld(files(), signal)
  expect(await pulls('alive:1')).toBe(true)
  expect((await collect())?.freedBytes).toBeGreaterThan(400_000)
  expect(await listAside(files())).toEqual([])
  const again = await buildImage({ bare: true, files: { again: 'x' } })
  await push('killed:2', { again: 'x' })
  expect(await exists(blobFolder(files(), again.digest))).toBe(true)
  expect(await pulls('killed:2')).toBe(true)
})

/** A collection in a process of its own, which waits for a minute with what it moved aside. */
function collectorProcess(environment: Record<string, string | undefined>): ChildProcess {
  const script = `
    import { loadConfig } from './platform/config.ts'
    import { openPlatform } from './platform/open.ts'
    import { collectRegistry } from './worker/registry/collect.ts'
    const platform = await openPlatform(loadConfig(), { part: 'worker' })
    const times = { blobRestsMs: 0, settleMs: 60_000 }
    await collectRegistry(platform, { signal: new AbortController().signal, times })`
  return spawn(process.execPath, ['--input-type=module-typescript', '--eval', script], {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...process.env, ...environment },
    stdio: 'ignore',
  })
}
