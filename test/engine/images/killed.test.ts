import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestHex } from '../../../engine/oci/digest.ts'
import { type ImageStore, openImageStore, removeImageStores } from '../../support/image-store.ts'
import { pushImage } from '../../support/images.ts'
import { startRegistry, type TestRegistry } from '../../support/registry.ts'

let registry: TestRegistry
let folder: string
const script = fileURLToPath(new URL('../../support/images-child.ts', import.meta.url))

beforeAll(async () => {
  registry = await startRegistry()
  folder = mkdtempSync(join(tmpdir(), 'berth-killed-'))
})

afterAll(async () => {
  await registry.stop()
  removeImageStores()
  rmSync(folder, { recursive: true, force: true })
})

/** Every image has all of its parts, every part belongs to something, and nothing is half there. */
async function expectWhole(store: ImageStore): Promise<void> {
  const images = await store.images.list()
  const needed = new Set([...store.parts.rows.needed(), ...store.parts.leases.digests()])
  for (const { digest, layers } of images) {
    const { manifest, config } = await store.images.documents(digest)
    expect(JSON.parse(config).rootfs.diff_ids).toEqual(layers)
    for (const layer of JSON.parse(manifest).layers) {
      // Reading checks the bytes against the digest.
      expect((await store.parts.content.read(layer.digest)).length).toBe(layer.size)
    }
    await store.mounted(layers, (root) =>
      expect(readFileSync(join(root, 'own'), 'utf8')).toMatch(/^image \d$/),
    )
  }
  const names = (path: string) => readdirSync(join(store.stateDir, path))
  const rows = store.parts.layers.list()
  expect(rows.filter((diffId) => !needed.has(diffId))).toEqual([])
  expect(store.layersOnDisk().sort()).toEqual(rows.map(digestHex).sort())
  expect(names('layers/l').every((name) => existsSync(join(store.stateDir, 'layers/l', name)))).toBe(true)
  expect(names('layers/l')).toHaveLength(rows.length)
  expect(names('content/blobs/sha256').filter((hex) => !needed.has(`sha256:${hex}`))).toEqual([])
  expect(names('content/ingest').filter((hex) => !needed.has(`sha256:${hex}`))).toEqual([])
  expect(names('staging')).toEqual([])
}

test('a process that is killed while it pulls, loads, makes and removes leaves nothing half visible', async () => {
  const references = await Promise.all(
    [0, 1, 2].map(async (i) => {
      const files = { '/own': `image ${i}`, '/data': Buffer.alloc(200_000 * (i + 1), String(i)) }
      return (await pushImage(registry, `team/killed-${i}:1`, { files })).reference
    }),
  )
  const first = await openImageStore()
  await first.images.pull(references[0] ?? '')
  const archive = join(folder, 'archive.tar')
  await pipeline(await first.images.save([references[0] ?? '']), createWriteStream(archive))
  await first.close()
  let sawImages = 0
  let sawLeft = 0
  for (let round = 0; round < 12; round++) {
    const child = spawn(process.execPath, [script, first.stateDir, archive, String(round), ...references], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    let said = ''
    child.stderr?.on('data', (chunk) => {
      said += chunk
    })
    const exited = once(child, 'exit')
    const ready = await Promise.race([once(child, 'message'), exited.then(() => null)])
    expect(ready, said).not.toBe(null)
    // At any moment of what it does: the moment is the test's input, not a wait for something.
    await sleep(20 + ((round * 137) % 500))
    expect(child.exitCode, said).toBe(null)
    child.kill('SIGKILL')
    await exited
    sawLeft += readdirSync(join(first.stateDir, 'staging')).length
    sawLeft += readdirSync(join(first.stateDir, 'content/ingest')).length
    const next = await openImageStore(first.stateDir)
    sawImages += (await next.images.list()).length
    await expectWhole(next)
    await next.close()
  }
  // Otherwise the kills came when nothing was under way.
  expect(sawImages).toBeGreaterThan(0)
  expect(sawLeft).toBeGreaterThan(0)
  const last = await openImageStore(first.stateDir)
  for (const reference of references) await last.images.pull(reference)
  await last.garbage.collect({ unusedForMs: 0, graceMs: 0 })
  expect([last.layersOnDisk(), await last.parts.content.list(), last.halfMade()]).toEqual([[], [], []])
  await last.close()
})
