/**
 * What any implementation of the garbage contract keeps to. Another one is another test file that passes its own stand.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Garbage } from '../../engine/garbage.ts'
import type { Images } from '../../engine/images/images.ts'
import { digestHex } from '../../engine/oci/digest.ts'
import { type ImageSpec, pushImage } from '../support/images.ts'
import type { TestRegistry } from '../support/registry.ts'

export interface GarbageStand {
  images: Images
  garbage: Garbage
  /** Makes it look as if an image had been of no use for so long. */
  age(digest: string, ageMs: number): void
  /** Work that counts on these, until the answer is called. */
  lease(digests: string[]): () => void
  /** Names of the unpacked layers that are on disk. */
  layers(): string[]
  /** All packed layers and documents. */
  blobs(): Promise<unknown[]>
  /** Resolves when what was removed takes no room any more. */
  emptied(): Promise<void>
  mounted<T>(layers: string[], look: (root: string) => T): Promise<T>
  close(): Promise<void>
}

const dayMs = 24 * 3_600_000
const mebibyte = 2 ** 20
const smallDiskBytes = 256 * mebibyte

/** @param open on this folder, or on one of its own. */
export function conformsToGarbage(
  registry: () => TestRegistry,
  open: (folder?: string) => Promise<GarbageStand>,
): void {
  async function pull(store: GarbageStand, name: string, spec: ImageSpec = {}, ageMs = 0) {
    const files = { '/name': name }
    const { reference } = await pushImage(registry(), `team/${name}:1`, { files, ...spec })
    const image = await store.images.pull(reference)
    store.age(image.digest, ageMs)
    return image
  }

  async function lent<T>(work: (store: GarbageStand) => Promise<T>): Promise<T> {
    const store = await open()
    try {
      return await work(store)
    } finally {
      await store.close()
    }
  }

  /** Lends one on a small disk of its own, whose fullness nobody else changes. */
  async function lentSmall(work: (store: GarbageStand) => Promise<void>): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'berth-small-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${smallDiskBytes}`, 'tmpfs', folder])
    try {
      const store = await open(folder)
      await work(store).finally(() => store.close())
    } finally {
      execFileSync('umount', [folder])
      rmSync(folder, { recursive: true, force: true })
    }
  }

  /** One layer that takes 16 MiB, packed and unpacked. */
  const filler = (byte: string): ImageSpec => ({
    bare: true,
    compress: 'none',
    files: { '/data': Buffer.alloc(16 * mebibyte, byte) },
  })

  /** The wish for so many bytes more of room than there are now. */
  async function roomFor(store: GarbageStand, bytes: number) {
    const { disk } = await store.garbage.usage()
    const percent = (less: number) => disk.usedPercent - (100 * less) / smallDiskBytes
    return { highPercent: percent(mebibyte), lowPercent: percent(bytes) }
  }

  const left = async (store: GarbageStand) => (await store.images.list()).map(({ digest }) => digest).sort()

  test('images of no use for long go; what is kept, used, worked with or new stays', async () => {
    await lent(async (store) => {
      const old = await pull(store, 'old', {}, 8 * dayMs)
      const kept = await pull(store, 'kept', {}, 8 * dayMs)
      const worked = await pull(store, 'worked', {}, 8 * dayMs)
      const recent = await pull(store, 'recent', {}, 6 * dayMs)
      const fresh = await pull(store, 'fresh')
      const options = { keep: [kept.digest], unusedForMs: 7 * dayMs }
      await store.images.using(worked.digest, async () => {
        store.age(worked.digest, 8 * dayMs)
        const collected = await store.garbage.collect(options)
        expect(collected.images).toEqual([
          { digest: old.digest, references: old.references, reason: 'unused' },
        ])
        expect(collected.layers.map(({ diffId }) => diffId)).toEqual([old.layers[1]])
        expect(collected.freedBytes).toBeGreaterThan(0)
      })
      expect(await left(store)).toEqual([kept.digest, worked.digest, recent.digest, fresh.digest].sort())
      expect(store.layers().sort()).toEqual(
        [kept.layers[0], kept.layers[1], worked.layers[1], recent.layers[1], fresh.layers[1]]
          .map((diffId) => digestHex(diffId ?? ''))
          .sort(),
      )
      // Even when all may go, what was of use within the hour stays: what was kept or worked with until now was.
      await store.garbage.collect({ unusedForMs: 0 })
      expect(await left(store)).toEqual([kept.digest, worked.digest, fresh.digest].sort())
      await store.garbage.collect({ unusedForMs: 0, graceMs: 0 })
      expect([await left(store), store.layers(), await store.blobs()]).toEqual([[], [], []])
    })
  })

  test('a dry run says what would go, and nothing goes', async () => {
    await lent(async (store) => {
      await pull(store, 'dry', {}, dayMs)
      const stays = await pull(store, 'stays')
      const before = [await left(store), store.layers(), await store.blobs()]
      const said = await store.garbage.collect({ unusedForMs: 0, dryRun: true })
      expect([await left(store), store.layers(), await store.blobs()]).toEqual(before)
      const sorted = ({ blobs, ...rest }: typeof said) => ({
        ...rest,
        blobs: blobs.sort((a, b) => a.digest.localeCompare(b.digest)),
      })
      expect(sorted(said)).toEqual(sorted(await store.garbage.collect({ unusedForMs: 0 })))
      expect(said.images).toHaveLength(1)
      expect(await left(store)).toEqual([stays.digest])
    })
  })

  test('only dangling images go, or only those of a label, when that is asked', async () => {
    await lent(async (store) => {
      const named = await pull(store, 'named', { labels: { tier: 'web' } }, dayMs)
      const labelled = await pull(store, 'labelled', { labels: { tier: 'db' } }, dayMs)
      const dangling = await pull(store, 'dangling', {}, dayMs)
      await store.images.tag(named.digest, dangling.references[0] ?? '')
      const collect = async (options: object) =>
        (await store.garbage.collect({ unusedForMs: 0, ...options })).images.map(({ digest }) => digest)
      expect(await collect({ danglingOnly: true })).toEqual([dangling.digest])
      expect(await collect({ labels: { toString: null } })).toEqual([])
      expect(await collect({ labels: { tier: null }, withoutLabels: { tier: 'db' }, dryRun: true })).toEqual([
        named.digest,
      ])
      expect(await collect({ withoutLabels: { tier: null }, dryRun: true })).not.toContain(named.digest)
      expect(await collect({ labels: { tier: 'db' } })).toEqual([labelled.digest])
      expect(await left(store)).toEqual([named.digest])
    })
  })

  test('on a full disk packed layers that a registry has go first, then images, oldest use first, and no more than needed', async () => {
    await lentSmall(async (store) => {
      const oldest = await pull(store, 'oldest', filler('a'), 3 * dayMs)
      const older = await pull(store, 'older', filler('b'), 2 * dayMs)
      const kept = await pull(store, 'kept-full', filler('c'), 4 * dayMs)
      const keep = [kept.digest]
      const { usedPercent } = (await store.garbage.usage()).disk
      const enough = await store.garbage.collect({
        room: { highPercent: usedPercent + 1, lowPercent: 0 },
      })
      expect(enough).toMatchObject({ images: [], blobs: [], freedBytes: 0 })
      const first = await store.garbage.collect({ keep, room: await roomFor(store, 20 * mebibyte) })
      expect(first.images).toEqual([])
      expect(first.blobs.map(({ digest }) => digest).sort()).toEqual([...kept.blobs, ...oldest.blobs].sort())
      await store.emptied()
      const lowPercent = (await store.garbage.usage()).disk.usedPercent - 10
      const second = await store.garbage.collect({ keep, room: { highPercent: lowPercent, lowPercent } })
      expect(second.blobs.map(({ digest }) => digest)).toContain(older.blobs[0])
      expect(second.images.map(({ digest, reason }) => [digest, reason])).toEqual([[oldest.digest, 'room']])
      expect(await left(store)).toEqual([kept.digest, older.digest].sort())
      // Without its packed layer an image still runs.
      await store.mounted(older.layers, (root) => expect(readdirSync(root)).toContain('data'))
      await expect(
        store.garbage.collect({ room: { highPercent: 50, lowPercent: 60 } }),
      ).rejects.toMatchObject({
        kind: 'invalid',
      })
    })
  })

  test('on a full disk packed layers stay that somebody works with or that a lease names, and newer ones go instead', async () => {
    await lentSmall(async (store) => {
      const worked = await pull(store, 'worked-full', filler('d'), 4 * dayMs)
      const leased = await pull(store, 'leased-full', filler('e'), 3 * dayMs)
      const free = await pull(store, 'free-full', filler('f'), 2 * dayMs)
      const letGo = store.lease(leased.blobs)
      await store.images.using(worked.digest, async () => {
        store.age(worked.digest, 4 * dayMs)
        const options = { keep: [leased.digest, free.digest], room: await roomFor(store, 10 * mebibyte) }
        for (const dryRun of [true, false]) {
          const { images, blobs } = await store.garbage.collect({ ...options, dryRun })
          expect([images, blobs.map(({ digest }) => digest)]).toEqual([[], free.blobs])
        }
      })
      letGo()
      await store.emptied()
      store.age(worked.digest, 4 * dayMs)
      // Nobody holds them any more: the next ones are theirs.
      const keep = [worked.digest, leased.digest, free.digest]
      const { blobs } = await store.garbage.collect({ keep, room: await roomFor(store, 20 * mebibyte) })
      expect(blobs.map(({ digest }) => digest).sort()).toEqual([...worked.blobs, ...leased.blobs].sort())
    })
  })

  test('what somebody begins to use while a collection looks around stays', async () => {
    await lentSmall(async (store) => {
      const begun = await pull(store, 'begun', filler('g'), dayMs)
      const leased = await pull(store, 'begun-leased', filler('h'), dayMs)
      const collecting = store.garbage.collect({
        keep: [leased.digest],
        unusedForMs: 0,
        graceMs: 0,
        room: { highPercent: 0, lowPercent: 0 },
      })
      const letGo = store.lease(leased.blobs)
      const { images, layers, blobs } = await store.images.using(begun.digest, () => collecting)
      expect({ images, layers, blobs }).toEqual({ images: [], layers: [], blobs: [] })
      expect(await left(store)).toEqual([begun.digest, leased.digest].sort())
      letGo()
    })
  })

  test('collections at once remove each thing once, and say so once', async () => {
    await lent(async (store) => {
      const old = [await pull(store, 'first', {}, dayMs), await pull(store, 'second', {}, dayMs)]
      const options = { unusedForMs: 0 }
      const all = await Promise.all([1, 2, 3].map(() => store.garbage.collect(options)))
      expect(all.flatMap(({ images }) => images.map(({ digest }) => digest)).sort()).toEqual(
        old.map(({ digest }) => digest).sort(),
      )
      const layers = all.flatMap((collected) => collected.layers.map(({ diffId }) => diffId))
      expect(layers.sort()).toEqual([...new Set(old.flatMap((image) => image.layers))].sort())
      expect([await left(store), store.layers(), await store.blobs()]).toEqual([[], [], []])
    })
  })

  test('a collection that is called off removes nothing', async () => {
    await lent(async (store) => {
      const stays = await pull(store, 'called-off', {}, dayMs)
      const signal = AbortSignal.abort(new Error('called off'))
      await expect(store.garbage.collect({ unusedForMs: 0, signal })).rejects.toThrow('called off')
      expect(await left(store)).toEqual([stays.digest])
      await expect(store.garbage.usage({ signal })).rejects.toThrow('called off')
    })
  })
}
