/** Packed layers that were dropped to make room, and are needed again: who is asked for them, and as whom. */
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CredentialsFor, RegistryCredentials } from '../../../engine/index.ts'
import { type HostileRegistry, serve } from '../../support/hostile-registry.ts'
import { openImageStore, removeImageStores } from '../../support/image-store.ts'
import { type BuiltImage, buildImage } from '../../support/images.ts'
import { startRegistry, type TestRegistry } from '../../support/registry.ts'

const mine: RegistryCredentials = { kind: 'basic', username: 'me', password: 'mine' }
const theirs: RegistryCredentials = { kind: 'basic', username: 'me', password: 'theirs' }
const headerOf = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

let image: BuiltImage
let source: HostileRegistry
let target: TestRegistry

/** A registry that gives its one image to whoever has `mine`. */
beforeAll(async () => {
  target = await startRegistry()
  image = await buildImage({ bare: true, files: { '/a': 'private' } })
  source = await serve((request, response) => {
    if (request.headers.authorization !== headerOf('me:mine'))
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
    const path = request.url ?? ''
    if (path.includes('/manifests/')) response.end(image.manifest)
    else response.end(image.blobs.get(path.split('/').at(-1) ?? ''))
  })
})

afterAll(async () => {
  source.close()
  await target.stop()
  removeImageStores()
})

/** A store that pulled the private image and lacks its packed layers by now. */
async function withDropped(
  credentialsFor: CredentialsFor | undefined,
  work: (store: Awaited<ReturnType<typeof openImageStore>>, reference: string) => Promise<void>,
): Promise<void> {
  const store = await openImageStore(undefined, { credentialsFor })
  const reference = `${source.host}/team/private:1`
  const { blobs } = await store.images.pull(reference, { credentials: mine })
  for (const blob of blobs) store.parts.content.remove(blob)
  await work(store, reference).finally(() => store.close())
}

test('credentials for where an image is pushed to are not sent to where its layers came from', async () => {
  await withDropped(undefined, async (store, reference) => {
    const to = `${target.host}/team/away:1`
    source.seen.length = 0
    await expect(store.images.push(reference, { to, credentials: theirs })).rejects.toMatchObject({
      kind: 'access-denied',
      message: expect.stringMatching(/^the packed layer sha256:.* was dropped .*wants credentials/),
    })
    expect(source.seen.length).toBeGreaterThan(0)
    expect(source.seen.map(({ authorization }) => authorization)).not.toContain(headerOf('me:theirs'))
  })
})

test('the owner of the engine is asked for those of a registry that nobody gave any for', async () => {
  const asked: string[] = []
  const credentialsFor: CredentialsFor = async ({ registry, repository }) => {
    asked.push(`${registry}/${repository}`)
    return mine
  }
  await withDropped(credentialsFor, async (store, reference) => {
    const to = `${target.host}/team/away:2`
    expect(await store.images.push(reference, { to })).toMatchObject({ digest: image.digest })
    expect(asked).toEqual([`${source.host}/team/private`])
  })
})

test('an image is saved with credentials for the registry that it is named after, and no other', async () => {
  await withDropped(undefined, async (store, reference) => {
    await expect(buffer(await store.images.save([reference]))).rejects.toMatchObject({
      kind: 'access-denied',
    })
    expect(
      (await buffer(await store.images.save([reference], { credentials: mine }))).length,
    ).toBeGreaterThan(0)
    const elsewhere = `${target.host}/team/app:1`
    await store.images.tag(reference, elsewhere)
    for (const keys of [[reference, elsewhere], [image.digest]])
      await expect(store.images.save(keys, { credentials: mine })).rejects.toMatchObject({
        kind: 'invalid',
        message: expect.stringContaining('one registry'),
      })
  })
})
