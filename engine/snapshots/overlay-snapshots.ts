/**
 * Snapshots on overlayfs. A container's writable layer is `snapshots/<key>/{upper,work}`; below it come our init layer
 * (real folders and files where the runtime will mount, so that links planted in an image meet nothing), and the
 * image's layers. Layers belong to root on disk and are shifted to the container's ids by an idmapped clone of the
 * layers' folder that is mounted only while the overlay is. Sources: overlayfs in the kernel's documentation,
 * mount_setattr(2).
 */
import { existsSync, realpathSync } from 'node:fs'
import { chmod, chown, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError } from '../errors.ts'
import { layersFolder, shortName } from '../images/layer-store.ts'
import type { State } from '../state/database.ts'
import { removeFolder } from '../sys/files.ts'
import type { Spawner } from '../sys/spawner.ts'
import { detach, mount, mountFlags, mountIdmapped, SystemCallError } from '../sys/syscalls.ts'
import { userNamespaceFor } from '../sys/user-namespace.ts'
import { closeLimited, isOpen, letGo, limitOf, makeLimited, openLimited } from '../volumes/limited-folder.ts'
import { readChanges } from './changes.ts'
import type { Snapshots } from './snapshots.ts'

export async function createSnapshots({
  stateDir,
  state,
  spawner,
}: {
  stateDir: string
  state: State
  spawner: Spawner
}): Promise<Snapshots> {
  const folder = join(stateDir, 'snapshots')
  const shifted = join(stateDir, 'shifted')
  const trash = join(stateDir, 'trash')
  const layers = layersFolder(stateDir)
  for (const path of [folder, shifted]) await makeFolder(path, 0o711)
  await mkdir(trash, { recursive: true, mode: 0o700 })
  await makeInitLayer(join(layers, 'init'))
  for (const name of await readdir(shifted)) await dropClone(join(shifted, name))
  for (const name of await readdir(shifted)) await rm(join(shifted, name), { recursive: true, force: true })
  let clones = 0

  function pathOf(key: string): string {
    if (!/^[a-z0-9][a-z0-9_.-]{0,62}$/.test(key))
      throw new EngineError('invalid', `${key} is no name for a snapshot`)
    return join(folder, key)
  }

  /** Short names of the layers below a snapshot, lowest first. */
  function namesOf(key: string): string[] {
    const row = state.db.prepare('SELECT layers FROM snapshots WHERE key = ?').get(key)
    if (!row) throw new EngineError('not-found', `there is no snapshot ${key}`)
    return (JSON.parse(String(row.layers)) as string[]).map((diffId) => {
      const name = shortName(state, diffId)
      if (!name) throw new EngineError('not-found', `layer ${diffId} of snapshot ${key} is not on this host`)
      return name
    })
  }

  return {
    async prepare(key, ids, diskBytes) {
      const path = pathOf(key)
      await makeFolder(path, 0o711)
      if (diskBytes === undefined)
        for (const part of ['upper', 'work']) await makeFolder(join(path, part), 0o755)
      else await makeLimited(path, { sizeBytes: diskBytes, owner: 0, spawner })
      // Whoever makes a container of it waits for the disk.
      state.lazily(() =>
        state.db
          .prepare('INSERT OR IGNORE INTO snapshots (key, layers) VALUES (?, ?)')
          .run(key, JSON.stringify(ids)),
      )
    },

    async mount(key, target, idRange) {
      const path = pathOf(key)
      const names = namesOf(key)
      const own = existsSync(join(path, 'upper')) ? path : await openLimited(path, 0, spawner)
      const [upper, work] = [join(own, 'upper'), join(own, 'work')]
      for (const part of [upper, work]) {
        await makeFolder(part, 0o755)
        await chown(part, idRange.base, idRange.base)
      }
      const clone = join(shifted, String(++clones))
      await mkdir(clone, { mode: 0o711 })
      const namespace = await userNamespaceFor(idRange)
      const lower = ['init', ...names.reverse()].join(':')
      const options = `lowerdir=${lower},upperdir=${upper},workdir=${work},index=off,xino=off`
      try {
        mountIdmapped(layers, clone, namespace)
        // Names below the clone are short enough for 127 layers, and Node's own thread waits here, so that nobody
        // sees the other working folder.
        const before = process.cwd()
        process.chdir(clone)
        try {
          mount('overlay', target, 'overlay', mountFlags.noDev, options)
        } finally {
          process.chdir(before)
        }
      } catch (error) {
        if (error instanceof SystemCallError && ['EINVAL', 'EPERM', 'ENOSYS'].includes(error.code))
          throw new EngineError(
            'unsupported',
            `this kernel cannot mount layers for another id range (${error.message}): Linux 5.19 or later is needed`,
            { cause: error },
          )
        throw error
      } finally {
        await dropClone(clone)
        await rm(clone, { recursive: true, force: true })
      }
    },

    async unmount(key, target) {
      if (existsSync(target)) await detach(target)
      closeLimited(pathOf(key))
    },

    async lookAt(key, work) {
      const path = pathOf(key)
      const isPlain = existsSync(join(path, 'upper'))
      const wasOpen = isPlain || isOpen(path)
      const upper = join(isPlain ? path : await openLimited(path, 0, spawner), 'upper')
      // Short names are links.
      const folders = namesOf(key).map((name) => realpathSync(join(layers, name)))
      try {
        await makeFolder(upper, 0o755)
        return await work({ upper, layers: folders.reverse() })
      } finally {
        if (!wasOpen) closeLimited(path)
      }
    },

    async remove(key) {
      state.lazily(() => state.db.prepare('DELETE FROM snapshots WHERE key = ?').run(key))
      // A row, also its container's, must not come back without what it stands for.
      await state.onDisk()
      letGo(pathOf(key))
      await removeFolder(pathOf(key), trash)
    },

    closeDisk: (key) => closeLimited(pathOf(key)),
    diskLimit: (key, diskBytes) => limitOf(pathOf(key), diskBytes ?? null),
    async changes(key, idRange, signal) {
      const path = pathOf(key)
      if (existsSync(join(path, 'upper'))) return readChanges(join(path, 'upper'), idRange, signal)
      const wasOpen = isOpen(path)
      const changes = readChanges(join(await openLimited(path, 0, spawner), 'upper'), idRange, signal)
      if (!wasOpen) changes.once('close', () => closeLimited(path))
      return changes
    },

    list: async () => readdir(folder),
  }
}

/** A folder of exactly this mode: what the process's umask takes away, a container's users would miss. */
async function makeFolder(path: string, mode: number): Promise<void> {
  // The mode of a container's root folder is its own matter once it is there.
  if ((await mkdir(path, { recursive: true })) !== undefined) await chmod(path, mode)
}

const dropClone = (path: string) => detach(path)

/** Where the runtime mounts, made by us and not by the image (CVE-2026-47766 and its kin). */
async function makeInitLayer(path: string): Promise<void> {
  if (existsSync(join(path, 'etc', 'mtab'))) return
  await rm(path, { recursive: true, force: true })
  const folders = ['dev', 'dev/pts', 'dev/shm', 'dev/mqueue', 'proc', 'sys', 'etc']
  await makeFolder(path, 0o755)
  for (const name of folders) await makeFolder(join(path, name), 0o755)
  for (const name of ['etc/hosts', 'etc/hostname', 'etc/resolv.conf', 'dev/console']) {
    await writeFile(join(path, name), '')
    await chmod(join(path, name), 0o644)
  }
  await symlink('/proc/mounts', join(path, 'etc', 'mtab'))
}
