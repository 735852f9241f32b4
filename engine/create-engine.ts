/** Where the engine's parts are put together. */
import { createHash } from 'node:crypto'
import { mkdirSync, realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import os from 'node:os'
import { join } from 'node:path'
import { createBuilder } from './builder/create-builder.ts'
import { createContainers } from './containers/create-containers.ts'
import type { Engine, EngineOptions } from './engine.ts'
import { createGit } from './git/create-git.ts'
import { createGarbage } from './images/create-garbage.ts'
import { createImages } from './images/create-images.ts'
import { openImageParts } from './images/parts.ts'
import { createNetworks } from './network/create-networks.ts'
import { countSubnets } from './network/subnets.ts'
import { openRuntime } from './runtime/open-runtime.ts'
import { createSnapshots } from './snapshots/overlay-snapshots.ts'
import { openState } from './state/database.ts'
import { cgroupFolders, removeEmptyCgroup } from './sys/cgroups.ts'
import { endLeftSpawners, startSpawner } from './sys/spawner.ts'
import { createTools } from './tools/create-tools.ts'
import { createVolumes } from './volumes/create-volumes.ts'

const defaultPool = '10.89.0.0/16'

/**
 * Opens the state folder and makes the host agree with it: containers that still run are found again, and whatever a
 * killed engine was cut off from is swept. Throws failed-precondition while another process owns the folder, and
 * unsupported, saying what to install, where the host lacks something.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  mkdirSync(options.stateDir, { recursive: true, mode: 0o711 })
  const stateDir = realpathSync(options.stateDir)
  // Tells the names of our bridges, groups and tables from those of other engines on this host.
  const instance = createHash('sha256').update(stateDir).digest('hex').slice(0, 6)
  const runDir = options.runDir ?? join('/run/berth', instance)
  const {
    networkPool: pool = defaultPool,
    allowedHostPorts = [],
    registries,
    onlyListedLoopback,
    keepBlobs,
    credentialsFor,
    proxy,
    log = () => {},
  } = options

  const cgroupParent = `/berth-${instance}`
  const undo: (() => unknown)[] = []
  const close = async () => {
    const failures: unknown[] = []
    for (const step of undo.splice(0).reverse())
      await Promise.resolve()
        .then(step)
        .catch((error) => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }
  try {
    const state = openState(stateDir)
    undo.push(() => state.close())
    mkdirSync(runDir, { recursive: true, mode: 0o711 })
    await endLeftSpawners(runDir)
    // Monitors and name servers outlive us, however we are ended.
    const monitorsCgroup = `${cgroupParent}-monitors`
    undo.push(() => removeEmptyCgroup(monitorsCgroup))
    const spawner = startSpawner({ tag: runDir, cgroup: await cgroupFolders(monitorsCgroup) })
    undo.push(() => spawner.close())
    const runtime = await openRuntime(runDir, [stateDir], spawner)
    const snapshots = await createSnapshots({ stateDir, state, spawner })
    const usedBy = (digest: string) =>
      state.db
        .prepare('SELECT id FROM containers WHERE image = ? ORDER BY id')
        .all(digest)
        .map(({ id }) => String(id))
    const imageParts = await openImageParts(stateDir, state)
    const images = await createImages(imageParts, {
      registries,
      onlyListedLoopback,
      proxy,
      usedBy,
      keepBlobs,
      credentialsFor,
    })
    undo.push(() => images.close())
    const networks = await createNetworks({
      state,
      spawner,
      instance,
      pool,
      allowedHostPorts,
      runDir,
      log: (message, error) => log('warn', message, { error }),
    })
    undo.push(() => networks.close())
    const mountedBy = (name: string) =>
      state.db
        .prepare(
          `SELECT containers.id FROM containers, json_each(containers.spec, '$.mounts') AS mount
             WHERE mount.value ->> 'volume' = ? ORDER BY containers.id`,
        )
        .all(name)
        .map(({ id }) => String(id))
    const volumes = await createVolumes({ state, spawner, stateDir, usedBy: mountedBy })
    const parts = {
      images,
      snapshots,
      networks,
      volumes,
      runtime,
      stateDir,
      runDir,
      cgroupParent,
      state,
      log,
    }
    const containers = await createContainers(parts)
    undo.push(async () => {
      await containers.close()
      if ((await containers.list()).length > 0) return
      await removeEmptyCgroup(cgroupParent)
      if ((await networks.list()).length === 0) await rm(runDir, { recursive: true, force: true })
    })
    const sandboxParts = { images, containers, networks, volumes, spawner }
    const builder = await createBuilder({
      ...sandboxParts,
      mayKeepSpare: async ({ limits }) =>
        process.availableMemory() > limits.memoryBytes &&
        (await networks.list()).length < countSubnets(pool) / 2,
    })
    undo.push(() => builder.close())
    const git = await createGit(sandboxParts)
    const tools = await createTools(sandboxParts)
    return {
      builder,
      git,
      images,
      garbage: createGarbage(imageParts, usedBy),
      containers,
      networks,
      volumes,
      tools,
      info: async () => ({
        runtime: runtime.name,
        runtimeVersion: runtime.version,
        cgroups: runtime.cgroups,
        kernel: os.release(),
        cpus: os.cpus().length,
        memoryBytes: os.totalmem(),
      }),
      close,
    }
  } catch (error) {
    await close().catch(() => {})
    throw error
  }
}
