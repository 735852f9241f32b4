/** What was answered stays so, whatever happens to the host's power. */
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startEngine, type TestEngine } from '../../support/engine.ts'
import { openPowerlessDisk, type PowerlessDisk } from '../../support/powerless-disk.ts'

let disk: PowerlessDisk
let host: TestEngine

beforeAll(async () => {
  disk = openPowerlessDisk()
  const { TMPDIR } = process.env
  process.env.TMPDIR = disk.path
  try {
    host = await startEngine()
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
  }
})
afterAll(async () => {
  await host?.close()
  disk?.close()
})

/** The rows of a container, were the host to lose its power now. */
function keptOf(id: string) {
  return disk.afterPowerLoss((path) => {
    const db = new DatabaseSync(join(path, basename(host.stateDir), 'engine.db'))
    const one = (text: string) => db.prepare(text).get(id)
    const kept = {
      container: one('SELECT status, wanted, name FROM containers WHERE id = ?'),
      snapshot: one('SELECT key FROM snapshots WHERE key = ?'),
      place: one('SELECT network FROM places WHERE id = ?'),
    }
    db.close()
    return kept
  })
}

test('what a container was answered to be is on disk', async () => {
  const { containers } = host.engine
  const { id } = await containers.create(host.spec())
  expect(keptOf(id)).toEqual({
    container: { status: 'created', wanted: 0, name: id },
    snapshot: { key: id },
    place: { network: 'net' },
  })
  await containers.start(id)
  expect(keptOf(id)).toMatchObject({ container: { status: 'running', wanted: 1 } })
  await containers.rename(id, 'renamed')
  expect(keptOf(id)).toMatchObject({ container: { name: 'renamed' } })
  await containers.stop(id, { graceMs: 0 })
  expect(keptOf(id)).toMatchObject({ container: { status: 'exited', wanted: 0 } })
  await containers.remove(id)
  expect(keptOf(id)).toMatchObject({ container: undefined, snapshot: undefined })
})
