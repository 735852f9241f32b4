import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createImages } from '../../../engine/images/create-images.ts'
import type { LayerProgress } from '../../../engine/images/images.ts'
import { createLayerStore } from '../../../engine/images/layer-store.ts'
import { digestOf } from '../../../engine/oci/digest.ts'
import { createSnapshots } from '../../../engine/snapshots/overlay-snapshots.ts'
import { openState, type State } from '../../../engine/state/database.ts'
import { type BuiltImage, buildImage, makeTar, pushImage, type TarEntry } from '../../support/images.ts'
import { freePort, startRegistry, type TestRegistry } from '../../support/registry.ts'

let registry: TestRegistry
const folders: string[] = []

beforeAll(async () => {
  registry = await startRegistry()
})

afterAll(async () => {
  await registry.stop()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

async function open(stateDir = mkdtempSync(join(tmpdir(), 'berth-images-'))) {
  if (!folders.includes(stateDir)) folders.push(stateDir)
  const state: State = openState(stateDir)
  const images = await createImages({ stateDir, state })
  return {
    stateDir,
    state,
    images,
    snapshots: await createSnapshots({ stateDir, state }),
    layersOnDisk: () => readdirSync(join(stateDir, 'layers')).filter((name) => name.length === 64),
    close: async () => {
      await images.close()
      state.close()
    },
  }
}

/** Mounts what was pulled as a container of this id range would see it, and lends the folder. */
async function mounted<T>(
  store: Awaited<ReturnType<typeof open>>,
  layers: string[],
  look: (root: string) => T,
) {
  const target = join(store.stateDir, 'target')
  mkdirSync(target, { recursive: true })
  await store.snapshots.prepare('one', layers)
  await store.snapshots.mount('one', target, { base: 300_000, size: 65_536 })
  try {
    return look(target)
  } finally {
    await store.snapshots.unmount('one', target)
    await store.snapshots.remove('one')
  }
}

describe('pull', () => {
  test('a pulled image is verified, described and mounted with the ids of its container', async () => {
    const { reference, digest } = await pushImage(registry, 'team/app:1', {
      entrypoint: ['/bin/sh'],
      command: ['-c', 'true'],
      env: ['PATH=/bin', 'A=b=c'],
      exposedPorts: [8080, 80],
      user: 'app',
      compress: 'zstd',
    })
    const store = await open()
    const seen: LayerProgress[][] = []
    const image = await store.images.pull(reference, { onProgress: (layers) => seen.push(layers) })
    expect(image).toMatchObject({
      digest,
      references: [reference],
      config: {
        entrypoint: ['/bin/sh'],
        command: ['-c', 'true'],
        environment: { PATH: '/bin', A: 'b=c' },
        exposedPorts: [80, 8080],
        user: 'app',
        stopSignal: 'SIGTERM',
      },
    })
    expect(seen.at(-1)?.map(({ state }) => state)).toEqual(['done'])
    const found = await mounted(store, image.layers, (root) => ({
      root: statSync(root).uid,
      busybox: statSync(join(root, 'bin/busybox')).uid,
      home: statSync(join(root, 'home/app')).uid,
      tmp: statSync(join(root, 'tmp')).mode & 0o7777,
      output: execFileSync(join(root, 'bin/busybox'), ['echo', 'runs']).toString(),
    }))
    expect(found).toEqual({ root: 300_000, busybox: 300_000, home: 301_000, tmp: 0o1777, output: 'runs\n' })
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(store.stateDir)
    await store.close()
  })

  test('what is here is not fetched again, also after a restart, and goes when it is removed', async () => {
    const { reference, digest } = await pushImage(registry, 'team/again:1', { files: { '/one': 'again' } })
    const first = await open()
    await Promise.all([first.images.pull(reference), first.images.pull(reference)])
    await first.close()
    const second = await open(first.stateDir)
    const seen: LayerProgress[][] = []
    await second.images.pull(reference, { onProgress: (layers) => seen.push(layers) })
    expect(seen.flat().every(({ state }) => state === 'exists')).toBe(true)
    expect(second.layersOnDisk()).toHaveLength(2)
    const { reference: sibling } = await pushImage(registry, 'team/sibling:1', {
      files: { '/two': 'sibling' },
    })
    await second.images.pull(sibling)
    expect(second.layersOnDisk()).toHaveLength(3)
    await second.images.remove(digest)
    expect(second.layersOnDisk()).toHaveLength(2)
    await expect(second.images.inspect(digest)).rejects.toMatchObject({ kind: 'not-found' })
    expect(await second.images.inspect(sibling)).toMatchObject({ references: [sibling] })
    await second.close()
  })

  test('an unknown tag, a host that is down and a reference that is none are told apart', async () => {
    const store = await open()
    await expect(store.images.pull(`${registry.host}/team/app:nope`)).rejects.toMatchObject({
      kind: 'not-found',
      message: expect.stringContaining('team/app:nope'),
    })
    await expect(store.images.pull(`localhost:${await freePort()}/team/app`)).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('refuses the connection'),
    })
    await expect(store.images.pull('team/UPPER:x')).rejects.toMatchObject({ kind: 'invalid' })
    await store.close()
  })
})

/** A registry of the test's own that can lie and break off: a hostile neighbour. */
async function serve(
  image: BuiltImage,
  blob: (digest: string, bytes: Buffer, from: number) => { bytes: Buffer; cut?: boolean; status?: number },
  seen: { path: string; authorization: string | undefined; range: string | undefined }[] = [],
  authorize?: (path: string, authorization: string | undefined) => Record<string, string> | null,
): Promise<{ host: string; server: Server; seen: typeof seen }> {
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    seen.push({ path, authorization: request.headers.authorization, range: request.headers.range })
    const refused = authorize?.(path, request.headers.authorization)
    if (refused) return void response.writeHead(401, refused).end()
    if (path.includes('/manifests/')) return void response.end(image.manifest)
    const digest = path.split('/').at(-1) ?? ''
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const whole = image.blobs.get(digest) ?? Buffer.alloc(0)
    const { bytes, cut, status } = blob(digest, whole, from)
    if (status) return void response.writeHead(status).end()
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': String(whole.length - from),
      ...(from > 0 ? { 'content-range': `bytes ${from}-${whole.length - 1}/${whole.length}` } : {}),
    })
    response.write(bytes, () => (cut ? response.socket?.end() : response.end()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, server, seen }
}

describe('a registry that fails', () => {
  test('a download that is cut off goes on where it stopped', async () => {
    const image = await buildImage({})
    const cutAt = 400_000
    let cuts = 0
    const { host, server, seen } = await serve(image, (_digest, bytes, from) =>
      bytes.length > cutAt && cuts++ === 0
        ? { bytes: bytes.subarray(0, cutAt), cut: true }
        : { bytes: bytes.subarray(from) },
    )
    const store = await open()
    await store.images.pull(`${host}/team/cut:1`)
    const ranges = seen.map(({ range }) => range).filter((range) => range !== undefined)
    expect(ranges).toHaveLength(1)
    expect(Number(/bytes=(\d+)-/.exec(ranges[0] ?? '')?.[1])).toBeGreaterThan(0)
    server.close()
    await store.close()
  })

  test('a layer with wrong bytes is refused as corrupt, and nothing of it is visible', async () => {
    const image = await buildImage({ files: { '/x': 'y' } })
    const victim = image.layers[1]?.digest
    const { host, server } = await serve(image, (digest, bytes) => {
      const copy = Buffer.from(bytes)
      if (digest === victim) copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) ^ 1
      return { bytes: copy }
    })
    const store = await open()
    await expect(store.images.pull(`${host}/team/bad:1`)).rejects.toMatchObject({ kind: 'corrupt' })
    expect(await store.images.list()).toEqual([])
    expect(store.layersOnDisk()).toEqual([])
    expect(readdirSync(join(store.stateDir, 'content/ingest'))).not.toContain(victim?.slice(7))
    server.close()
    await store.close()
  })

  test('a layer that is not what its diffID says is refused', async () => {
    const image = await buildImage({ files: { '/x': 'y' } })
    const other = await buildImage({ files: { '/x': 'z' } })
    const lying = JSON.parse(image.manifest.toString())
    lying.layers[1] = { ...lying.layers[1], digest: other.layers[1]?.digest, size: other.layers[1]?.size }
    const mixed = {
      ...image,
      manifest: Buffer.from(JSON.stringify(lying)),
      blobs: new Map([...image.blobs, ...other.blobs]),
    }
    const { host, server } = await serve(mixed, (_digest, bytes) => ({ bytes }))
    const store = await open()
    await expect(store.images.pull(`${host}/team/lie:1`)).rejects.toMatchObject({ kind: 'corrupt' })
    expect(store.layersOnDisk()).toEqual([])
    server.close()
    await store.close()
  })

  test('a pull that is called off ends at once', async () => {
    const image = await buildImage({})
    const server = createServer((request, response) => {
      if (request.url?.includes('/manifests/')) response.end(image.manifest)
      // Blobs never come.
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const store = await open()
    const abort = new AbortController()
    const pull = store.images.pull(`127.0.0.1:${(server.address() as AddressInfo).port}/team/slow:1`, {
      signal: abort.signal,
    })
    setImmediate(() => abort.abort(new Error('called off')))
    await expect(pull).rejects.toThrow('called off')
    server.closeAllConnections()
    server.close()
    await store.close()
  })

  test('credentials go to the registry and its token server, and not to where it redirects', async () => {
    const image = await buildImage({ bare: true, files: { '/x': 'y' } })
    const elsewhere = await serve(image, (_digest, bytes) => ({ bytes }))
    const tokenRequests: (string | undefined)[] = []
    const tokens = createServer((request, response) => {
      tokenRequests.push(request.headers.authorization)
      response.end(JSON.stringify({ token: 'the-token' }))
    })
    await new Promise<void>((resolve) => tokens.listen(0, '127.0.0.1', resolve))
    const realm = `http://127.0.0.1:${(tokens.address() as AddressInfo).port}/token`
    const seen: (string | undefined)[] = []
    const front = createServer((request, response) => {
      seen.push(request.headers.authorization)
      if (request.headers.authorization !== 'Bearer the-token')
        return void response
          .writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="s,x"` })
          .end()
      if (request.url?.includes('/manifests/')) return void response.end(image.manifest)
      response.writeHead(307, { location: `http://${elsewhere.host}${request.url}` }).end()
    })
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
    const store = await open()
    await store.images.pull(`127.0.0.1:${(front.address() as AddressInfo).port}/team/private:1`, {
      credentials: { kind: 'basic', username: 'u', password: 'p' },
    })
    expect(tokenRequests).toEqual([`Basic ${Buffer.from('u:p').toString('base64')}`])
    expect(seen[0]).toBeUndefined()
    expect(new Set(seen.slice(1))).toEqual(new Set(['Bearer the-token']))
    expect(elsewhere.seen.length).toBeGreaterThan(0)
    expect(elsewhere.seen.every(({ authorization }) => authorization === undefined)).toBe(true)
    for (const server of [front, tokens, elsewhere.server]) server.close()
    await store.close()
  })
})

describe('layers', () => {
  async function pullLayers(...tars: TarEntry[][]) {
    const layers = await Promise.all(tars.map(makeTar))
    const name = `team/layers-${Math.random().toString(36).slice(2)}:1`
    const { reference } = await pushImage(registry, name, { bare: true, layers })
    const store = await open()
    return { store, pull: () => store.images.pull(reference) }
  }

  test('whiteouts, opaque folders and implied parents come out as one tree', async () => {
    const { store, pull } = await pullLayers(
      [
        { name: 'keep', type: 'directory', mode: 0o750, uid: 7, gid: 8 },
        { name: 'keep/old', content: 'old' },
        { name: 'gone', content: 'gone' },
        { name: 'full', type: 'directory' },
        { name: 'full/below', content: 'below' },
        { name: 'swap', type: 'directory' },
        { name: 'swap/inside', content: 'x' },
      ],
      [
        { name: 'keep/new', content: 'new' },
        { name: '.wh.gone', content: '' },
        { name: 'full/above', content: 'above' },
        { name: 'full/.wh..wh..opq', content: '' },
        { name: '.wh.swap', content: '' },
        { name: 'swap/other', content: 'y' },
        { name: 'hard', type: 'link', linkname: 'keep/new' },
      ],
    )
    const image = await pull()
    const tree = await mounted(store, image.layers, (root) => ({
      names: readdirSync(root, { recursive: true })
        .map(String)
        .filter((name) => !/^(dev|proc|sys|etc)/.test(name))
        .sort(),
      keep: [statSync(join(root, 'keep')).mode & 0o7777, statSync(join(root, 'keep')).uid - 300_000],
      hard: readFileSync(join(root, 'hard'), 'utf8'),
    }))
    expect(tree).toEqual({
      names: ['full', 'full/above', 'hard', 'keep', 'keep/new', 'keep/old', 'swap', 'swap/other'],
      keep: [0o750, 7],
      hard: 'new',
    })
    await store.close()
  })

  const outside = join(tmpdir(), `berth-outside-${process.pid}`)
  test.each<[string, TarEntry[]]>([
    ['a path that leads up', [{ name: '../../../../../../tmp/x', content: 'x' }]],
    ['a hard link that leads up', [{ name: 'x', type: 'link', linkname: '../../../../etc/passwd' }]],
    ['a hard link to what is not there', [{ name: 'x', type: 'link', linkname: '/etc/passwd' }]],
    ['a whiteout of the folder above', [{ name: 'a/.wh...', content: '' }]],
  ])('%s is refused as corrupt', async (_what, entries) => {
    const { store, pull } = await pullLayers(entries)
    await expect(pull()).rejects.toMatchObject({ kind: 'corrupt' })
    expect(store.layersOnDisk()).toEqual([])
    await store.close()
  })

  test('a link out of the layer leads nowhere: what is written through it stays inside', async () => {
    mkdirSync(outside, { recursive: true })
    folders.push(outside)
    const { store, pull } = await pullLayers([
      { name: 'way', type: 'symlink', linkname: outside },
      { name: 'way/planted', content: 'x' },
      { name: 'dev', type: 'symlink', linkname: outside },
      { name: 'node', type: 'block-device', devmajor: 8, devminor: 0 },
      { name: '/absolute', content: 'x' },
    ])
    const image = await pull()
    expect(readdirSync(outside)).toEqual([])
    await mounted(store, image.layers, (root) => {
      expect(lstatSync(join(root, 'dev')).isDirectory()).toBe(true)
      expect(existsSync(join(root, 'node'))).toBe(false)
      expect(readFileSync(join(root, 'absolute'), 'utf8')).toBe('x')
    })
    await store.close()
  })

  test('a snapshot of 127 layers mounts', async () => {
    const store = await open()
    const layers = await createLayerStore(store.stateDir, store.state)
    const diffIds = Array.from({ length: 127 }, (_, i) => digestOf(`layer ${i}`))
    for (const [i, diffId] of diffIds.entries()) {
      const folder = await layers.stage(diffId)
      writeFileSync(join(folder, `file-${i}`), '')
      await layers.commit(diffId, folder, [], [])
    }
    const names = await mounted(store, diffIds, (root) =>
      readdirSync(root).filter((name) => name.startsWith('file-')),
    )
    expect(names).toHaveLength(127)
    await store.close()
  })
})

test('a state folder has one owner at a time, and says who', async () => {
  const store = await open()
  expect(() => openState(store.stateDir)).toThrow(/owns .*end it first/)
  await store.close()
  openState(store.stateDir).close()
})
