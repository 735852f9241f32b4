import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestOf } from '../../../engine/oci/digest.ts'
import { mediaTypes } from '../../../engine/oci/manifest.ts'
import { createRegistryClient } from '../../../engine/registry/client.ts'
import { pushContents } from '../../../engine/registry/push.ts'
import { startRegistry, type TestRegistry } from '../../support/registry.ts'

let registry: TestRegistry
beforeAll(async () => {
  // The password is p.
  registry = await startRegistry({
    htpasswd: 'u:$2b$05$abcdefghijklmnopqrstuuqwWMzKt5N8p.u2GX5MuH1t19BMWuLOW\n',
  })
})
afterAll(async () => {
  await registry.stop()
})

test('a registry with names and passwords is pushed to and pulled from, with the right ones only', async () => {
  const client = createRegistryClient({ limits: { firstWaitMs: 5 } })
  const reference = { registry: registry.host, repository: 'team/app', tag: '1', digest: null }
  const config = Buffer.from('{}')
  const blob = { digest: digestOf(config), size: config.length, open: () => Readable.from([config]) }
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: blob.digest, size: 2 },
      layers: [],
    }),
  )
  const contents = { blobs: [blob], top: { mediaType: mediaTypes.ociManifest, bytes } }
  const credentials = { kind: 'basic' as const, username: 'u', password: 'p' }
  await expect(pushContents(client, reference, contents)).rejects.toThrow(/wants credentials/)
  const digest = await pushContents(client, reference, contents, { credentials })
  expect(await client.resolve(reference, { credentials })).toBe(digest)
  expect(await client.fetchDocument(reference, blob, { credentials })).toEqual(config)
  for (const [wrong, why] of [
    [{ ...credentials, password: 'q' }, /does not accept these credentials/],
    [undefined, /wants credentials/],
    [{ kind: 'bearer' as const, token: 't' }, /does not accept the token/],
    [{ kind: 'identity' as const, token: 't' }, /a user name and a password, not an identity token/],
  ] as const)
    await expect(client.fetchManifest(reference, { credentials: wrong })).rejects.toMatchObject({
      kind: 'access-denied',
      message: expect.stringMatching(why),
    })
  client.close()
})
