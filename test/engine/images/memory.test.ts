import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openImageStore, removeImageStores } from '../../support/image-store.ts'
import { pushImage } from '../../support/images.ts'
import { startRegistry, type TestRegistry } from '../../support/registry.ts'

const layerBytes = 192 * 2 ** 20
const mostBytes = 150e6

let source: TestRegistry
let target: TestRegistry
beforeAll(async () => {
  ;[source, target] = await Promise.all([startRegistry(), startRegistry()])
})
afterAll(async () => {
  await Promise.all([source.stop(), target.stop()])
  removeImageStores()
})

test('no layer is kept in memory, neither when it is pulled nor when it is pushed', async () => {
  const small = await pushImage(source, 'team/small:1', { bare: true, files: { '/a': 'x' } })
  const large = await pushImage(source, 'team/large:1', {
    bare: true,
    compress: 'none',
    files: { '/large': randomBytes(layerBytes) },
  })
  const stateDir = mkdtempSync(join(tmpdir(), 'berth-images-'))
  // So that it is removed with the others.
  await (await openImageStore(stateDir)).close()
  const script = fileURLToPath(new URL('../../support/memory-child.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    script,
    stateDir,
    small.reference,
    large.reference,
    `${target.host}/team/small:1`,
    `${target.host}/team/large:1`,
  ])
  const { pull, push } = JSON.parse(stdout)
  expect(pull).toBeGreaterThan(0)
  expect(pull).toBeLessThan(mostBytes)
  expect(push).toBeLessThan(mostBytes)
}, 120_000)
