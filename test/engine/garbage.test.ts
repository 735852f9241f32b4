import { lstatSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DiskUsage } from '../../engine/garbage.ts'
import { digestHex } from '../../engine/oci/digest.ts'
import { startEngine, type TestEngine } from '../support/engine.ts'
import { type ImageStore, openImageStore, removeImageStores } from '../support/image-store.ts'
import { type ImageSpec, pushImage } from '../support/images.ts'
import { startRegistry, type TestRegistry } from '../support/registry.ts'
import { conformsToGarbage } from './garbage-conformance.ts'

let registry: TestRegistry

beforeAll(async () => {
  registry = await startRegistry()
})

afterAll(async () => {
  await registry.stop()
  removeImageStores()
})

async function pull(store: ImageStore, name: string, spec: ImageSpec = {}) {
  const { reference } = await pushImage(registry, `team/${name}:1`, { files: { '/name': name }, ...spec })
  return store.images.pull(reference)
}

function age({ state }: ImageStore, digest: string, ageMs: number): void {
  const used = state.db.prepare('UPDATE images SET used_at = ? WHERE digest = ?')
  used.run(Date.now() - ageMs, digest)
}

async function withStore<T>(work: (store: ImageStore) => Promise<T>): Promise<T> {
  const store = await openImageStore()
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

conformsToGarbage(
  () => registry,
  async (folder) => {
    const store = await openImageStore(folder)
    return {
      ...store,
      age: (digest, ageMs) => age(store, digest, ageMs),
      lease: (digests) => store.parts.leases.take('work of a test', digests).letGo,
      layers: store.layersOnDisk,
      blobs: () => store.parts.content.list(),
      emptied: () => store.parts.trash.emptied(),
    }
  },
)

test('what was removed is off the disk soon', async () => {
  await withStore(async (store) => {
    await pull(store, 'gone')
    await store.garbage.collect({ unusedForMs: 0, graceMs: 0 })
    await store.parts.trash.emptied()
    expect(readdirSync(join(store.stateDir, 'trash'))).toEqual([])
  })
})

test('usage tells what each image has for itself and shares, and what nobody needs', async () => {
  await withStore(async (store) => {
    const one = await pull(store, 'one', { files: { '/one': Buffer.alloc(300_000, '1') } })
    const two = await pull(store, 'two', { files: { '/two': Buffer.alloc(600_000, '2') } })
    const usage = await store.garbage.usage()
    const of = (digest: string) => usage.images.find((image) => image.digest === digest)
    expect(of(one.digest)?.sharedBytes).toBe(of(two.digest)?.sharedBytes)
    expect(of(two.digest)?.sharedBytes).toBeGreaterThan(500_000)
    expect(of(one.digest)?.uniqueBytes).toBeGreaterThan(300_000)
    expect(of(one.digest)?.uniqueBytes).toBeLessThan(400_000)
    expect(of(two.digest)?.uniqueBytes).toBeGreaterThan(600_000)
    const sum = (of(one.digest)?.sizeBytes ?? 0) + (of(two.digest)?.uniqueBytes ?? 0)
    expect(usage.imageBytes).toBe(sum)
    expect(usage.reclaimableBytes).toBe(sum)
    expect(usage.layers.map(({ images }) => images).sort()).toEqual([1, 1, 2])
    for (const { diffId, sizeBytes } of usage.layers)
      expect(sizeBytes).toBe(bytesOnDisk(join(store.stateDir, 'layers', digestHex(diffId))))
    const blobs = join(store.stateDir, 'content/blobs/sha256')
    const packed = readdirSync(blobs).reduce((bytes, name) => bytes + statSync(join(blobs, name)).size, 0)
    expect(usage.imageBytes).toBe(
      packed + usage.layers.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0),
    )
    const { freedBytes } = await store.garbage.collect({ unusedForMs: 0, graceMs: 0 })
    expect(freedBytes).toBe(sum)
  })
})

/** Blocks, of a file and of folders with all below them: a second way to count. */
function bytesOnDisk(path: string): number {
  const stats = lstatSync(path)
  const below = stats.isDirectory() ? readdirSync(path).map((name) => bytesOnDisk(join(path, name))) : []
  return below.reduce((sum, bytes) => sum + bytes, stats.blocks * 512)
}

/** The same numbers each time, so that what went wrong once goes wrong again. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * below)
  }
}

test('pulls, containers, names, removals and collections at once: what is used stays whole, the rest goes', async () => {
  const host: TestEngine = await startEngine()
  try {
    const { engine } = host
    const references = await Promise.all(
      Array.from({ length: 6 }, async (_, i) => {
        const files = { [`/shared-${i % 3}`]: String(i % 3) }
        const spec = { files, command: ['/bin/cat', '/own'], layers: [] as Buffer[] }
        const own = { ...spec, files: { ...files, '/own': `image ${i}\n` } }
        return (await pushImage(host.registry, `team/busy-${i}:1`, own)).reference
      }),
    )
    const dice = random(20_261_126)
    const pick = <T>(list: T[]): T | undefined => list[dice(list.length)]
    const expected = ['not-found', 'failed-precondition', 'canceled']
    const made = new Map<string, string>()
    let started = 0
    let collected = 0
    const moves = [
      () => engine.images.pull(pick(references) ?? ''),
      async () => {
        const cancel = new AbortController()
        const pulling = engine.images.pull(pick(references) ?? '', { signal: cancel.signal })
        setTimeout(() => cancel.abort(), dice(60))
        await pulling.catch((error: unknown) => {
          if (!cancel.signal.aborted) throw error
        })
      },
      async () => {
        const reference = pick(references) ?? ''
        const image = await engine.images.pull(reference)
        const container = await engine.containers.create(host.spec({ image: image.digest }))
        made.set(container.id, `image ${references.indexOf(reference)}`)
      },
      async () => {
        const id = pick([...made.keys()])
        if (id === undefined) return
        made.delete(id)
        await engine.containers.remove(id, { force: true })
      },
      async () => {
        const id = pick([...made.keys()])
        if (id === undefined) return
        await engine.containers.start(id)
        started++
      },
      () => engine.images.tag(pick(references) ?? '', `mine:${dice(3)}`),
      () => engine.images.remove(pick(references) ?? ''),
      () => engine.images.remove(`mine:${dice(3)}`),
      async () => {
        const { images } = await engine.garbage.collect({ unusedForMs: 0, graceMs: 0 })
        collected += images.length
      },
      () => engine.garbage.collect({ unusedForMs: 0, graceMs: 0, danglingOnly: true }),
    ]
    let steps = 0
    const player = async () => {
      while (steps++ < 120) {
        try {
          await pick(moves)?.()
        } catch (error) {
          if (!expected.includes((error as { kind?: string }).kind ?? '')) throw error
        }
      }
    }
    await Promise.all(Array.from({ length: 4 }, player))
    // Canceled pulls may be gone on with, and what they brought stays for that: go on with all of them.
    for (const reference of references) await engine.images.pull(reference)
    await engine.garbage.collect({ unusedForMs: 0, graceMs: 0 })

    expect(started).toBeGreaterThan(0)
    expect(collected).toBeGreaterThan(0)
    const containers = await engine.containers.list()
    expect(containers.map(({ id }) => id).sort()).toEqual([...made.keys()].sort())
    for (const { id } of containers) {
      const ended = () => engine.containers.wait(id, { signal: AbortSignal.timeout(60_000) })
      await engine.containers.start(id).catch(async () => {
        // It runs at this moment.
        await ended()
        await engine.containers.start(id)
      })
      await ended()
      const lines: string[] = []
      for await (const { text } of engine.containers.logs(id)) lines.push(text)
      // A line at each of its starts.
      expect([...new Set(lines)]).toEqual([made.get(id)])
    }
    const images = await engine.images.list()
    expect(images.map(({ digest }) => digest).sort()).toEqual(
      [...new Set(containers.map(({ image }) => image))].sort(),
    )
    const documents = await Promise.all(images.map(({ digest }) => engine.images.documents(digest)))
    const configs = documents.map(({ manifest }) => JSON.parse(manifest).config.digest)
    const needed = new Set([...images.flatMap(({ digest, blobs }) => [digest, ...blobs]), ...configs])
    const names = (folder: string) => readdirSync(join(host.stateDir, folder)).sort()
    expect(names('content/blobs/sha256')).toEqual([...needed].map(digestHex).sort())
    const diffIds = [...new Set(images.flatMap(({ layers }) => layers))]
    const folders = names('layers').filter((name) => name.length === 64)
    expect(folders).toEqual(diffIds.map(digestHex).sort())
    expect(names('layers/l')).toHaveLength(diffIds.length)
  } finally {
    await host.close()
  }
})

test('usage tells what volumes hold, limited ones too, and what is sparse in them takes nothing', async () => {
  const host = await startEngine()
  try {
    const { engine } = host
    const { idRange } = host.spec({})
    await engine.volumes.create({ name: 'free', idRange })
    await engine.volumes.create({ name: 'limited', idRange, sizeBytes: 64 * 2 ** 20 })
    await engine.volumes.create({ name: 'empty', idRange })
    const before = sizesOf(await engine.garbage.usage())
    const script =
      'for at in /free /limited; do dd if=/dev/zero of=$at/big bs=1024 count=3000; dd if=/dev/zero of=$at/hole bs=1 count=1 seek=9000000; done; sync'
    const { id } = await engine.containers.create(
      host.spec({
        command: ['/bin/sh', '-c', script],
        mounts: ['free', 'limited'].map((volume) => ({
          kind: 'volume' as const,
          volume,
          target: `/${volume}`,
        })),
      }),
    )
    await engine.containers.start(id)
    await engine.containers.wait(id, { signal: AbortSignal.timeout(60_000) })
    const after = sizesOf(await engine.garbage.usage())
    expect(Object.keys(after).sort()).toEqual(['empty', 'free', 'limited'])
    for (const name of ['free', 'limited']) {
      const grown = (after[name] ?? 0) - (before[name] ?? 0)
      expect(grown).toBeGreaterThan(3_000_000)
      expect(grown).toBeLessThan(4_000_000)
    }
    expect(after.empty).toBe(before.empty)
    expect(after.free).toBe(bytesOnDisk(join(host.stateDir, 'volumes/free')))
    await engine.containers.remove(id)
    await engine.volumes.remove('free')
    expect(Object.keys(sizesOf(await engine.garbage.usage())).sort()).toEqual(['empty', 'limited'])
  } finally {
    for (const { id } of await host.engine.containers.list())
      await host.engine.containers.remove(id, { force: true })
    for (const name of ['free', 'limited', 'empty']) await host.engine.volumes.remove(name)
    await host.close()
  }
})

const sizesOf = ({ volumes }: DiskUsage) =>
  Object.fromEntries(volumes.map(({ name, sizeBytes }) => [name, sizeBytes]))

test('usage tells what containers have written', async () => {
  const host = await startEngine()
  try {
    const { engine } = host
    const command = ['/bin/dd', 'if=/dev/zero', 'of=/big', 'bs=1024', 'count=1000']
    const { id, image } = await engine.containers.create(host.spec({ command }))
    await engine.containers.start(id)
    await engine.containers.wait(id)
    const usage = await engine.garbage.usage()
    const [container] = usage.containers
    expect(container).toMatchObject({ id, image })
    expect(container?.writableBytes).toBeGreaterThan(1_000_000)
    expect(container?.logBytes).toBeGreaterThan(0)
    expect(usage.images).toMatchObject([{ digest: image, containers: [id] }])
    expect(usage.reclaimableBytes).toBe(0)
    await expect(engine.images.remove(image, { force: true })).rejects.toThrow(
      `is used by container ${id}: remove that first`,
    )
  } finally {
    await host.close()
  }
})
