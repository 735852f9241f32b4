/**
 * Unpacked layers, by diffID: `layers/<hex>/`, owned by root, shared by all images and containers. A layer is staged,
 * synced and renamed; its row comes last. `layers/l/<number>` are short links, so that 127 layers fit one mount.
 */
import { chmod, mkdir, open, readdir, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, digestHex } from '../oci/digest.ts'
import type { State } from '../state/database.ts'
import { removeFolder, syncFolder } from '../sys/files.ts'
import { syncFileSystem } from '../sys/syscalls.ts'
import { adoptMetadata } from './implied-folders.ts'
import type { StagedLayer } from './leases.ts'

export interface LayerStore {
  has(diffId: Digest): boolean
  /** An empty folder to unpack into, another one at each call. */
  stage(diffId: Digest): Promise<string>
  /** Makes a staged layer visible. Folders that it implies take owner and mode from `below` (lowest first). */
  commit(diffId: Digest, layer: StagedLayer, below: Digest[]): Promise<void>
  /** Throws a staged layer away. */
  discard(folder: string): Promise<void>
  remove(diffId: Digest): Promise<void>
  list(): Digest[]
}

/** Where the folders of the layers lie, for whoever mounts them. */
export function layersFolder(stateDir: string): string {
  return join(stateDir, 'layers')
}

/** The short name of a layer below `layersFolder`: a link to its folder. */
export function shortName(state: State, diffId: Digest): string | null {
  const row = state.db.prepare('SELECT number FROM layers WHERE diff_id = ?').get(diffId)
  return row ? `l/${row.number}` : null
}

export async function createLayerStore(stateDir: string, state: State): Promise<LayerStore> {
  const folder = layersFolder(stateDir)
  const staging = join(stateDir, 'staging')
  const trash = join(stateDir, 'trash')
  await mkdir(join(folder, 'l'), { recursive: true, mode: 0o711 })
  await mkdir(trash, { recursive: true, mode: 0o700 })
  await sweep()

  let stagings = 0
  const pathOf = (diffId: Digest) => join(folder, digestHex(diffId))

  async function sweep(): Promise<void> {
    await rm(staging, { recursive: true, force: true })
    await mkdir(staging, { mode: 0o700 })
    for (const name of await readdir(trash)) await rm(join(trash, name), { recursive: true, force: true })
    const rows = state.db.prepare('SELECT number, diff_id FROM layers').all()
    const known = new Map(rows.map((row) => [digestHex(String(row.diff_id)), Number(row.number)]))
    for (const name of await readdir(folder))
      if (/^[0-9a-f]{64}$/.test(name) && !known.has(name)) await removeFolder(join(folder, name), trash)
    const links = new Set(await readdir(join(folder, 'l')))
    for (const [hex, number] of known) {
      if (!links.delete(String(number))) await symlink(`../${hex}`, join(folder, 'l', String(number)))
    }
    for (const name of links) await rm(join(folder, 'l', name), { force: true })
  }

  return {
    has: (diffId) => state.db.prepare('SELECT 1 FROM layers WHERE diff_id = ?').get(diffId) !== undefined,

    async stage(diffId) {
      const path = join(staging, `${digestHex(diffId)}-${++stagings}`)
      await mkdir(path, { mode: 0o755 })
      return path
    },

    discard: (path) => removeFolder(path, trash),

    async commit(diffId, { folder: staged, implied }, below) {
      await adoptMetadata(staged, implied, below.map(pathOf).reverse())
      await chmod(staged, 0o755)
      const handle = await open(staged, 'r')
      try {
        await syncFileSystem(handle.fd)
      } finally {
        await handle.close()
      }
      // Left by a commit that failed after its rename: it has no row, so nobody uses it.
      await removeFolder(pathOf(diffId), trash)
      await rename(staged, pathOf(diffId))
      await syncFolder(folder)
      const { lastInsertRowid } = state.db.prepare('INSERT INTO layers (diff_id) VALUES (?)').run(diffId)
      await symlink(`../${digestHex(diffId)}`, join(folder, 'l', String(lastInsertRowid)))
    },

    async remove(diffId) {
      const row = state.db.prepare('DELETE FROM layers WHERE diff_id = ? RETURNING number').get(diffId)
      if (row) await rm(join(folder, 'l', String(row.number)), { force: true })
      await removeFolder(pathOf(diffId), trash)
    },

    list: () =>
      state.db
        .prepare('SELECT diff_id FROM layers')
        .all()
        .map((row) => String(row.diff_id)),
  }
}
