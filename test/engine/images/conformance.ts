/** What everything does that keeps images. A new one is a test file that passes a factory. */
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import type { Images } from '../../../engine/images/images.ts'
import { digestHex } from '../../../engine/oci/digest.ts'
import { makeTar, pushImage } from '../../support/images.ts'
import { freePort, type TestRegistry } from '../../support/registry.ts'

export interface ImagesStand {
  /** The same at each call, and the tests of one file share it. */
  images(): Images
  /** Where its images come from. */
  registry(): TestRegistry
}

export function conformsToImages({ images, registry }: ImagesStand): void {
  async function pull(name: string) {
    const pushed = await pushImage(registry(), `team/${name}:1`, { files: { '/name': name } })
    return { ...pushed, built: pushed.image, image: await images().pull(pushed.reference) }
  }

  test('an image has several names; it goes with the last of them', async () => {
    const { reference, image } = await pull('several')
    const tagged = await images().tag(reference, 'mine:2')
    expect(tagged.references).toEqual(['docker.io/library/mine:2', reference].sort())
    expect((await images().inspect('mine:2')).digest).toBe(image.digest)
    expect(await images().remove(reference)).toEqual({ untagged: [reference], deleted: null })
    await expect(images().inspect(reference)).rejects.toMatchObject({ kind: 'not-found' })
    expect(await images().remove('mine:2')).toEqual({
      untagged: ['docker.io/library/mine:2'],
      deleted: image.digest,
    })
    await expect(images().remove('mine:2')).rejects.toMatchObject({ kind: 'not-found' })
  })

  test('by its digest an image with several names goes by force only', async () => {
    const { reference, image } = await pull('forced')
    await images().tag(image.digest, 'other')
    await expect(images().remove(image.digest)).rejects.toThrow('has several names (docker.io/library/other')
    expect(await images().remove(image.digest, { force: true })).toEqual({
      untagged: ['docker.io/library/other:latest', reference].sort(),
      deleted: image.digest,
    })
  })

  test('a name that another image takes leaves the first one without', async () => {
    const [first, second] = [await pull('first'), await pull('second')]
    await images().tag(first.reference, second.reference)
    expect((await images().inspect(second.image.digest)).references).toEqual([])
    expect((await images().inspect(second.reference)).digest).toBe(first.image.digest)
  })

  test('an image is found by the digests of its documents and by first digits, unless several begin so', async () => {
    const { image, built } = await pull('found')
    const digits = digestHex(image.digest)
    for (const key of [digits.slice(0, 12), `sha256:${digits.slice(0, 12)}`, image.digest])
      expect((await images().inspect(key)).digest).toBe(image.digest)
    const config = JSON.parse(built.manifest.toString()).config.digest
    expect((await images().inspect(config)).digest).toBe(image.digest)
    await expect(images().inspect('sha256:abc')).rejects.toMatchObject({ kind: 'not-found' })
  })

  test('its documents are kept byte for byte', async () => {
    const { image, built } = await pull('documents')
    const { manifest, config } = await images().documents(image.digest)
    expect(manifest).toBe(built.manifest.toString())
    expect(config).toBe(built.blobs.get(JSON.parse(manifest).config.digest)?.toString())
    expect(image.blobs).toEqual(built.layers.map(({ digest }) => digest))
  })

  test('its history is told newest first, with the layer of each step; layers without a step stand at the end', async () => {
    const { reference } = await pushImage(registry(), 'team/history:1', {
      files: { '/a': 'a' },
      history: [
        { created: '2026-01-01T00:00:00Z', created_by: 'ADD busybox' },
        { created_by: 'ENV A=b', empty_layer: true, comment: 'nothing in it' },
      ],
    })
    const { layers } = await images().pull(reference)
    const found = await images().history(reference)
    expect(found.map(({ createdBy, comment, layer }) => [createdBy, comment, layer?.diffId ?? null])).toEqual(
      [
        ['', '', layers[1]],
        ['ENV A=b', 'nothing in it', null],
        ['ADD busybox', '', layers[0]],
      ],
    )
    expect(found[2]).toMatchObject({ createdAt: '2026-01-01T00:00:00Z' })
    expect(found[2]?.layer?.sizeBytes).toBeGreaterThan(100_000)
  })

  test('an image that somebody works with cannot be removed, and can afterwards', async () => {
    const { image } = await pull('busy')
    await images().using(image.digest, async ({ digest }) => {
      await expect(images().remove(digest)).rejects.toMatchObject({
        kind: 'failed-precondition',
        message: expect.stringContaining('is being copied, or made into a container'),
      })
    })
    await images().remove(image.digest)
    await expect(images().using(image.digest, async () => {})).rejects.toMatchObject({ kind: 'not-found' })
  })

  test('an unknown tag, a host that is down and a reference that is none are told apart', async () => {
    await expect(images().pull(`${registry().host}/team/app:nope`)).rejects.toMatchObject({
      kind: 'not-found',
      message: expect.stringContaining('team/app:nope'),
    })
    await expect(images().pull(`localhost:${await freePort()}/team/app`)).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('refuses the connection'),
    })
    await expect(images().pull('team/UPPER:x')).rejects.toMatchObject({ kind: 'invalid' })
  })

  test('what is saved is loaded with its digest and the names that were asked for, and what is removed is gone', async () => {
    const { reference, image } = await pull('saved')
    await images().tag(reference, 'saved:mine')
    const archive = await buffer(await images().save(['saved:mine']))
    await images().remove(image.digest, { force: true })
    await expect(images().inspect(reference)).rejects.toMatchObject({ kind: 'not-found' })
    const [loaded] = await images().load(Readable.from([archive]))
    expect(loaded).toMatchObject({ digest: image.digest, references: ['docker.io/library/saved:mine'] })
    await expect(images().load(Readable.from([archive.subarray(0, -2_000)]))).rejects.toMatchObject({
      kind: 'corrupt',
    })
  })

  test('an image is pushed under another name with the same digest, and pulled again by it', async () => {
    const { reference, image } = await pull('pushed')
    const target = reference.replace('pushed', 'pushed-elsewhere')
    expect(await images().push(image.digest, { to: target })).toEqual({
      reference: target,
      digest: image.digest,
    })
    expect((await images().pull(target)).digest).toBe(image.digest)
    await expect(images().push('nothing-here')).rejects.toMatchObject({ kind: 'not-found' })
  })

  test('an image is made of a tar, and another one of it with one more layer; documents say so', async () => {
    const tar = await makeTar([{ name: 'hello', content: 'there' }])
    const config = { command: ['/hello'], environment: { A: 'b' } }
    const made = await images().import(Readable.from([tar]), { reference: 'made:1', config })
    const more = await images().create('made:1', {
      layer: Readable.from([await makeTar([{ name: 'more', content: 'x' }])]),
      config: { user: 'app' },
      reference: 'made:2',
    })
    expect(more.layers).toEqual([made.layers[0], expect.stringMatching(/^sha256:/)])
    expect(more.config).toMatchObject({ ...config, user: 'app' })
    expect((await images().list()).map(({ digest }) => digest)).toEqual(
      expect.arrayContaining([made.digest, more.digest]),
    )
  })

  test('what is called off before it begins fails as its caller said, and leaves no image', async () => {
    const { reference } = await pushImage(registry(), 'team/canceled:1', { files: { '/name': 'canceled' } })
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(images().pull(reference, { signal })).rejects.toThrow('enough')
    await expect(images().inspect(reference)).rejects.toMatchObject({ kind: 'not-found' })
  })
}
