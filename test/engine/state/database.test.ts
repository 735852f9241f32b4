import { spawnSync } from 'node:child_process'
import { afterAll, expect, test } from 'vitest'
import { openState } from '../../../engine/state/database.ts'
import { openImageStore, removeImageStores } from '../../support/image-store.ts'

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
