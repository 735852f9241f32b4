/**
 * Unpacked layers, by diffID: `layers/<hex>/`, owned by root, shared by all images and containers. A layer is staged,
 * synced and renamed; its row comes last. `layers/l/<number>` are short links, so that 127 layers fit one mount.
 */
import { rmSync } from 'node:fs'
import { chmod, type FileHandle, mkdir, open, readdir, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError, isEngineError } from '../errors.ts'
import { type Digest, digestHex } from '../oci/digest.ts'
import type { State } from '../state/database.ts'
import { inTransaction } from '../state/migrations.ts'
import { diskUsage } from '../sys/disk-usage.ts'
import { syncFolder } from '../sys/files.ts'
import { syncFileSystem } from '../sys/syscalls.ts'
import type { Trash } from '../sys/trash.ts'
import type { StagedLayer } from './held-layers.ts'
import { settleLayer } from './settle-layer.ts'

export interface LayerStore {
  has(diffId: Digest): boolean
  /** An empty folder to unpack into, another one at each call. */
  stage(diffId: Digest): Promise<string>
  /**
   * Makes a staged layer visible, and true of the layers below it (lowest first). Throws corrupt when they contradict
   * what it says of them.
   */
  commit(diffId: Digest, layer: StagedLayer, below: Digest[]): Promise<void>
  /** Has the disk begin with what is staged, so that `commit` has less to wait for. Returns at once. */
  syncAhead(): void
  /** Throws a staged layer away. */
  discard(folder: string): void
  /** Out of sight when it returns. */
  remove(diffIds: Digest[]): void
  list(): Digest[]
  /** Bytes that each layer takes on disk: measured once, at the first question. */
  sizes(signal?: AbortSignal): Promise<Map<Digest, number>>
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

export async function createLayerStore(stateDir: string, state: State, trash: Trash): Promise<LayerStore> {
  const folder = layersFolder(stateDir)
  const staging = join(stateDir, 'staging')
  await mkdir(join(folder, 'l'), { recursive: true, mode: 0o711 })
  await sweep()

  let stagings = 0
  let isSyncing = false
  /**
   * Of each staged folder, opened before anything was written in it: the kernel tells an error of the disk once to every
   * handle that was open by then, and not to those opened later if somebody else has heard of it.
   */
  const handles = new Map<string, FileHandle>()
  const pathOf = (diffId: Digest) => join(folder, digestHex(diffId))

  async function sweep(): Promise<void> {
    trash.bury(staging)
    await mkdir(staging, { mode: 0o700 })
    const rows = state.db.prepare('SELECT number, diff_id FROM layers').all()
    const known = new Map(rows.map((row) => [digestHex(String(row.diff_id)), Number(row.number)]))
    for (const name of await readdir(folder))
      if (/^[0-9a-f]{64}$/.test(name) && !known.has(name)) trash.bury(join(folder, name))
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
      handles.set(path, await open(path, 'r'))
      return path
    },

    syncAhead() {
      if (isSyncing) return
      isSyncing = true
      const sync = async () => {
        const handle = await open(staging, 'r')
        try {
          await syncFileSystem(handle.fd)
        } finally {
          await handle.close()
        }
      }
      // What the disk has to say of it, `commit` hears.
      sync()
        .catch(() => {})
        .finally(() => {
          isSyncing = false
        })
    },

    discard(path) {
      handles.get(path)?.close()
      handles.delete(path)
      trash.bury(path)
    },

    async commit(diffId, { folder: staged, ...findings }, below) {
      await settleLayer(staged, findings, below.map(pathOf).reverse()).catch((error: unknown) => {
        if (!isEngineError(error) || error.kind !== 'corrupt') throw error
        throw new EngineError('corrupt', `layer ${diffId} cannot be unpacked: ${error.message}`, {
          cause: error,
        })
      })
      await chmod(staged, 0o755)
      const handle = handles.get(staged)
      if (handle === undefined) throw new Error(`${staged} is not staged`)
      await syncFileSystem(handle.fd)
      // Left by a commit that failed after its rename: it has no row, so nobody uses it.
      trash.bury(pathOf(diffId))
      await rename(staged, pathOf(diffId))
      handles.delete(staged)
      await handle.close()
      await syncFolder(folder)
      const { lastInsertRowid } = state.db.prepare('INSERT INTO layers (diff_id) VALUES (?)').run(diffId)
      await symlink(`../${digestHex(diffId)}`, join(folder, 'l', String(lastInsertRowid)))
    },

    remove(diffIds) {
      const take = state.db.prepare('DELETE FROM layers WHERE diff_id = ? RETURNING number')
      // The rows go first: a folder that lacks one is swept when the store is opened.
      const numbers = inTransaction(state.db, () => diffIds.map((diffId) => take.get(diffId)?.number))
      for (const number of numbers)
        if (number !== undefined) rmSync(join(folder, 'l', String(number)), { force: true })
      for (const diffId of diffIds) trash.bury(pathOf(diffId))
    },

    list: () =>
      state.db
        .prepare('SELECT diff_id FROM layers')
        .all()
        .map((row) => String(row.diff_id)),

    async sizes(signal) {
      const unmeasured = state.db.prepare('SELECT diff_id FROM layers WHERE size_bytes IS NULL').all()
      const ids = unmeasured.map((row) => String(row.diff_id))
      const bytes = await diskUsage(ids.map(pathOf), signal)
      const note = state.db.prepare('UPDATE layers SET size_bytes = ? WHERE diff_id = ?')
      inTransaction(state.db, () => {
        for (const id of ids) {
          const size = bytes.get(pathOf(id))
          if (size !== undefined) note.run(size, id)
        }
      })
      const rows = state.db.prepare('SELECT diff_id, size_bytes FROM layers').all()
      return new Map(rows.map((row) => [String(row.diff_id), Number(row.size_bytes ?? 0)]))
    },
  }
}
