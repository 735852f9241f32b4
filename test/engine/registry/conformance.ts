/** What every registry client promises (engine/registry/registry.ts), against a real registry. */
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { digestOf } from '../../../engine/oci/digest.ts'
import { mediaTypes } from '../../../engine/oci/manifest.ts'
import type { RegistryClient, Repository } from '../../../engine/registry/registry.ts'

export interface RegistryGiven {
  client: () => RegistryClient
  /** Host of a registry that the client can reach and that lets everybody do everything. */
  registry: () => string
}

let repositories = 0

export function conformsToRegistry({ client, registry }: RegistryGiven): void {
  const fresh = (): Repository => ({ registry: registry(), repository: `conformance/r${++repositories}` })
  const at = (repository: Repository, tag: string | null, digest: string | null = null) => ({
    ...repository,
    tag,
    digest,
  })
  const blobOf = (bytes: Buffer) => ({
    digest: digestOf(bytes),
    size: bytes.length,
    open: (offset: number) => Readable.from([bytes.subarray(offset)]),
  })

  /** An image without layers under a tag. */
  async function pushed(repository: Repository, tag: string) {
    const config = Buffer.from(JSON.stringify({ os: 'linux', made: randomBytes(8).toString('hex') }))
    await client().uploadBlob(repository, blobOf(config))
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: {
          mediaType: 'application/vnd.oci.image.config.v1+json',
          digest: digestOf(config),
          size: config.length,
        },
        layers: [],
      }),
    )
    const document = { mediaType: mediaTypes.ociManifest, bytes: manifest }
    const digest = await client().putManifest(at(repository, tag), document)
    expect(digest).toBe(digestOf(manifest))
    return { config, manifest, document, digest }
  }

  test('what was stored under a tag is found by the tag and by its digest, byte for byte', async () => {
    const repository = fresh()
    const { manifest, digest, config } = await pushed(repository, 'one')
    expect(await client().resolve(at(repository, 'one'))).toBe(digest)
    for (const reference of [
      at(repository, 'one'),
      at(repository, null, digest),
      at(repository, 'x', digest),
    ])
      expect(await client().fetchManifest(reference)).toEqual({
        digest,
        mediaType: mediaTypes.ociManifest,
        bytes: manifest,
      })
    const blob = { digest: digestOf(config), size: config.length }
    expect(await client().fetchDocument(repository, blob)).toEqual(config)
  })

  test('a tag means what it was last given, and the same twice changes nothing', async () => {
    const repository = fresh()
    const first = await pushed(repository, 'moves')
    const second = await pushed(repository, 'moves')
    expect(await client().resolve(at(repository, 'moves'))).toBe(second.digest)
    expect(await client().putManifest(at(repository, 'moves'), second.document)).toBe(second.digest)
    expect((await client().fetchManifest(at(repository, null, first.digest))).bytes).toEqual(first.manifest)
  })

  test('a manifest without a tag is stored by its digest', async () => {
    const repository = fresh()
    const { document, digest } = await pushed(repository, 'tagged')
    expect(await client().putManifest(at(repository, null), document)).toBe(digest)
    expect(await client().listTags(repository)).toEqual(['tagged'])
  })

  test('a blob is uploaded, found, and read from any byte on', async () => {
    const repository = fresh()
    const bytes = randomBytes(200_000)
    const blob = blobOf(bytes)
    expect(await client().blobExists(repository, blob.digest)).toBe(false)
    const told: number[] = []
    await client().uploadBlob(repository, blob, { onBytes: (done) => told.push(done) })
    expect(told.at(-1)).toBe(bytes.length)
    expect(await client().blobExists(repository, blob.digest)).toBe(true)
    for (const offset of [0, 1, 199_999, 200_000]) {
      const { stream, from } = await client().openBlob(repository, blob, { offset })
      expect((await buffer(stream)).equals(bytes.subarray(offset))).toBe(true)
      expect(from).toBe(offset === bytes.length ? '' : registry())
    }
    await client().uploadBlob(repository, blob)
  })

  test('a blob of another repository is made this one’s without its bytes, or not at all', async () => {
    const [from, to] = [fresh(), fresh()]
    const blob = blobOf(randomBytes(1_000))
    await client().uploadBlob(from, blob)
    expect(await client().mountBlob(to, blob.digest, from.repository)).toBe(true)
    expect(await client().blobExists(to, blob.digest)).toBe(true)
    const nowhere = digestOf(Buffer.from('nowhere'))
    expect(await client().mountBlob(to, nowhere, from.repository)).toBe(false)
    expect(await client().blobExists(to, nowhere)).toBe(false)
  })

  test('bytes that are not their digest’s are refused', async () => {
    const repository = fresh()
    const blob = { ...blobOf(Buffer.from('said')), open: () => Readable.from([Buffer.from('sent')]) }
    await expect(client().uploadBlob(repository, blob)).rejects.toMatchObject({ kind: 'corrupt' })
    expect(await client().blobExists(repository, blob.digest)).toBe(false)
  })

  test('tags are listed, sorted', async () => {
    const repository = fresh()
    for (const tag of ['b', 'a', 'c']) await pushed(repository, tag)
    expect(await client().listTags(repository)).toEqual(['a', 'b', 'c'])
  })

  test('what is not there is not-found, and the message says what', async () => {
    const repository = fresh()
    const name = `${repository.registry}/${repository.repository}`
    const blob = { digest: digestOf(Buffer.from('absent')), size: 6 }
    const missing: [() => Promise<unknown>, string][] = [
      [() => client().resolve(at(repository, 'no')), `${name}:no`],
      [() => client().fetchManifest(at(repository, 'no')), `${name}:no`],
      [() => client().fetchManifest(at(repository, null, blob.digest)), blob.digest],
      [() => client().fetchDocument(repository, blob), blob.digest],
      [() => client().openBlob(repository, blob), blob.digest],
      [() => client().listTags(repository), name],
    ]
    for (const [asked, message] of missing)
      await expect(asked()).rejects.toMatchObject({
        name: 'EngineError',
        kind: 'not-found',
        message: expect.stringContaining(message),
      })
  })

  test('whatever was called off before it began asks nothing and throws the reason', async () => {
    const repository = fresh()
    const options = { signal: AbortSignal.abort(new Error('called off')) }
    const blob = blobOf(Buffer.from('x'))
    const document = { mediaType: mediaTypes.ociManifest, bytes: Buffer.from('{}') }
    for (const asked of [
      () => client().resolve(at(repository, 'a'), options),
      () => client().fetchManifest(at(repository, 'a'), options),
      () => client().fetchDocument(repository, blob, options),
      () => client().openBlob(repository, blob, options),
      () => client().listTags(repository, options),
      () => client().blobExists(repository, blob.digest, options),
      () => client().mountBlob(repository, blob.digest, 'other', options),
      () => client().uploadBlob(repository, blob, options),
      () => client().putManifest(at(repository, 'a'), document, options),
    ])
      await expect(asked()).rejects.toThrow('called off')
  })

  test('a stream that nobody reads to its end lets go of its connection', async () => {
    const repository = fresh()
    const blob = blobOf(randomBytes(4 * 2 ** 20))
    await client().uploadBlob(repository, blob)
    const { stream } = await client().openBlob(repository, blob)
    stream.destroy()
    expect(await client().blobExists(repository, blob.digest)).toBe(true)
  })
}
