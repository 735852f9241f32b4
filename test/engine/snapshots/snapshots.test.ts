import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { digestOf } from '../../../engine/oci/digest.ts'
import { openImageStore, removeImageStores } from '../../support/image-store.ts'
import { conformsToSnapshots } from './conformance.ts'

afterAll(removeImageStores)

conformsToSnapshots(async () => {
  const store = await openImageStore()
  const { layers } = store.parts
  let made = 0
  return {
    snapshots: store.snapshots,
    folder: store.stateDir,
    async addLayer(files) {
      const diffId = digestOf(`layer ${made++}`)
      const folder = await layers.stage(diffId)
      for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
      await layers.commit(diffId, { folder, implied: [], opaque: [], links: [] }, [])
      return diffId
    },
    close: () => store.close(),
  }
})
