/** A container for programs that are fed what strangers wrote, with a network and a disk of its own. */
import { posix } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ContainerFile, Containers, ExecProcess, ExecSpec } from '../containers/containers.ts'
import { isEngineError } from '../errors.ts'
import type { Networks } from '../network/networks.ts'
import { bootId } from '../sys/boot.ts'
import type { IdRange } from '../sys/user-namespace.ts'
import type { Volumes } from '../volumes/volumes.ts'
import { goLine, waitCommand } from './ahead.ts'
import { watchApps } from './apps-at-work.ts'
import type { BuildLine } from './builder.ts'
import { giveWay } from './giving-way.ts'
import { eachLine } from './lines.ts'

export interface SandboxParts {
  containers: Containers
  networks: Networks
  volumes: Volumes
}

export interface Ran {
  code: number
  /** The last lines of both streams. */
  lines: string[]
}

export interface RunOptions {
  input?: Readable
  /** Where standard output goes as it is; default: it is lines. */
  output?: Writable
  environment?: Record<string, string>
  /** Called with lines of standard output, which are then none of those that it said. */
  onAnswer?: (text: string) => void
  onLine?: (line: BuildLine) => void
  workingDir?: string
}

export interface Sandbox {
  run(command: string[], options?: RunOptions): Promise<Ran>
  /** So many of the commands that come find a process that waits for them, since to begin one takes a while. */
  beginAhead(count: number): Promise<void>
  /** Whether the kernel has ended a process of it for want of memory. */
  wasOutOfMemory(): Promise<boolean>
  /** Everything in it ends at once; what is waited for returns. */
  kill(): Promise<void>
}

/** Its containers can be told from all others, so that one who was killed leaves nothing that runs on. */
const roleLabel = 'builder.role'
/** Of a volume: the boot in which it was made. */
const bootLabel = 'builder.boot'
const keptLines = 60
const spareMs = 60_000
/** A sandbox comes after everything else that wants the processors, its very beginning too. */
const enterWithinMs = 15_000
/** buildah 1.28 forgets what it could not pass on when a step ended, so it need not wait for whoever reads. */
const aheadBytes = 8 * 2 ** 20

export interface SandboxSpec {
  /** What it is for, such as `build`: the beginning of its names, and told from others when what is left is swept. */
  role: string
  id: string
  image: string
  idRange: IdRange
  limits: { memoryBytes: number; cpuMillis: number; pids: number; diskBytes: number; timeMs: number }
  /** The disk: a volume, which stays, or `null` for one that goes with the sandbox. */
  volume: string | null
  workDir: string
  files: ContainerFile[]
  /** Folders that are in memory, beside /tmp and /run. */
  inMemory?: string[]
  nesting?: boolean
  /** What is on the disk goes with the boot: nothing in it waits for the disk, and nothing of before is trusted. */
  forThisBoot?: boolean
  /** How much longer it is there, should it wait for its work. */
  waitMs?: number
  /** What runs in it from its beginning, beside all else, given the address of the host; null: nothing. */
  first?: (gateway: string) => string[] | null
}

export interface Lent<T> {
  result: T
  /** Nothing of the sandbox but a volume that has a name is there any more. */
  removed: Promise<void>
}

export interface OpenSandbox {
  sandbox: Sandbox
  /** Whether it is there as it was made. */
  isReady(): Promise<boolean>
  /** To be called when its work begins: it gives way to others from then on. */
  begin(): void
  /** Nothing of it but a volume that has a name is there afterwards. */
  remove(): Promise<void>
}

/** Lends a sandbox; whatever happens, nothing of it but a volume that has a name is there afterwards. */
export async function withSandbox<T>(
  parts: SandboxParts,
  spec: SandboxSpec,
  work: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  const { result, removed } = await lend(await openSandbox(parts, spec), work)
  await removed
  return result
}

/**
 * Answers as soon as the work is done, and removes the sandbox behind that. Where the work fails it is removed before.
 * @param behind what is done in it before it is removed, while nobody waits; that it fails is nothing to anybody
 */
export async function lend<T>(
  open: OpenSandbox,
  work: (sandbox: Sandbox) => Promise<T>,
  behind: (sandbox: Sandbox, result: T) => Promise<unknown> = async () => undefined,
): Promise<Lent<T>> {
  try {
    open.begin()
    const result = await work(open.sandbox)
    const removed = behind(open.sandbox, result)
      .catch(() => undefined)
      .then(open.remove)
    return { result, removed }
  } catch (error) {
    await open.remove()
    throw error
  }
}

/** Whoever opens it removes it. Where it fails nothing of it is left. */
export async function openSandbox(parts: SandboxParts, spec: SandboxSpec): Promise<OpenSandbox> {
  const { containers, networks, volumes } = parts
  const { role, image, idRange, workDir, files, inMemory = [], nesting = false } = spec
  const { forThisBoot = false, waitMs = 0 } = spec
  const id = `${role}-${spec.id}`
  const volume = spec.volume ?? id
  const over = new AbortController()
  const appsAreBusy = watchApps(containers)
  async function remove(): Promise<void> {
    over.abort()
    await removeSandbox(parts, id)
    if (spec.volume === null) await volumes.remove(volume)
  }
  await removeSandbox(parts, id)
  try {
    if (spec.volume === null) await volumes.remove(volume)
    const [network] = await Promise.all([
      networks.ensure(id),
      ensureVolume(volumes, { name: volume, idRange, sizeBytes: spec.limits.diskBytes }, forThisBoot),
    ])
    const { memoryBytes, cpuMillis, pids, timeMs } = spec.limits
    // Should nobody be there to end it, it ends by itself.
    const sleeping = ['/bin/sleep', String(Math.ceil((timeMs + spareMs + waitMs) / 1_000))]
    const first = spec.first?.(network.gateway) ?? null
    const limits = { memoryBytes, cpuMillis, pids, cpuWeight: 10 }
    await containers.create({
      id,
      image,
      command:
        first === null ? sleeping : ['/bin/sh', '-c', `"$@" & exec ${sleeping.join(' ')}`, 'sh', ...first],
      labels: { [roleLabel]: role },
      network: id,
      idRange,
      limits,
      nesting,
      ignoresSync: forThisBoot,
      // Whoever asks an app, such as the edge, is no container, and must not wait for a build either.
      aside: true,
      readOnlyRoot: true,
      mounts: [
        { kind: 'volume', volume, target: workDir, direct: true },
        ...['/tmp', '/run', ...inMemory].map((target) => ({
          ...{ kind: 'tmpfs' as const, target, sizeBytes: 64 * 2 ** 20 },
        })),
      ],
      files,
      stopGraceMs: 0,
    })
    await containers.start(id)
    return {
      sandbox: sandboxOf(containers, id),
      isReady: async () => (await containers.inspect(id).catch(() => null))?.status === 'running',
      begin: () => void giveWay(containers, id, { limits, appsAreBusy, signal: over.signal }),
      remove,
    }
  } catch (error) {
    await remove()
    throw error
  }
}

/**
 * Starts a program in a container that was started just now. Until its first process has become the container's program
 * it still has the runtime's memory, and the kernel lets nobody who joined its user namespace join the others.
 * The runtime may say no more than that it failed to start; nothing has run then.
 */
async function enter(
  containers: Containers,
  id: string,
  spec: ExecSpec,
  untilMs: number,
): Promise<ExecProcess> {
  for (; ; await sleep(10)) {
    try {
      return await containers.exec(id, spec)
    } catch (error) {
      const isEarly =
        isEngineError(error, 'internal') && /setns\(.*not permitted|fail startup/.test(error.message)
      if (!isEarly || Date.now() > untilMs) throw error
    }
  }
}

function sandboxOf(containers: Containers, id: string): Sandbox {
  const enterUntilMs = Date.now() + enterWithinMs
  const ahead: Promise<Waiting>[] = []

  /** One that waits for it, or else one of its own. */
  async function begin(spec: ExecSpec & { workingDir: string }): Promise<ExecProcess> {
    for (let next = ahead.shift(); next !== undefined; next = ahead.shift()) {
      const found = await next.catch(() => null)
      if (found === null || found.process.input === null || found.hasEnded()) continue
      found.process.input.write(goLine(spec))
      if (spec.input !== true) found.process.input.end()
      return found.process
    }
    return enter(containers, id, spec, enterUntilMs)
  }

  return {
    async beginAhead(count) {
      const spec = { command: waitCommand, input: true, aheadBytes }
      const begun = Array.from({ length: count }, () =>
        enter(containers, id, spec, enterUntilMs).then(waitingOf),
      )
      ahead.push(...begun)
      await Promise.all(begun)
    },
    async run(command, { input, output, environment = {}, onAnswer, onLine, workingDir } = {}) {
      const process = await begin({
        ...{ command, environment, aheadBytes },
        workingDir: posix.normalize(workingDir ?? '/'),
        input: input !== undefined,
      })
      const lines: string[] = []
      const read = (stream: BuildLine['stream']) => (text: string) => {
        lines.push(text)
        if (lines.length > keptLines) lines.shift()
        onLine?.({ stream, text })
      }
      // Who does not read on to the end says why with its exit code; an archive that can't be read is an error of ours.
      let unread: unknown = null
      const fed =
        input === undefined || process.input === null
          ? null
          : pipeline(input, process.input).catch(() => {
              unread = input.errored
            })
      await Promise.all([
        output === undefined
          ? eachLine(process.output, onAnswer ?? read('stdout'))
          : pipeline(process.output, output),
        process.errors === null ? null : eachLine(process.errors, read('stderr')),
        process.exited.then(() => input?.destroy()),
        fed,
      ])
      if (unread !== null && unread !== undefined) throw unread
      return { code: await process.exited, lines }
    },
    async wasOutOfMemory() {
      return (await containers.stats(id)).outOfMemoryKills > 0
    },
    async kill() {
      await containers.kill(id).catch(ignoreMissing)
    },
  }
}

interface Waiting {
  process: ExecProcess
  hasEnded(): boolean
}

function waitingOf(process: ExecProcess): Waiting {
  let hasEnded = false
  const end = () => {
    hasEnded = true
  }
  process.exited.then(end, end)
  // Who ended before it was told anything is seen by that.
  process.input?.on('error', end)
  return { process, hasEnded: () => hasEnded }
}

/** What an engine that was killed left: no work of it goes on. */
export async function sweepSandboxes(parts: SandboxParts, role: string): Promise<void> {
  for (const { id } of await parts.containers.list({ labels: { [roleLabel]: role } }))
    await removeSandbox(parts, id)
}

async function removeSandbox({ containers, networks }: SandboxParts, id: string): Promise<void> {
  await containers.remove(id, { force: true })
  await networks.remove(id)
}

/** One of another size, range or boot is not what is wanted. */
async function ensureVolume(
  volumes: Volumes,
  spec: { name: string; idRange: IdRange; sizeBytes: number },
  forThisBoot: boolean,
): Promise<void> {
  const labels: Record<string, string> = forThisBoot ? { [bootLabel]: bootId() } : {}
  const found = await volumes.inspect(spec.name).catch(orNull)
  if (found !== null && found.labels[bootLabel] !== labels[bootLabel]) await volumes.remove(spec.name)
  try {
    await volumes.create({ ...spec, labels })
  } catch (error) {
    if (!isEngineError(error, 'already-exists')) throw error
    await volumes.remove(spec.name)
    await volumes.create({ ...spec, labels })
  }
}

function orNull(error: unknown): null {
  if (isEngineError(error, 'not-found')) return null
  throw error
}

function ignoreMissing(error: unknown): void {
  if (!isEngineError(error, 'not-found') && !isEngineError(error, 'failed-precondition')) throw error
}
