import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, expect, test } from 'vitest'
import { openState } from '../../../engine/state/database.ts'
import { openImageStore, removeImageStores } from '../../support/image-store.ts'
import { openPowerlessDisk } from '../../support/powerless-disk.ts'

afterAll(removeImageStores)

test('a state folder has one owner at a time, and says who', async () => {
  const store = await openImageStore()
  expect(() => openState(store.stateDir)).toThrow(
    `(process ${process.pid}) owns ${store.stateDir}: end it first`,
  )
  await store.close()
  openState(store.stateDir).close()
})

test('a folder whose owner was killed is taken as soon as what it had forked lets go', async () => {
  const store = await openImageStore()
  await store.close()
  // As a process that forks: what it began holds the lock for a moment longer.
  const script = 'exec 9>"$1/lock"; flock 9; echo $$ >&9; sleep 0.3 & kill -KILL $$'
  const killed = spawnSync('bash', ['-c', script, 'bash', store.stateDir], { stdio: 'ignore' })
  expect(killed.signal).toBe('SIGKILL')
  openState(store.stateDir).close()
})

test('what is committed lazily is on disk when it is asked to be, in the order in which it was committed', async () => {
  const disk = openPowerlessDisk()
  try {
    const state = openState(join(disk.path, 'state'))
    state.db.exec('CREATE TABLE said (word TEXT)')
    const say = (word: string) => state.db.prepare('INSERT INTO said VALUES (?)').run(word)
    const kept = () =>
      disk.afterPowerLoss((path) => {
        const db = new DatabaseSync(join(path, 'state/engine.db'))
        const words = db.prepare('SELECT word FROM said ORDER BY rowid').all()
        db.close()
        return words.map(({ word }) => word)
      })
    state.lazily(() => say('one'))
    await state.onDisk()
    expect(kept()).toEqual(['one'])
    // While the disk is at work.
    const first = state.onDisk()
    state.lazily(() => say('two'))
    const second = state.onDisk()
    state.lazily(() => say('three'))
    await Promise.all([first, second, state.onDisk()])
    expect(kept()).toEqual(['one', 'two', 'three'])
    state.lazily(() => say('four'))
    expect(kept()).toEqual(['one', 'two', 'three'])
    // Whoever waits for the disk by itself takes along what was committed before.
    say('five')
    expect(kept()).toEqual(['one', 'two', 'three', 'four', 'five'])
    state.db.exec('BEGIN')
    expect(() => state.lazily(() => say('six'))).toThrow('transaction')
    state.db.exec('ROLLBACK')
    state.close()
  } finally {
    disk.close()
  }
})
