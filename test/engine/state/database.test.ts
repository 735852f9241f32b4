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
