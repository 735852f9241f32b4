/** Containers as a state machine over rows and runs. `create` only reserves; each `start` makes a run from nothing. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { EngineError } from '../errors.ts'
import type { Image } from '../images/images.ts'
import type { State } from '../state/database.ts'
import { createKeyedLock } from '../state/keyed-lock.ts'
import { processStart, signalProcess } from '../sys/processes.ts'
import { createChannel } from './channel.ts'
import { checkSpec, isHostName, signalNumber } from './check-spec.ts'
import { type ContainerRow, containerOf, createContainerRows } from './container-rows.ts'
import type { Container, ContainerEvent, ContainerSpec, Containers } from './containers.ts'
import { type Exit, readExit, watchExits } from './exits.ts'
import { listeningPortsOf } from './listening-ports.ts'
import { readLog } from './read-log.ts'
import { sweepHost } from './recover.ts'
import { nextDelayMs, shouldRestart } from './restart-policy.ts'
import { createRuns, type RunParts } from './run.ts'

const defaultGraceMs = 10_000

export interface ContainersOptions extends RunParts {
  state: State
  log: (level: 'warn' | 'info', message: string, details?: Record<string, unknown>) => void
}

/** Finds again what an earlier process left running, and sweeps what it was cut off from. */
export async function createContainers(
  options: ContainersOptions,
): Promise<Containers & { close(): Promise<void> }> {
  const { state, networks, snapshots, images, runtime, log } = options
  const rows = createContainerRows(state)
  const runs = await createRuns(options)
  const lock = createKeyedLock()
  const events = createChannel<ContainerEvent>()
  const restarts = new Map<string, { timer: NodeJS.Timeout; delayMs: number }>()
  const delays = new Map<string, number>()
  let closed = false

  function rowOf(id: string): ContainerRow {
    const row = rows.find(id)
    if (!row) throw new EngineError('not-found', `there is no container ${id}`)
    return row
  }

  const view = (row: ContainerRow): Container => containerOf(row, networks.placeOf(row.id).address)
  const tell = (type: ContainerEvent['type'], container: Container) => events.publish({ type, container })

  function isAlive(row: ContainerRow): boolean {
    return row.pid !== null && row.bootId === state.bootId && processStart(row.pid) === row.pidStart
  }

  function cancelRestart(id: string): void {
    clearTimeout(restarts.get(id)?.timer)
    restarts.delete(id)
  }

  async function startNow(id: string, signal?: AbortSignal): Promise<Container> {
    const row = rowOf(id)
    if (row.status === 'running') return view(row)
    const { pid, pidStart } = await runs.begin(row.spec, signal)
    const startedAt = new Date().toISOString()
    const run = { pid, pidStart, bootId: state.bootId, startedAt }
    rows.update(id, {
      ...run,
      status: 'running',
      wanted: true,
      exitCode: null,
      oomKilled: false,
      finishedAt: null,
    })
    const container = view(rowOf(id))
    tell('started', container)
    return container
  }

  /** Records an end and frees what the run held. Call it in the container's lock. */
  async function recordExit(row: ContainerRow, exit: Exit): Promise<void> {
    await runs
      .end(row.id)
      .catch((error) => log('warn', `container ${row.id} left something behind`, { error }))
    const { exitCode, oomKilled, at } = exit
    rows.update(row.id, { status: 'exited', pid: null, exitCode, oomKilled, finishedAt: at.toISOString() })
    const ended = rowOf(row.id)
    tell('exited', view(ended))
    planRestart(ended)
  }

  function planRestart(row: ContainerRow): void {
    if (closed || !row.wanted || row.status === 'running' || !shouldRestart(row.spec.restart, row.exitCode))
      return
    const ranMs = Date.parse(row.finishedAt ?? '') - Date.parse(row.startedAt ?? '')
    const delayMs = nextDelayMs(delays.get(row.id) ?? 0, ranMs || 0)
    delays.set(row.id, delayMs)
    const timer = setTimeout(() => void restart(row.id), delayMs)
    timer.unref()
    restarts.set(row.id, { timer, delayMs })
  }

  async function restart(id: string): Promise<void> {
    await lock(id, async () => {
      restarts.delete(id)
      const row = rows.find(id)
      if (closed || !row?.wanted || row.status === 'running') return
      rows.update(id, { restarts: row.restarts + 1 })
      try {
        await startNow(id)
      } catch (error) {
        log('warn', `container ${id} does not start again`, { error })
        planRestart({ ...row, startedAt: null })
      }
    })
  }

  /** Looks whether one that runs by its row has ended. */
  async function lookAt(id: string): Promise<void> {
    const seen = rows.find(id)
    if (closed || seen?.status !== 'running') return
    await lock(id, async () => {
      const row = rows.find(id)
      if (closed || row?.status !== 'running') return
      if (isAlive(row)) return
      await runs.untilMonitorEnds(id)
      const exit = await readExit(runs.exitFile(id), runs.cgroup(id))
      await recordExit(row, exit ?? { exitCode: null, oomKilled: false, at: new Date() })
    })
  }

  function look(id?: string): void {
    const ids = id === undefined ? rows.all().map((row) => row.id) : [id]
    for (const each of ids)
      lookAt(each).catch((error) => log('warn', `cannot see how container ${each} ended`, { error }))
  }

  async function untilEnded(id: string, signal?: AbortSignal): Promise<Container> {
    const ended = new AbortController()
    const stream = events.subscribe(signal ? AbortSignal.any([signal, ended.signal]) : ended.signal)
    try {
      const row = rowOf(id)
      if (row.status === 'exited') return view(row)
      for await (const event of stream)
        if (event.container.id === id && (event.type === 'exited' || event.type === 'removed'))
          return event.container
      signal?.throwIfAborted()
      throw new EngineError('canceled', 'the engine is closing')
    } finally {
      ended.abort()
    }
  }

  /** The container's own, or its image's if that makes sense. */
  async function stopSignalOf({ spec }: ContainerRow): Promise<number | 'SIGTERM'> {
    if (spec.stopSignal) return signalNumber(spec.stopSignal)
    const image = await images.inspect(spec.image).catch(() => null)
    try {
      return image?.config.stopSignal ? signalNumber(image.config.stopSignal) : 'SIGTERM'
    } catch {
      return 'SIGTERM'
    }
  }

  async function stop(id: string, graceMs: number, signal?: AbortSignal): Promise<Container> {
    const row = await lock(id, async () => {
      rowOf(id)
      cancelRestart(id)
      delays.delete(id)
      rows.update(id, { wanted: false })
      return rowOf(id)
    })
    if (row.status !== 'running' || row.pid === null || row.pidStart === null) return view(row)
    const { pid, pidStart } = row
    const stopSignal = graceMs > 0 ? await stopSignalOf(row) : 'SIGKILL'
    const ended = untilEnded(id, signal)
    signalProcess(pid, pidStart, stopSignal)
    const timer = setTimeout(() => signalProcess(pid, pidStart, 'SIGKILL'), graceMs)
    await ended.finally(() => clearTimeout(timer))
    return ended
  }

  const adopted = await sweepHost({ ...options, rows, runs, isAlive })
  for (const row of rows.all()) {
    if (adopted.has(row.id)) continue
    if (row.status !== 'running') planRestart(row)
  }
  const unwatch = watchExits(runtime.exitDir, look)
  look()

  /** All that a container is made of, but no run. The image can't go meanwhile. */
  async function reserve(asked: ContainerSpec, image: Image, signal?: AbortSignal): Promise<Container> {
    const spec = { ...asked, image: image.digest }
    await networks.ensure(spec.network, { signal })
    await snapshots.prepare(spec.id, image.layers)
    const names = [...new Set([spec.id, ...(spec.aliases ?? [])])].filter(isHostName)
    await networks.reserve(spec.id, spec.network, names)
    const logFile = runs.logFile(spec.id)
    await mkdir(dirname(logFile), { recursive: true, mode: 0o700 })
    await writeFile(logFile, '', { mode: 0o600, flag: 'a' })
    const nothingYet = {
      pid: null,
      pidStart: null,
      bootId: null,
      exitCode: null,
      startedAt: null,
      finishedAt: null,
    }
    const createdAt = new Date().toISOString()
    const flags = { wanted: false, oomKilled: false, restarts: 0 }
    rows.insert({ id: spec.id, spec, status: 'created', ...flags, createdAt, ...nothingYet })
    const container = view(rowOf(spec.id))
    tell('created', container)
    return container
  }

  return {
    async create(spec, { signal } = {}) {
      checkSpec(spec)
      return lock(spec.id, async () => {
        if (rows.find(spec.id))
          throw new EngineError('already-exists', `there is a container ${spec.id} already`)
        return images.using(spec.image, (image) => reserve(spec, image, signal))
      })
    },
    start: (id, { signal } = {}) =>
      lock(id, () => {
        cancelRestart(id)
        return startNow(id, signal)
      }),
    stop: (id, { graceMs = defaultGraceMs, signal } = {}) => stop(id, graceMs, signal),
    async remove(id, { force = false } = {}) {
      const row = rows.find(id)
      if (!row) return
      if (row.status === 'running' && !force)
        throw new EngineError('failed-precondition', `container ${id} is running: stop it first`)
      if (force) await stop(id, 0)
      await lock(id, async () => {
        const last = rows.find(id)
        if (!last) return
        if (last.status === 'running')
          throw new EngineError('failed-precondition', `container ${id} was started meanwhile`)
        cancelRestart(id)
        const container = view(last)
        await runs.end(id)
        // The row goes first: what is left without one is swept.
        rows.delete(id)
        delays.delete(id)
        await networks.release(id)
        await snapshots.remove(id)
        await rm(dirname(runs.logFile(id)), { recursive: true, force: true })
        tell('removed', container)
      })
    },
    inspect: async (id) => view(rowOf(id)),
    list: async ({ labels = {} } = {}) =>
      rows
        .all()
        .map(view)
        .filter((container) =>
          Object.entries(labels).every(([name, value]) => container.labels[name] === value),
        ),
    wait: (id, { signal } = {}) => untilEnded(id, signal),
    logs(id, logOptions) {
      rowOf(id)
      const state = () => {
        const row = rows.find(id)
        return row === null || closed ? 'gone' : row.status === 'running' ? 'running' : 'ended'
      }
      return readLog({ path: runs.logFile(id), state }, logOptions)
    },
    async listeningPorts(id) {
      const row = rowOf(id)
      return row.pid !== null && isAlive(row) ? listeningPortsOf(row.pid) : []
    },
    events: ({ signal } = {}) => events.subscribe(signal),
    async close() {
      closed = true
      unwatch()
      for (const id of [...restarts.keys()]) cancelRestart(id)
      // Whoever is in the middle of a change finishes it.
      await Promise.all(rows.all().map(({ id }) => lock(id, async () => {})))
      events.close()
    },
  }
}
