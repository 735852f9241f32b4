/** Containers, put together from what they can do. `create` only reserves; life.ts runs them. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { EngineError, isEngineError } from '../errors.ts'
import type { Image } from '../images/images.ts'
import { orDiskFull } from '../sys/disk.ts'
import { checkId, checkLimits, checkSpec, isHostName } from './check-spec.ts'
import { commitContainer } from './commit.ts'
import type { Container, ContainerSpec, Containers } from './containers.ts'
import { type ContainersOptions, createCore } from './core.ts'
import { createExecs } from './exec.ts'
import { createFiles } from './files.ts'
import { createHealthChecks, imagesCheck } from './health.ts'
import { isolationOf } from './isolation.ts'
import { createLife } from './life.ts'
import { changeLimits } from './limits.ts'
import { listeningPortsOf } from './listening-ports.ts'
import { holdLog } from './log-files.ts'
import { createMeasures } from './measure.ts'
import { readLog } from './read-log.ts'
import { sweepHost } from './recover.ts'
import { startLogRotation } from './rotate-logs.ts'
import { canRemove, hasProcess, mustBe } from './status.ts'

/** Finds again what an earlier process left running, and sweeps what it was cut off from. */
export async function createContainers(
  options: ContainersOptions,
): Promise<Containers & { close(): Promise<void> }> {
  const core = await createCore(options)
  const { rows, runs, lock, networks, snapshots, images, events, rowOf, view, change } = core
  const measures = createMeasures(core)
  const { close: closeExecs, ...execs } = await createExecs(core)
  const health = createHealthChecks(core, execs)
  const { end, forget, isRestarting, begin, close: closeLife, ...life } = createLife(core, health)
  begin(await sweepHost(core))

  const rotation = startLogRotation(core)

  function mustBeFree(name: string): void {
    const found = rows.find(name)
    if (found)
      throw new EngineError(
        'already-exists',
        found.id === name
          ? `there is a container ${name} already`
          : `container ${found.id} is called ${name} already`,
      )
  }

  /** All that a container is made of, but no run. The image can't go meanwhile. */
  async function reserve(asked: ContainerSpec, image: Image, signal?: AbortSignal): Promise<Container> {
    const healthCheck = asked.healthCheck ?? imagesCheck(image.config)
    const spec = { ...asked, image: image.digest, ...(healthCheck ? { healthCheck } : {}) }
    const { id } = spec
    signal?.throwIfAborted()
    for (const mount of spec.mounts ?? [])
      if (mount.kind === 'volume') core.volumes.mustFit(mount.volume, spec.idRange)
    await snapshots.prepare(id, image.layers, spec.limits.diskBytes)
    const names = [...new Set([id, ...(spec.aliases ?? [])])].filter(isHostName)
    const { ports, bandwidth } = spec
    await networks.reserve(id, spec.network, { names, ports, bandwidth })
    const logFile = runs.logFile(id)
    await mkdir(dirname(logFile), { recursive: true, mode: 0o700 })
    await writeFile(logFile, '', { mode: 0o600, flag: 'a' })
    holdLog(dirname(logFile))
    const nothingYet = {
      pid: null,
      pidStart: null,
      bootId: null,
      exitCode: null,
      startedAt: null,
      finishedAt: null,
    }
    const createdAt = new Date().toISOString()
    const flags = {
      wanted: false,
      oomKilled: false,
      memoryPeakBytes: null,
      restarts: 0,
      failures: 0,
      health: null,
    }
    mustBeFree(id)
    return change('created', id, () =>
      rows.insert({ id, name: id, spec, status: 'created', ...flags, createdAt, ...nothingYet }),
    )
  }

  return {
    ...life,
    ...measures,
    ...execs,
    ...createFiles(core),
    async create(spec, { signal } = {}) {
      checkSpec(spec)
      return lock(spec.id, async () => {
        mustBeFree(spec.id)
        const container = await images.using(spec.image, (image) => reserve(spec, image, signal))
        await core.state.onDisk()
        return container
      }).catch(orDiskFull(`container ${spec.id}`))
    },
    async remove(idOrName, { force = false } = {}) {
      const row = rows.find(idOrName)
      if (!row) return
      const { id } = row
      const hint = 'stop it first'
      if (force)
        await end(id, 0).catch((error: unknown) => {
          // Somebody else has removed it since.
          if (!isEngineError(error, 'not-found')) throw error
        })
      else mustBe(canRemove, row, 'remove', hint)
      await lock(id, async () => {
        const last = rows.find(id)
        if (!last) return
        mustBe(canRemove, last, 'remove', hint)
        // Whoever removes what has ended hears of this end as well.
        if (!force && isRestarting(id))
          throw new EngineError('failed-precondition', `cannot remove container ${id}: it is being restarted`)
        forget(id)
        await runs.end(id)
        // The row goes first: what is left without one is swept.
        const event = core.record('removed', id, () => rows.delete(id))
        await networks.release(id)
        await snapshots.remove(id)
        await rm(dirname(runs.logFile(id)), { recursive: true, force: true })
        events.publish(event)
      })
    },
    async rename(idOrName, name) {
      checkId(name)
      const { id } = rowOf(idOrName)
      return lock(id, async () => {
        const row = rowOf(id)
        if (row.name === name) return view(row)
        // Its own id is its own to go back to.
        if (name !== id) mustBeFree(name)
        const renamed = change('renamed', id, () => rows.update(id, { name }))
        await core.state.onDisk()
        return renamed
      })
    },
    async update(idOrName, { limits, restart }) {
      const { id } = rowOf(idOrName)
      return lock(id, async () => {
        const { spec, status } = rowOf(id)
        const next = { ...spec.limits, ...limits }
        checkLimits(next)
        if (next.diskBytes !== spec.limits.diskBytes)
          throw new EngineError(
            'failed-precondition',
            'a disk limit cannot be changed: make the container anew',
          )
        if (limits && hasProcess(status))
          await changeLimits(runs.cgroup(id), next, spec.limits, options.stateDir)
        const changed = { ...spec, limits: next, restart: restart ?? spec.restart }
        const updated = change('updated', id, () => rows.update(id, { spec: changed }))
        await core.state.onDisk()
        return updated
      })
    },
    commit: (idOrName, commitOptions = {}) => commitContainer(core, life, idOrName, commitOptions),
    async inspect(idOrName) {
      const row = rowOf(idOrName)
      const { environment = {}, files = [], ...spec } = row.spec
      return {
        ...view(row),
        spec: {
          ...spec,
          environmentNames: Object.keys(environment),
          fileTargets: files.map(({ target }) => target),
        },
        isolation: isolationOf(row.spec),
        diskLimitedBy: snapshots.diskLimit(row.id, spec.limits.diskBytes),
        cgroup: runs.cgroup(row.id),
        logFile: runs.logFile(row.id),
      }
    },
    list: async ({ labels = {} } = {}) =>
      rows
        .all()
        .filter(({ spec }) => Object.entries(labels).every(([name, value]) => spec.labels?.[name] === value))
        .map(view),
    logs(idOrName, logOptions) {
      const { id } = rowOf(idOrName)
      const state = () => {
        const row = core.isClosed() ? null : rows.find(id)
        if (row === null) return 'gone'
        return hasProcess(row.status) ? 'running' : 'ended'
      }
      return readLog({ folder: dirname(runs.logFile(id)), state }, logOptions)
    },
    async listeningPorts(idOrName, on) {
      const row = rowOf(idOrName)
      return row.pid !== null && core.isAlive(row) ? listeningPortsOf(row.pid, on) : []
    },
    events: (eventOptions) => events.subscribe(eventOptions),
    async close() {
      closeLife()
      await health.close()
      await rotation.close()
      await closeExecs()
      await core.close()
    },
  }
}
