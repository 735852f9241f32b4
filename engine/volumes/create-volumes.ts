import { closeSync, constants, existsSync, openSync } from 'node:fs'
import { mkdir, readdir, rename, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError } from '../errors.ts'
import { createFileTree, type LendRoot } from '../files/create-file-tree.ts'
import type { State } from '../state/database.ts'
import { createKeyedLock } from '../state/keyed-lock.ts'
import { spaceLeft } from '../sys/disk.ts'
import { thaw } from '../sys/freeze.ts'
import { passHostCache } from '../sys/loop-devices.ts'
import type { Spawner } from '../sys/spawner.ts'
import { createBorrowers } from './borrowers.ts'
import { copyImage, leastSizeOf, settle } from './disk-images.ts'
import {
  closeLimited,
  diskOf,
  imageOf,
  isOpen,
  leastDiskBytes,
  limitOf,
  makeLimited,
  openLimited,
  removeLimited,
} from './limited-folder.ts'
import { createVolumeSnapshots } from './volume-snapshots.ts'
import type { Volume, VolumePlaces, VolumeSpec, Volumes } from './volumes.ts'

const countWithinMs = 600_000
const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY

/** @param usedBy ids of the containers that mount a volume. */
export async function createVolumes(options: {
  state: State
  spawner: Spawner
  stateDir: string
  usedBy: (name: string) => string[]
}): Promise<Volumes & VolumePlaces> {
  const { spawner, stateDir, usedBy } = options
  const { db } = options.state
  const folder = join(stateDir, 'volumes')
  await mkdir(folder, { recursive: true, mode: 0o711 })
  // Whoever was killed while it copied left a volume frozen: what runs in there waits, and could not even be ended.
  for (const name of await readdir(folder)) if (isOpen(join(folder, name))) thaw(diskOf(join(folder, name)))
  const lock = createKeyedLock()
  const users = new Map<string, Set<string>>()
  const borrowers = createBorrowers()
  const isHeld = (name: string) => users.has(name) || borrowers.has(name)
  const folderOf = (name: string) => join(folder, name)

  function addUser(name: string, user: string): void {
    users.set(name, (users.get(name) ?? new Set()).add(user))
  }

  function find(name: string): Volume | null {
    const row = db.prepare('SELECT * FROM volumes WHERE name = ?').get(name)
    if (!row) return null
    const sizeBytes = row.size_bytes === null ? null : Number(row.size_bytes)
    return {
      name,
      idRange: { base: Number(row.id_base), size: Number(row.id_size) },
      sizeBytes,
      limitedBy: limitOf(folderOf(name), sizeBytes),
      labels: JSON.parse(String(row.labels)),
      createdAt: String(row.created_at),
      usedBy: usedBy(name),
    }
  }

  function mustFind(name: string): Volume {
    const found = find(name)
    if (!found) throw new EngineError('not-found', `there is no volume ${name}`)
    return found
  }

  function mustHaveImage(name: string): string {
    const image = imageOf(folderOf(name))
    if (existsSync(image)) return image
    throw new EngineError('failed-precondition', `volume ${name} is no file system of its own`)
  }

  async function make({ name, idRange, sizeBytes, labels = {} }: VolumeSpec): Promise<Volume> {
    const size = sizeBytes ?? null
    const found = find(name)
    if (found !== null) {
      const isSame = found.idRange.base === idRange.base && found.idRange.size === idRange.size
      if (isSame && found.sizeBytes === size) return found
      throw new EngineError('already-exists', `there is a volume ${name} of another size or id range`)
    }
    // What a cut left has no row, and is nobody's data.
    await removeLimited(folderOf(name))
    await makeLimited(folderOf(name), { sizeBytes: size, owner: idRange.base, spawner, mayShare: false })
    db.prepare(
      'INSERT INTO volumes (name, labels, id_base, id_size, size_bytes, created_at) VALUES (?, ?, ?, ?, ?, ?)',
    ).run(name, JSON.stringify(labels), idRange.base, idRange.size, size, new Date().toISOString())
    return mustFind(name)
  }

  async function closeOne(name: string, user: string): Promise<void> {
    await lock(name, async () => {
      const rest = users.get(name)
      if (!rest?.delete(user) || rest.size > 0) return
      users.delete(name)
      if (!isHeld(name)) closeLimited(folderOf(name))
    })
  }

  /** With its data open, and nothing but that reachable. */
  async function lendRoot<T>(name: string, work: Parameters<LendRoot>[0]): Promise<T> {
    // It is a borrower before the lock is let go, and holds that no longer.
    const result = Promise.withResolvers<T>()
    await lock(name, async () => {
      const { idRange } = mustFind(name)
      const root = openSync(await openLimited(folderOf(name), idRange.base, spawner), folderFlags)
      borrowers
        .lend(name, async (ended) => {
          try {
            const hasSpace = (bytes: number) => spaceLeft(stateDir) > bytes
            return (await work({ root, idRange, owner: null, hasSpace, mounts: () => [], ended })) as T
          } finally {
            closeSync(root)
          }
        })
        .then(result.resolve, result.reject)
    })
    try {
      return await result.promise
    } finally {
      await lock(name, async () => {
        if (!isHeld(name)) closeLimited(folderOf(name))
      })
    }
  }

  /** To be called while it is locked. */
  async function whileOpen<T>(name: string, work: (data: string) => Promise<T>): Promise<T> {
    const data = await openLimited(folderOf(name), mustFind(name).idRange.base, spawner)
    try {
      return await work(data)
    } finally {
      if (!isHeld(name)) closeLimited(folderOf(name))
    }
  }

  /** Afterwards nothing writes to it, as long as it is locked, and all that was written is in its image. */
  async function mustBeClosed(name: string): Promise<void> {
    const [user] = users.get(name) ?? []
    if (user !== undefined)
      throw new EngineError(
        'failed-precondition',
        `volume ${name} is open in container ${user}: stop that first`,
      )
    await borrowers.end(name)
    // A mount namespace that is just being made or left may hold it mounted for longer, and its last bytes in memory.
    // What can't be mounted any more is replaced as it is.
    await whileOpen(name, () => settle(diskOf(folderOf(name)))).catch(() => undefined)
    closeLimited(folderOf(name))
  }

  const snapshots = await createVolumeSnapshots({
    ...{ state: options.state, spawner, stateDir, volume: mustFind, folderOf, lock },
    ...{ whileOpen, mustBeClosed },
  })

  return {
    snapshots,
    files: (name) => createFileTree((work) => lendRoot(name, work)),
    async create(spec) {
      checkVolume(spec)
      return lock(spec.name, () => make(spec))
    },
    inspect: async (name) => mustFind(name),
    list: async ({ labels = {} } = {}) =>
      db
        .prepare('SELECT name FROM volumes ORDER BY name')
        .all()
        .flatMap(({ name }) => find(String(name)) ?? [])
        .filter((volume) => Object.entries(labels).every(([name, value]) => volume.labels[name] === value)),
    remove: (name) =>
      lock(name, async () => {
        const found = find(name)
        if (!found) return
        const [user] = found.usedBy
        if (user !== undefined)
          throw new EngineError(
            'failed-precondition',
            `volume ${name} is used by container ${user}: remove that first`,
          )
        await borrowers.end(name)
        await snapshots.removeOf(name)
        db.prepare('DELETE FROM volumes WHERE name = ?').run(name)
        await removeLimited(folderOf(name))
      }),
    usage: (name) =>
      lock(name, async () => {
        mustFind(name)
        return whileOpen(name, async (data) => {
          if (isOpen(folderOf(name))) {
            const { blocks, bfree, bsize } = await statfs(diskOf(folderOf(name)))
            return { usedBytes: (blocks - bfree) * bsize }
          }
          const argv = ['du', '-s', '--block-size=1', '-x', data]
          const said = await spawner.mustRun(argv, { timeoutMs: countWithinMs })
          return { usedBytes: Number.parseInt(said, 10) }
        })
      }),
    leastSize: (name) =>
      lock(name, async () => {
        mustFind(name)
        const image = mustHaveImage(name)
        // What is written and not on disk yet counts, too, also where another mount namespace holds it for longer.
        return whileOpen(name, async () => {
          await settle(diskOf(folderOf(name)))
          return { leastBytes: await leastSizeOf(image, spawner) }
        })
      }),
    resize: (name, sizeBytes, { signal } = {}) =>
      lock(name, async () => {
        const found = mustFind(name)
        checkVolume({ ...found, sizeBytes })
        if (found.sizeBytes === sizeBytes) return found
        const image = mustHaveImage(name)
        await mustBeClosed(name)
        await whileOpen(name, () =>
          copyImage(image, join(folderOf(name), 'resized.img'), {
            ...{ sizeBytes, mounted: diskOf(folderOf(name)), spawner, signal },
          }),
        )
        await rename(join(folderOf(name), 'resized.img'), image)
        db.prepare('UPDATE volumes SET size_bytes = ? WHERE name = ?').run(sizeBytes, name)
        return mustFind(name)
      }),

    mustFit(name, idRange) {
      const { idRange: own } = mustFind(name)
      if (own.base !== idRange.base || own.size !== idRange.size)
        throw new EngineError('failed-precondition', `volume ${name} belongs to another id range`)
    },
    open: (name, user, { direct = false } = {}) =>
      lock(name, async () => {
        const { idRange } = mustFind(name)
        const data = await openLimited(folderOf(name), idRange.base, spawner)
        addUser(name, user)
        // What the host's cache has of it is written to the disk first, and nobody is to wait for that.
        if (direct && isOpen(folderOf(name))) void passHostCache(diskOf(folderOf(name)))
        return data
      }),
    fill: (name, work) =>
      lock(name, async () => {
        if ((users.get(name)?.size ?? 0) !== 1) return
        await borrowers.end(name)
        const [mark, done] = [join(folderOf(name), 'filling'), join(folderOf(name), 'filled')]
        if (existsSync(done)) return
        const data = await openLimited(folderOf(name), mustFind(name).idRange.base, spawner)
        const names = await readdir(data, { encoding: 'buffer' })
        if (names.length > 0 && !existsSync(mark)) return
        await writeFile(mark, '')
        for (const each of names)
          await rm(Buffer.concat([Buffer.from(`${data}/`), each]), { recursive: true, force: true })
        if (await work(data)) await rename(mark, done)
        else await rm(mark)
      }),
    async close(user) {
      for (const name of [...users.keys()]) await closeOne(name, user)
    },
    async recover(found) {
      const names = await readdir(folder)
      for (const { id, volumes } of found) for (const name of volumes) addUser(name, id)
      for (const name of names) {
        if (find(name) === null) await removeLimited(folderOf(name))
        else {
          if (!users.has(name)) closeLimited(folderOf(name))
          for (const left of await readdir(folderOf(name)))
            if (/\.img\.tmp$|^resized\.img$/.test(left)) await rm(join(folderOf(name), left), { force: true })
        }
      }
      await snapshots.sweep()
    },
  }
}

function checkVolume({ name, idRange, sizeBytes }: VolumeSpec): void {
  if (!/^[a-z0-9][a-z0-9_.-]{0,62}$/.test(name))
    throw new EngineError('invalid', `${JSON.stringify(name)} is no name for a volume`)
  const { base, size } = idRange
  if (!(Number.isSafeInteger(base) && base > 0 && Number.isSafeInteger(size) && size > 0))
    throw new EngineError('invalid', 'the id range of a volume is not of whole numbers above 0')
  if (sizeBytes !== undefined && !(Number.isSafeInteger(sizeBytes) && sizeBytes >= leastDiskBytes))
    throw new EngineError('invalid', `the size of a volume is not a whole number from ${leastDiskBytes} on`)
}
