/** One run of a container: from its reserved parts to a running process, and back to nothing on the host. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError } from '../errors.ts'
import type { Images } from '../images/images.ts'
import type { NetworkPlaces } from '../network/network-places.ts'
import type { Networks } from '../network/networks.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Snapshots } from '../snapshots/snapshots.ts'
import { limitCgroup } from '../sys/cgroup-control.ts'
import { expectMoves } from '../sys/cgroup-moves.ts'
import { childCgroups, removeCgroup } from '../sys/cgroups.ts'
import { orDiskFull } from '../sys/disk.ts'
import { processStart } from '../sys/processes.ts'
import type { VolumePlaces } from '../volumes/volumes.ts'
import { fillBundle, type Joined, makeBundle } from './bundle.ts'
import type { ContainerSpec } from './containers.ts'
import type { RunConfig } from './exec-config.ts'
import { wholeLimits } from './limits.ts'
import { fullBytes, wholeLog } from './log-limits.ts'

export interface RunParts {
  images: Images
  snapshots: Snapshots
  networks: Networks & NetworkPlaces
  runtime: Runtime
  volumes: VolumePlaces
  stateDir: string
  runDir: string
  /** Begins with a slash; the containers' groups are below it, but of those that are aside: they are beside it. */
  cgroupParent: string
}

/** A container whose namespaces are shared. */
export interface JoinedRun {
  id: string
  pid: number
  /** Whether `pid` is still its process, and not somebody else's by now. */
  isAlive(): boolean
}

export interface Runs {
  /** Throws, and leaves nothing, when any step fails. */
  begin(
    spec: ContainerSpec,
    options?: { signal?: AbortSignal; joined?: JoinedRun | null },
  ): Promise<{ pid: number; pidStart: string }>
  /** Lends the root file system of one that does not run. Call it in the container's lock. */
  withRootfs<T>(spec: ContainerSpec, work: (path: string) => Promise<T>): Promise<T>
  /** Frees all that a run holds: runtime's record, cgroup, interface, mount, bundle. May be called at any time. */
  end(id: string): Promise<void>
  /** To be called before the exit file of a container that has ended is looked for. */
  untilMonitorEnds(id: string): Promise<void>
  logFile(id: string): string
  exitFile(id: string): string
  cgroup(id: string): string
  /** Ids of those that have a group, whether they run or not. */
  withCgroup(): Promise<string[]>
  /** Where its monitor takes commands. */
  controlPipe(id: string): string
  /** Of processes beside the first one. */
  execFolder(id: string): string
  /** The runtime's configuration of the run there is, as text. */
  configText(id: string): Promise<string>
  /** Ids that have a bundle on the host. */
  list(): Promise<string[]>
}

export async function createRuns(parts: RunParts): Promise<Runs> {
  const { images, snapshots, networks, runtime } = parts
  const bundles = join(parts.runDir, 'bundles')
  await mkdir(bundles, { recursive: true, mode: 0o711 })
  const folderOf = (id: string) => join(bundles, id)
  const rootfsOf = (id: string) => join(folderOf(id), 'rootfs')
  const logFile = (id: string) => join(parts.stateDir, 'containers', id, 'log')
  const exitFile = (id: string) => join(runtime.exitDir, id)
  const asidePrefix = `${parts.cgroupParent}-aside-`
  const asideGroups = async () =>
    (await childCgroups('/')).flatMap((name) =>
      `/${name}`.startsWith(asidePrefix) ? [name.slice(asidePrefix.length - 1)] : [],
    )
  const aside = new Set(await asideGroups())
  const cgroup = (id: string) => (aside.has(id) ? `${asidePrefix}${id}` : `${parts.cgroupParent}/${id}`)

  const execFolder = (id: string) => join(folderOf(id), 'execs')

  async function end(id: string): Promise<void> {
    await Promise.all([runtime.delete(id, folderOf(id)), networks.disconnect(id)])
    await removeCgroup(cgroup(id))
    aside.delete(id)
    await snapshots.unmount(id, rootfsOf(id))
    await parts.volumes.close(id)
    await rm(folderOf(id), { recursive: true, force: true })
    await rm(exitFile(id), { force: true })
  }

  /** What the runtime's configuration has no word for, or another one on v2. */
  async function limitMore({ id, limits }: ContainerSpec): Promise<void> {
    if (limits.cpuWeight !== undefined || limits.io !== undefined)
      await limitCgroup(cgroup(id), wholeLimits(limits), null, parts.stateDir)
  }

  const configText = (id: string) => readFile(join(folderOf(id), 'config.json'), 'utf8')

  /** Who its first process runs as. */
  async function userOf(id: string): Promise<Joined['user']> {
    const { process } = JSON.parse(await configText(id)) as RunConfig
    return { additionalGids: [], ...process.user }
  }

  return {
    async withRootfs(spec, work) {
      const { id } = spec
      if (existsSync(folderOf(id))) await end(id)
      try {
        await makeBundle(folderOf(id))
        await snapshots.mount(id, rootfsOf(id), spec.idRange)
        return await work(rootfsOf(id))
      } finally {
        await end(id)
      }
    },
    end,
    untilMonitorEnds: (id) => runtime.untilMonitorEnds(id, folderOf(id)),
    logFile,
    exitFile,
    cgroup,
    withCgroup: async () => [...(await childCgroups(parts.cgroupParent)), ...aside],
    controlPipe: (id) => join(folderOf(id), 'ctl'),
    execFolder,
    configText,
    list: () => readdir(bundles),
    async begin(spec, { signal, joined = null } = {}) {
      const { id } = spec
      const image = await images.inspect(spec.image)
      await networks.ensure(spec.network, { signal })
      const { address, network } = networks.placeOf(joined?.id ?? id)
      if (existsSync(folderOf(id))) await end(id)
      if (spec.aside === true) aside.add(id)
      const noMoreMoves = expectMoves()
      try {
        await makeBundle(folderOf(id))
        await snapshots.mount(id, rootfsOf(id), spec.idRange)
        const options = {
          folder: folderOf(id),
          spec,
          image: image.config,
          address,
          network,
          cgroup: cgroup(id),
          joined: joined && { pid: joined.pid, user: await userOf(joined.id) },
          openVolume: (name: string, options: { direct: boolean }) => parts.volumes.open(name, id, options),
          fillVolume: parts.volumes.fill,
        }
        const resolved = await fillBundle(options)
        signal?.throwIfAborted()
        const log = { file: logFile(id), maxBytes: fullBytes(wholeLog(spec.log)) }
        const pid = await runtime.create(id, folderOf(id), log, resolved)
        noMoreMoves()
        const pidStart = processStart(pid)
        if (pidStart === null)
          throw new EngineError('internal', `container ${id} ended before it was started`)
        // Only now it is sure whose namespaces those are; nothing of it runs yet.
        if (joined !== null && !joined.isAlive())
          throw new EngineError('failed-precondition', `container ${joined.id} has just ended`)
        await Promise.all([joined === null ? networks.connect(id, pid) : null, limitMore(spec)])
        signal?.throwIfAborted()
        await runtime.start(id)
        return { pid, pidStart }
      } catch (error) {
        await end(id)
        return orDiskFull(`container ${id}`)(error)
      } finally {
        noMoreMoves()
      }
    },
  }
}
