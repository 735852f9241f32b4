/** Starts, stops and watches containers: each `start` makes a run from nothing, and an end takes it apart again. */
import { EngineError } from '../errors.ts'
import { freezeCgroup } from '../sys/cgroup-control.ts'
import { signalProcess } from '../sys/processes.ts'
import { signalNumber } from './check-spec.ts'
import type { ContainerRow } from './container-rows.ts'
import type { Container, ContainerLife } from './containers.ts'
import type { Core } from './core.ts'
import { type Exit, endingOf, readExit, unknownExit, watchExits } from './exits.ts'
import type { HealthChecks } from './health.ts'
import { restartDelayMs, shouldRestart } from './restart-policy.ts'
import type { JoinedRun } from './run.ts'
import { canPause, canResume, canSignal, canStart, hasProcess, mustBe } from './status.ts'

const defaultGraceMs = 10_000

export interface Life extends ContainerLife {
  /** It is not to run any more, now or later. Answers once it does not. */
  end(id: string, graceMs: number, signal?: AbortSignal): Promise<Container>
  /** Call it in the container's lock: no restart is waited for any more. */
  forget(id: string): void
  /** Whether it has been told to end only to start again. */
  isRestarting(id: string): boolean
  /** Begins to watch; plans restarts of what has ended and should run. */
  begin(adopted: ReadonlySet<string>): void
  close(): void
}

export function createLife(core: Core, health: HealthChecks): Life {
  const { rows, runs, lock, images, runtime, state, log, rowOf, view, change, isAlive, isClosed } = core
  const restarts = new Map<string, NodeJS.Timeout>()
  /** Each as often as it is asked for. */
  const restarting: string[] = []
  let unwatch = () => {}

  function cancelRestart(id: string): void {
    clearTimeout(restarts.get(id))
    restarts.delete(id)
  }

  function joinedBy({ id, spec }: ContainerRow, idOrName: string): JoinedRun {
    const other = rowOf(idOrName)
    mustBe(hasProcess, other, 'join', 'start it first')
    const { base, size } = other.spec.idRange
    if (base !== spec.idRange.base || size !== spec.idRange.size)
      throw new EngineError('invalid', `container ${id} is of another id range than ${other.id}`)
    const { pid } = other
    if (pid === null || !isAlive(other) || other.spec.joins !== undefined)
      throw new EngineError('failed-precondition', `container ${other.id} has no namespaces to join`)
    return { id: other.id, pid, isAlive: () => isAlive(other) }
  }

  async function startNow(id: string, signal?: AbortSignal): Promise<Container> {
    const row = rowOf(id)
    if (!canStart(row.status)) return view(row)
    const joined = row.spec.joins === undefined ? null : joinedBy(row, row.spec.joins)
    const { pid, pidStart } = await runs.begin(row.spec, { signal, joined })
    const startedAt = new Date().toISOString()
    const run = { pid, pidStart, bootId: state.bootId, startedAt }
    const nothingYet = {
      exitCode: null,
      oomKilled: false,
      memoryPeakBytes: null,
      finishedAt: null,
      health: health.firstOf(row.spec),
    }
    const container = change('started', id, () =>
      rows.update(id, { ...run, ...nothingYet, status: 'running', wanted: true }),
    )
    health.watch(id)
    await state.onDisk()
    return container
  }

  /** Records an end and frees what the run held. Call it in the container's lock. */
  async function recordExit(row: ContainerRow, exit: Exit): Promise<void> {
    health.forget(row.id)
    // First what is known of the end: freeing what the run held takes the exit file away.
    const event = core.record('exited', row.id, () => rows.update(row.id, endingOf(row, exit)))
    const failed = (what: string) => (error: unknown) => log('warn', `container ${row.id} ${what}`, { error })
    await runs.end(row.id).catch(failed('left something behind'))
    await state.onDisk().catch(failed('has ended, which the disk may not keep'))
    core.events.publish(event)
    planRestart(row.id, exit.at)
  }

  /** @param from when it ended, or was last tried: an engine that was away meanwhile waits for the rest only. */
  function planRestart(id: string, from: Date): void {
    const row = rows.find(id)
    if (isClosed() || !row?.wanted || hasProcess(row.status)) return
    if (!shouldRestart(row.spec, row.exitCode, row.failures)) return
    const delayMs = restartDelayMs(row.failures)
    const restMs = Math.min(delayMs, Math.max(0, from.getTime() + delayMs - Date.now()))
    const timer = setTimeout(() => void startAgain(row.id), restMs)
    timer.unref()
    restarts.set(row.id, timer)
  }

  async function startAgain(id: string): Promise<void> {
    await lock(id, async () => {
      restarts.delete(id)
      const row = rows.find(id)
      if (isClosed() || !row?.wanted || hasProcess(row.status)) return
      state.lazily(() => rows.update(id, { restarts: row.restarts + 1 }))
      try {
        await startNow(id)
      } catch (error) {
        log('warn', `container ${id} does not start again`, { error })
        state.lazily(() => rows.update(id, { failures: row.failures + 1 }))
        planRestart(id, new Date())
      }
    })
  }

  /** Looks whether one that runs by its row has ended. */
  async function lookAt(id: string): Promise<void> {
    const runsByRow = () => {
      const row = isClosed() ? null : rows.find(id)
      return row && hasProcess(row.status) ? row : null
    }
    if (runsByRow() === null) return
    await lock(id, async () => {
      const row = runsByRow()
      if (row === null || isAlive(row)) return
      await runs.untilMonitorEnds(id)
      const exit = await readExit(runs.exitFile(id), runs.cgroup(id))
      await recordExit(row, exit ?? unknownExit())
    })
  }

  const endedUnseen = () =>
    rows.all().flatMap((row) => (hasProcess(row.status) && !isAlive(row) ? [row.id] : []))

  function look(id?: string): void {
    for (const each of id === undefined ? endedUnseen() : [id])
      lookAt(each).catch((error) => log('warn', `cannot see how container ${each} ended`, { error }))
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

  /** One that is held still gets it when it goes on, which a killed one must. */
  async function send(row: ContainerRow, signal: NodeJS.Signals | number, goOn: boolean): Promise<void> {
    if (row.pid === null || row.pidStart === null) return
    signalProcess(row.pid, row.pidStart, signal)
    if (goOn && row.status === 'paused') await freezeCgroup(runs.cgroup(row.id), false)
  }

  async function end(id: string, graceMs: number, signal?: AbortSignal): Promise<Container> {
    const row = await lock(id, async () => {
      cancelRestart(id)
      state.lazily(() => rows.update(id, { wanted: false, failures: 0 }))
      await state.onDisk()
      return rowOf(id)
    })
    if (!hasProcess(row.status)) return view(row)
    const ended = core.untilEnded(id, signal)
    // Who waits is told by the wait; this only keeps an early throw from being nobody's.
    ended.catch(() => {})
    await send(row, graceMs > 0 ? await stopSignalOf(row) : 'SIGKILL', true)
    const kill = () =>
      send(row, 'SIGKILL', true).catch((error) => log('warn', `cannot kill ${id}`, { error }))
    const timer = setTimeout(() => void kill(), graceMs)
    return ended.finally(() => clearTimeout(timer))
  }

  async function setPaused(idOrName: string, isPaused: boolean): Promise<Container> {
    const { id } = rowOf(idOrName)
    return lock(id, async () => {
      const row = rowOf(id)
      if ((row.status === 'paused') === isPaused && hasProcess(row.status)) return view(row)
      if (isPaused) mustBe(canPause, row, 'pause', 'only what runs can be held still')
      else mustBe(canResume, row, 'resume', 'only what is paused can go on')
      await freezeCgroup(runs.cgroup(id), isPaused)
      const container = change(isPaused ? 'paused' : 'resumed', id, () =>
        rows.update(id, { status: isPaused ? 'paused' : 'running' }),
      )
      await state.onDisk()
      return container
    })
  }

  const graceOf = ({ spec }: ContainerRow) => spec.stopGraceMs ?? defaultGraceMs

  function start(idOrName: string, signal?: AbortSignal): Promise<Container> {
    const { id } = rowOf(idOrName)
    return lock(id, () => {
      cancelRestart(id)
      if (canStart(rowOf(id).status)) rows.update(id, { failures: 0 })
      return startNow(id, signal)
    })
  }

  return {
    end,
    forget(id) {
      cancelRestart(id)
      health.forget(id)
    },
    isRestarting: (id) => restarting.includes(id),
    begin(adopted) {
      for (const row of rows.all()) {
        if (adopted.has(row.id)) health.watch(row.id)
        else planRestart(row.id, new Date(row.finishedAt ?? row.createdAt))
      }
      unwatch = watchExits(runtime.exitDir, look)
      look()
    },
    close() {
      unwatch()
      for (const id of [...restarts.keys()]) cancelRestart(id)
    },
    start: (idOrName, { signal } = {}) => start(idOrName, signal),
    async stop(idOrName, { graceMs, signal } = {}) {
      const row = rowOf(idOrName)
      return end(row.id, graceMs ?? graceOf(row), signal)
    },
    async restart(idOrName, { graceMs, signal } = {}) {
      const row = rowOf(idOrName)
      restarting.push(row.id)
      try {
        await end(row.id, graceMs ?? graceOf(row), signal)
        return await start(row.id, signal)
      } finally {
        restarting.splice(restarting.indexOf(row.id), 1)
      }
    },
    async kill(idOrName, { killSignal = 'SIGKILL', signal } = {}) {
      const number = signalNumber(killSignal)
      const row = rowOf(idOrName)
      mustBe(canSignal, row, 'send a signal to', 'start it first')
      if (number === signalNumber('SIGKILL')) return end(row.id, 0, signal)
      await lock(row.id, () => send(rowOf(row.id), number, false))
      return view(rowOf(row.id))
    },
    pause: (idOrName) => setPaused(idOrName, true),
    resume: (idOrName) => setPaused(idOrName, false),
    wait: (idOrName, { signal } = {}) => core.untilEnded(rowOf(idOrName).id, signal),
  }
}
