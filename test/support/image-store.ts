/** The image half of an engine on a folder of its own, and what of it can be seen on disk. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Garbage } from '../../engine/garbage.ts'
import { createGarbage } from '../../engine/images/create-garbage.ts'
import { createImages, type ImagesOptions } from '../../engine/images/create-images.ts'
import type { Images } from '../../engine/images/images.ts'
import { type ImageParts, openImageParts } from '../../engine/images/parts.ts'
import { createSnapshots } from '../../engine/snapshots/overlay-snapshots.ts'
import type { Snapshots } from '../../engine/snapshots/snapshots.ts'
import { openState, type State } from '../../engine/state/database.ts'
import { startSpawner } from '../../engine/sys/spawner.ts'

export interface ImageStore {
  stateDir: string
  state: State
  parts: ImageParts
  images: Images
  garbage: Garbage
  snapshots: Snapshots
  layersOnDisk(): string[]
  /** Names below the state folder that a pull leaves while it is under way. */
  halfMade(): string[]
  /** Mounts layers as a container of ids from 300,000 on would see them, and lends the folder. */
  mounted<T>(layers: string[], look: (root: string) => T): Promise<T>
  /** Lets go of the folder, which stays. */
  close(): Promise<void>
}

const folders = new Set<string>()

export async function openImageStore(
  stateDir = mkdtempSync(join(tmpdir(), 'berth-images-')),
  options: Partial<ImagesOptions> = {},
): Promise<ImageStore> {
  folders.add(stateDir)
  const state = openState(stateDir)
  const parts = await openImageParts(stateDir, state)
  const usedBy = (digest: string) =>
    state.db
      .prepare('SELECT id FROM containers WHERE image = ? ORDER BY id')
      .all(digest)
      .map(({ id }) => String(id))
  const images = await createImages(parts, { usedBy, ...options })
  const spawner = startSpawner()
  const snapshots = await createSnapshots({ stateDir, state, spawner })
  return {
    stateDir,
    state,
    parts,
    images,
    garbage: createGarbage(parts, usedBy),
    snapshots,
    layersOnDisk: () => readdirSync(join(stateDir, 'layers')).filter((name) => name.length === 64),
    halfMade: () =>
      ['staging', 'content/ingest'].flatMap((name) =>
        readdirSync(join(stateDir, name)).map((file) => `${name}/${file}`),
      ),
    async mounted(layers, look) {
      const target = join(stateDir, 'target')
      mkdirSync(target, { recursive: true })
      await snapshots.prepare('one', layers)
      await snapshots.mount('one', target, { base: 300_000, size: 65_536 })
      try {
        return look(target)
      } finally {
        await snapshots.unmount('one', target)
        await snapshots.remove('one')
      }
    },
    async close() {
      await images.close()
      await spawner.close()
      state.close()
    },
  }
}

/** Removes every folder that was opened. */
export function removeImageStores(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}
