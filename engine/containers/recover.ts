/**
 * Makes the host agree with the rows, when an engine opens its state: what runs by its row and in truth is adopted,
 * what ended meanwhile gets its exit recorded, and whatever else is ours on the host was cut off and goes.
 */
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { State } from '../state/database.ts'
import { freezeCgroup, isFrozen } from '../sys/cgroup-control.ts'
import { killProcesses } from '../sys/processes.ts'
import { unmount } from '../sys/syscalls.ts'
import type { ContainerRow, ContainerRows } from './container-rows.ts'
import type { Core } from './core.ts'
import { endLeftExecs } from './exec.ts'
import { endingOf, readExit, unknownExit } from './exits.ts'
import type { RunParts, Runs } from './run.ts'
import { hasProcess } from './status.ts'

export interface SweepOptions extends RunParts {
  state: State
  rows: ContainerRows
  runs: Runs
  isAlive(row: ContainerRow): boolean
  change: Core['change']
}

/** Answers with the ids of the containers that run on. */
export async function sweepHost(options: SweepOptions): Promise<Set<string>> {
  const { rows, runs, runtime, networks, snapshots, volumes, change, state, stateDir, runDir, isAlive } =
    options
  const alive = new Set(
    rows
      .all()
      .filter((row) => hasProcess(row.status) && isAlive(row))
      .map(({ id }) => id),
  )
  // What was held still for a moment, or not yet told to be, goes on; what was to go on, and does, says so.
  for (const id of alive) {
    const frozen = await isFrozen(runs.cgroup(id))
    if (frozen && rows.find(id)?.status === 'running') await freezeCgroup(runs.cgroup(id), false)
    else if (!frozen) rows.update(id, { status: 'running' })
  }
  for (const id of alive) await endLeftExecs(runs.execFolder(id), runs.cgroup(id))
  const ended = rows
    .all()
    .filter((row) => hasProcess(row.status) && row.bootId === state.bootId && !alive.has(row.id))
  await Promise.all(ended.map(({ id }) => runs.untilMonitorEnds(id)))
  await endLeftProcesses(runDir, alive)

  const known = new Set(rows.all().map(({ id }) => id))
  for (const row of rows.all()) {
    if (!hasProcess(row.status) || alive.has(row.id)) continue
    const sameBoot = row.bootId === state.bootId
    const exit = sameBoot ? await readExit(runs.exitFile(row.id), runs.cgroup(row.id)) : null
    change('exited', row.id, () => rows.update(row.id, endingOf(row, exit ?? unknownExit())))
  }
  await state.onDisk()

  const runIds = new Set([
    ...(await runs.list()),
    ...(await runtime.list()),
    ...(await readdir(runtime.exitDir)),
    ...(await runs.withCgroup()),
  ])
  for (const id of runIds) if (!alive.has(id)) await runs.end(id)
  await dropMounts([join(runDir, 'bundles'), join(stateDir, 'shifted'), join(stateDir, 'staging')], alive)

  const volumesOf = ({ spec }: ContainerRow) =>
    (spec.mounts ?? []).flatMap((mount) => (mount.kind === 'volume' ? [mount.volume] : []))
  const running = rows.all().filter(({ id }) => alive.has(id))
  await volumes.recover(running.map((row) => ({ id: row.id, volumes: volumesOf(row) })))
  for (const key of await snapshots.list()) if (!alive.has(key)) snapshots.closeDisk(key)
  for (const id of placesWithoutRow(state)) await networks.release(id)
  const pids = rows.all().flatMap(({ id, pid, spec }) =>
    // One that shares another's network has no interface of its own.
    alive.has(id) && pid !== null && spec.joins === undefined ? [[id, pid] as const] : [],
  )
  await networks.recover(new Map(pids))
  for (const key of await snapshots.list()) if (!known.has(key)) await snapshots.remove(key)
  const folder = join(stateDir, 'containers')
  for (const id of await readdir(folder).catch(() => []))
    if (!known.has(id)) await rm(join(folder, id), { recursive: true, force: true })
  return alive
}

/** Monitors and runtimes that a killed engine left at work on containers that nobody waits for. */
async function endLeftProcesses(runDir: string, alive: Set<string>): Promise<void> {
  const root = `--root=${join(runDir, 'runtime')}`
  const isOurs = (word: string) => word === root || word.startsWith(`${root}-`)
  const isOfAlive = (argv: string[]) => argv.some((word, at) => argv[at - 1] === '--cid' && alive.has(word))
  await killProcesses((argv) => argv.some(isOurs) && !isOfAlive(argv))
}

/** Unmounts everything of ours but the root file systems of those that run, deepest first. */
async function dropMounts(folders: string[], alive: Set<string>): Promise<void> {
  const targets = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((target) => folders.some((folder) => target.startsWith(`${folder}/`)))
  for (const target of targets.reverse()) {
    const isUsed = [...alive].some((id) => target === join(folders[0] ?? '', id, 'rootfs'))
    if (!isUsed) unmount(target, { detach: true })
  }
}

function placesWithoutRow({ db }: State): string[] {
  const found = db.prepare('SELECT id FROM places WHERE id NOT IN (SELECT id FROM containers)').all()
  return found.map(({ id }) => String(id))
}
