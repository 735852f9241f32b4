import { existsSync } from 'node:fs'
import { link, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError } from '../errors.ts'
import type { State } from '../state/database.ts'
import type { Spawner } from '../sys/spawner.ts'
import { allocatedBytes, copyImage, syncPath } from './disk-images.ts'
import { diskOf, imageOf } from './limited-folder.ts'
import type { Volume, VolumeSnapshot, VolumeSnapshots } from './volumes.ts'

export interface SnapshotParts {
  state: State
  spawner: Spawner
  stateDir: string
  /** Throws not-found. */
  volume(name: string): Volume
  folderOf(name: string): string
  /** One at a time for each volume. */
  lock<T>(name: string, work: () => Promise<T>): Promise<T>
  /** Lends it mounted. To be called while it is locked. */
  whileOpen<T>(name: string, work: () => Promise<T>): Promise<T>
  /** To be called while it is locked. Throws failed-precondition while a container has it; it is not mounted afterwards. */
  mustBeClosed(name: string): Promise<void>
}

export interface SnapshotsInternals {
  /** With the volume. */
  removeOf(volume: string): Promise<void>
  /** What no row tells of goes. */
  sweep(): Promise<void>
}

/** Each is a folder with the copy of the volume's file system; a row says that it is whole. */
export async function createVolumeSnapshots(
  parts: SnapshotParts,
): Promise<VolumeSnapshots & SnapshotsInternals> {
  const { spawner } = parts
  const { db } = parts.state
  const folder = join(parts.stateDir, 'volume-snapshots')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const folderOf = (id: string) => join(folder, id)
  const nextOf = (volume: string, id: string) => join(parts.folderOf(volume), `next-${id}.img`)

  async function find(id: string): Promise<VolumeSnapshot | null> {
    const row = db.prepare('SELECT * FROM volume_snapshots WHERE id = ?').get(id)
    if (!row) return null
    return {
      ...{ id, volume: String(row.volume), sizeBytes: Number(row.size_bytes) },
      ...{ allocatedBytes: await allocatedBytes(imageOf(folderOf(id))), createdAt: String(row.created_at) },
    }
  }

  async function mustFind(id: string): Promise<VolumeSnapshot> {
    const found = await find(id)
    if (found === null) throw new EngineError('not-found', `there is no snapshot ${id}`)
    return found
  }

  function sizeOf(name: string): number {
    const { sizeBytes } = parts.volume(name)
    if (sizeBytes !== null && existsSync(imageOf(parts.folderOf(name)))) return sizeBytes
    throw new EngineError('failed-precondition', `volume ${name} is no file system of its own`)
  }

  function insert(id: string, volume: string, sizeBytes: number): void {
    db.prepare(
      'INSERT OR IGNORE INTO volume_snapshots (id, volume, size_bytes, created_at) VALUES (?, ?, ?, ?)',
    ).run(id, volume, sizeBytes, new Date().toISOString())
  }

  async function remove(id: string): Promise<void> {
    db.prepare('DELETE FROM volume_snapshots WHERE id = ?').run(id)
    await rm(folderOf(id), { recursive: true, force: true })
  }

  /** What was the volume's content is the snapshot, and is the volume's no more. */
  async function isRestored(volume: string, keepAs: string): Promise<boolean> {
    const kept = imageOf(folderOf(keepAs))
    if ((await find(keepAs)) === null || !existsSync(kept)) return false
    return (await stat(kept)).ino !== (await stat(imageOf(parts.folderOf(volume)))).ino
  }

  async function idsOf(volume: string): Promise<string[]> {
    return db
      .prepare('SELECT id FROM volume_snapshots WHERE volume = ? ORDER BY created_at, id')
      .all(volume)
      .map(({ id }) => String(id))
  }

  return {
    async create(id, { volume, signal }) {
      checkId(id)
      return parts.lock(volume, async () => {
        const sizeBytes = sizeOf(volume)
        const found = await find(id)
        if (found !== null) return found
        await mkdir(folderOf(id), { recursive: true, mode: 0o700 })
        const from = parts.folderOf(volume)
        await parts
          .whileOpen(volume, () =>
            copyImage(imageOf(from), imageOf(folderOf(id)), {
              ...{ sizeBytes, mounted: diskOf(from), spawner, signal },
            }),
          )
          .catch(async (error) => {
            await rm(folderOf(id), { recursive: true, force: true })
            throw error
          })
        await syncPath(folder)
        insert(id, volume, sizeBytes)
        return mustFind(id)
      })
    },
    async list({ volume } = {}) {
      const all = db.prepare('SELECT id, volume FROM volume_snapshots ORDER BY created_at, id').all()
      const wanted = all.filter((row) => volume === undefined || row.volume === volume)
      return Promise.all(wanted.map(({ id }) => mustFind(String(id))))
    },
    async remove(id) {
      const found = await find(id)
      if (found !== null) await parts.lock(found.volume, () => remove(id))
    },
    async prepareRestore(id, { volume, keepAs, signal }) {
      await parts.lock(`${volume}:restore`, async () => {
        const snapshot = await mustFind(id)
        const next = nextOf(volume, id)
        if (existsSync(next) || (await isRestored(volume, keepAs))) return
        const sizeBytes = sizeOf(volume)
        for (const name of await readdir(parts.folderOf(volume)))
          if (name.startsWith('next-')) await rm(join(parts.folderOf(volume), name), { force: true })
        await copyImage(imageOf(folderOf(snapshot.id)), next, { sizeBytes, spawner, signal })
      })
    },
    async restore(id, { volume, keepAs }) {
      checkId(keepAs)
      await parts.lock(volume, async () => {
        const [image, next, kept] = [
          imageOf(parts.folderOf(volume)),
          nextOf(volume, id),
          imageOf(folderOf(keepAs)),
        ]
        if (await isRestored(volume, keepAs)) return
        if (!existsSync(next)) {
          throw new EngineError('failed-precondition', `snapshot ${id} was not prepared for volume ${volume}`)
        }
        await parts.mustBeClosed(volume)
        await mkdir(folderOf(keepAs), { recursive: true, mode: 0o700 })
        // One file with two names until the other one takes its place: at no moment the volume has none.
        await rm(kept, { force: true })
        await link(image, kept)
        await syncPath(folderOf(keepAs))
        insert(keepAs, volume, sizeOf(volume))
        await rename(next, image)
        await syncPath(parts.folderOf(volume))
      })
    },

    async removeOf(volume) {
      for (const id of await idsOf(volume)) await remove(id)
    },
    async sweep() {
      for (const id of await readdir(folder)) {
        if ((await find(id)) === null) await rm(folderOf(id), { recursive: true, force: true })
        else await rm(`${imageOf(folderOf(id))}.tmp`, { force: true })
      }
    },
  }
}

function checkId(id: string): void {
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(id))
    throw new EngineError('invalid', `${JSON.stringify(id)} is no id for a snapshot`)
}
