import { execFile } from 'node:child_process'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PushProgress } from '../../../engine/index.ts'
import { type ImageStore, openImageStore, removeImageStores } from '../../support/image-store.ts'
import { makeTar, pushImage } from '../../support/images.ts'
import { freePort, startRegistry, type TestRegistry } from '../../support/registry.ts'

let source: TestRegistry
let target: TestRegistry
let store: ImageStore

beforeAll(async () => {
  ;[source, target] = await Promise.all([startRegistry(), startRegistry()])
  store = await openImageStore()
})

afterAll(async () => {
  await store.close()
  await Promise.all([source.stop(), target.stop()])
  removeImageStores()
})

async function pull(name: string) {
  const { reference, digest, image } = await pushImage(source, `team/${name}:1`, { files: { '/name': name } })
  await store.images.pull(reference)
  return { reference, digest, built: image }
}

test('an image is pushed elsewhere byte for byte; what is there is not sent again, nor what can be mounted', async () => {
  const { reference, digest, built } = await pull('pushed')
  const states = async (to: string) => {
    const seen: PushProgress[][] = []
    expect(await store.images.push(reference, { to, onProgress: (blobs) => seen.push(blobs) })).toEqual({
      reference: to,
      digest,
    })
    return seen.at(-1)?.map(({ state }) => state)
  }
  const name = `${target.host}/team/pushed`
  expect(await states(`${name}:1`)).toEqual(['done', 'done', 'done'])
  expect(await states(`${name}:2`)).toEqual(['exists', 'exists', 'exists'])
  const mounted = await states(`${target.host}/team/other:1`)
  expect(mounted?.slice(0, 2)).toEqual(['mounted', 'mounted'])
  const { stdout } = await promisify(execFile)('skopeo', [
    'inspect',
    '--tls-verify=false',
    '--raw',
    `docker://${name}:2`,
  ])
  expect(stdout).toBe(built.manifest.toString())
})

test('a packed layer that is here no more is fetched again, and only when it is needed', async () => {
  const { reference, digest } = await pull('dropped')
  const { blobs } = await store.images.inspect(digest)
  for (const blob of blobs) store.parts.content.remove(blob)
  await store.images.push(reference)
  expect(await store.parts.content.has(blobs[1] ?? '')).toBe(false)
  await store.images.push(reference, { to: `${target.host}/team/dropped:1` })
  expect(await store.parts.content.has(blobs[1] ?? '')).toBe(true)
})

test('an image that was made here is pushed and pulled by another host', async () => {
  const layer = Readable.from([await makeTar([{ name: 'made', content: 'here' }])])
  const { reference: parent } = await pull('parent')
  const reference = `${target.host}/team/made:1`
  const made = await store.images.create(parent, { layer, reference })
  expect((await store.images.push(reference)).digest).toBe(made.digest)
  const other = await openImageStore()
  expect(await other.images.pull(reference)).toMatchObject({ digest: made.digest, layers: made.layers })
  await other.close()
})

test('what cannot be pushed is said, and a failed push leaves the name as it was', async () => {
  const { reference, digest } = await pull('failing')
  await expect(store.images.push('nobody:1')).rejects.toMatchObject({ kind: 'not-found' })
  await expect(store.images.push(reference, { to: `x@${digest}` })).rejects.toMatchObject({ kind: 'invalid' })
  const cancel = AbortSignal.abort(new Error('enough'))
  const to = `${target.host}/team/failing:1`
  await expect(store.images.push(reference, { to, signal: cancel })).rejects.toThrow('enough')
  const nowhere = `localhost:${await freePort()}/team/app:1`
  const limit = AbortSignal.timeout(1_000)
  await expect(store.images.push(reference, { to: nowhere, signal: limit })).rejects.toThrow()
  expect(store.parts.busy.size).toBe(0)
  await expect(store.images.pull(to)).rejects.toMatchObject({ kind: 'not-found' })
})
