import { afterAll, afterEach, expect, test } from 'vitest'
import { digestOf } from '../../../engine/oci/digest.ts'
import { mediaTypes } from '../../../engine/oci/manifest.ts'
import { hostPlatform } from '../../../engine/sys/host-platform.ts'
import { type HostileRegistry, serve } from '../../support/hostile-registry.ts'
import { openImageStore, removeImageStores } from '../../support/image-store.ts'
import { buildImage } from '../../support/images.ts'

afterAll(removeImageStores)
const servers: HostileRegistry[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

const image = await buildImage({ bare: true, files: { '/x': 'x' } })
const documents = new Map<string, Buffer>()
const kept = (document: unknown) => {
  const bytes = Buffer.from(JSON.stringify(document))
  documents.set(digestOf(bytes), bytes)
  return { digest: digestOf(bytes), size: bytes.length }
}

/** A registry that has `top` under every tag. */
async function registryOf(top: { digest: string }, missing: string[] = []) {
  const server = await serve((request, response) => {
    const name = decodeURIComponent(request.url?.split('/').at(-1) ?? '')
    const wanted = name.startsWith('sha256:') ? name : top.digest
    const bytes = missing.includes(wanted) ? undefined : (documents.get(wanted) ?? image.blobs.get(wanted))
    if (bytes) response.end(bytes)
    else response.writeHead(404).end()
  })
  servers.push(server)
  return server
}

const { architecture } = hostPlatform()
const own = JSON.parse(image.manifest.toString())
documents.set(image.digest, image.manifest)
const entry = (described: object, os: string, arch: string) => ({
  ...described,
  platform: { os, architecture: arch },
})
const leaf = { digest: image.digest, size: image.manifest.length }
const attestation = entry(kept({ schemaVersion: 2, attestation: true }), 'unknown', 'unknown')
const foreign = entry(kept({ schemaVersion: 2, foreign: true }), 'linux', 's390x')

test.each([
  [
    'an OCI index',
    {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [attestation, foreign, entry(leaf, 'linux', architecture)],
    },
  ],
  [
    "Docker's list",
    {
      schemaVersion: 2,
      mediaType: mediaTypes.dockerList,
      manifests: [foreign, entry(leaf, 'linux', architecture)],
    },
  ],
  [
    'an index of an index',
    {
      schemaVersion: 2,
      manifests: [kept({ schemaVersion: 2, manifests: [attestation, entry(leaf, 'linux', architecture)] })],
    },
  ],
])("%s leads to this host's image", async (_what, index) => {
  const server = await registryOf(kept(index))
  const store = await openImageStore()
  expect((await store.images.pull(`${server.host}/app`)).digest).toBe(image.digest)
  await store.close()
})

test("another platform's image is pulled when it is asked for, beside this host's under one index", async () => {
  const config = { architecture: 'arm', os: 'linux', variant: 'v7', rootfs: { type: 'layers', diff_ids: [] } }
  const manifest = { schemaVersion: 2, config: kept(config), layers: [] }
  const other = kept(manifest)
  const arm = { ...other, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } }
  // As buildx writes them: of another platform's image, and under its name.
  const sly = {
    ...arm,
    ...kept({ sly: true }),
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
  }
  const index = kept({
    schemaVersion: 2,
    manifests: [attestation, sly, entry(leaf, 'linux', architecture), arm],
  })
  const server = await registryOf(index)
  const store = await openImageStore()
  const name = `${server.host}/app`
  expect((await store.images.pull(`${name}@${index.digest}`)).digest).toBe(image.digest)
  // By the digest of the index, through which this host's own image is here already.
  for (const platform of ['linux/arm/v7', 'arm'])
    expect((await store.images.pull(`${name}@${index.digest}`, { platform })).digest).toBe(other.digest)
  expect((await store.images.list()).map(({ digest }) => digest).sort()).toEqual(
    [image.digest, other.digest].sort(),
  )
  await expect(store.images.pull(name, { platform: 'linux/riscv64' })).rejects.toMatchObject({
    kind: 'wrong-platform',
    message: `image ${name}:latest has no image for linux/riscv64, only for linux/${architecture}, linux/arm/v7`,
  })
  await expect(store.images.pull(name, { platform: 'a/b/c/d' })).rejects.toMatchObject({ kind: 'invalid' })
  // An image that no index offers says itself what it is for.
  const alone = `${(await registryOf(other)).host}/app`
  expect((await store.images.pull(alone, { platform: 'linux/arm' })).digest).toBe(other.digest)
  await expect(store.images.pull(alone, { platform: 'linux/amd64' })).rejects.toMatchObject({
    kind: 'wrong-platform',
    message: `image ${alone}:latest has no image for linux/amd64, only for linux/arm/v7`,
  })
  await store.close()
})

test("an image in Docker's words is one", async () => {
  const [layer] = own.layers
  const server = await registryOf(
    kept({
      schemaVersion: 2,
      mediaType: mediaTypes.dockerManifest,
      config: { ...own.config, mediaType: 'application/vnd.docker.container.image.v1+json' },
      layers: [{ ...layer, mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip' }],
    }),
  )
  const store = await openImageStore()
  expect((await store.images.pull(`${server.host}/app`)).layers).toEqual(
    image.layers.map(({ diffId }) => diffId),
  )
  await store.close()
})

test('an index that goes round in circles of indexes is refused', async () => {
  let inner = kept({ schemaVersion: 2, manifests: [entry(leaf, 'linux', architecture)] })
  for (let depth = 0; depth < 3; depth++) inner = kept({ schemaVersion: 2, depth, manifests: [inner] })
  const server = await registryOf(inner)
  const store = await openImageStore()
  await expect(store.images.pull(`${server.host}/app`)).rejects.toMatchObject({ kind: 'unsupported' })
  await store.close()
})

test('a layer that names other addresses comes from the registry, or not at all', async () => {
  const trap = await serve((_request, response) => response.end(image.blobs.get(own.layers[0].digest)))
  servers.push(trap)
  const layer = {
    ...own.layers[0],
    mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
    urls: [`http://${trap.host}/layer`],
  }
  const top = kept({ ...own, layers: [layer] })
  const store = await openImageStore()
  const lacking = await registryOf(top, [layer.digest])
  await expect(store.images.pull(`${lacking.host}/app`)).rejects.toMatchObject({
    kind: 'not-found',
    message: expect.stringContaining(`layer ${layer.digest}`),
  })
  const having = await registryOf(top)
  await store.images.pull(`${having.host}/app`)
  expect(trap.seen).toEqual([])
  await store.close()
})
