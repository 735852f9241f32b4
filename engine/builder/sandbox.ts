/** The container that one build runs in, with a network and a disk of its own. */
import { posix } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Containers } from '../containers/containers.ts'
import { isEngineError } from '../errors.ts'
import type { Networks } from '../network/networks.ts'
import type { Volumes } from '../volumes/volumes.ts'
import type { BuildLine, BuildSpec } from './builder.ts'
import {
  authFile,
  authText,
  environment,
  registriesText,
  relayCommand,
  secretFile,
  workDir,
} from './commands.ts'
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
  onLine?: (line: BuildLine) => void
  workingDir?: string
}

export interface Sandbox {
  run(command: string[], options?: RunOptions): Promise<Ran>
  /** Whether the kernel has ended a process of it for want of memory. */
  wasOutOfMemory(): Promise<boolean>
  /** Everything in it ends at once; what is waited for returns. */
  kill(): Promise<void>
}

/** Its containers can be told from all others, so that one who was killed leaves nothing that runs on. */
const role = { 'builder.role': 'build' }
const keptLines = 60
const spareMs = 60_000
const enterWithinMs = 2_000

export const volumeName = (cache: string) => `build-${cache}`
const networkName = (id: string) => `build-${id}`

/** Lends the sandbox of a build; whatever happens, nothing of it but the cache is there afterwards. */
export async function withSandbox<T>(
  parts: SandboxParts,
  spec: BuildSpec,
  image: string,
  work: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  const { containers, networks, volumes } = parts
  const id = networkName(spec.id)
  await removeSandbox(parts, id)
  await ensureCache(volumes, spec)
  try {
    const network = await networks.ensure(id)
    const { memoryBytes, cpuMillis, pids, timeMs } = spec.limits
    await containers.create({
      id,
      image,
      // Should nobody be there to end it, it ends by itself.
      command: ['/bin/sleep', String(Math.ceil((timeMs + spareMs) / 1_000))],
      labels: role,
      network: id,
      idRange: spec.idRange,
      limits: { memoryBytes, cpuMillis, pids, cpuWeight: 10 },
      nesting: true,
      readOnlyRoot: true,
      mounts: [
        { kind: 'volume', volume: volumeName(spec.cache), target: workDir },
        ...['/tmp', '/run'].map((target) => ({ kind: 'tmpfs' as const, target, sizeBytes: 64 * 2 ** 20 })),
      ],
      files: [
        { target: authFile, content: authText(spec.push) },
        { target: '/etc/containers/registries.conf', content: registriesText(spec.push) },
        ...Object.values(spec.secrets ?? {}).map((content, index) => ({
          target: secretFile(index),
          content,
        })),
      ],
      stopGraceMs: 0,
    })
    await containers.start(id)
    // The first to enter waits for the container; whoever comes after it need not.
    const relay = relayCommand(spec.push.reference, network.gateway)
    await enter(containers, id, relay ?? ['true'])
    return await work(sandboxOf(containers, id))
  } finally {
    await removeSandbox(parts, id)
  }
}

/**
 * Starts a program in a container that was started just now. Until its first process has become the container's program
 * it still has the runtime's memory, and the kernel lets nobody who joined its user namespace join the others.
 */
async function enter(containers: Containers, id: string, command: string[]): Promise<void> {
  for (const end = Date.now() + enterWithinMs; ; await sleep(10)) {
    try {
      await containers.exec(id, { command })
      return
    } catch (error) {
      const isEarly = isEngineError(error, 'internal') && /setns\(.*not permitted/.test(error.message)
      if (!isEarly || Date.now() > end) throw error
    }
  }
}

function sandboxOf(containers: Containers, id: string): Sandbox {
  return {
    async run(command, { input, onLine, workingDir } = {}) {
      const spec = {
        command,
        environment,
        workingDir: posix.normalize(workingDir ?? '/'),
        input: input !== undefined,
      }
      const process = await containers.exec(id, spec)
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
        eachLine(process.output, read('stdout')),
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

/** What an engine that was killed left: no build of it goes on. */
export async function sweepSandboxes(parts: SandboxParts): Promise<void> {
  for (const { id } of await parts.containers.list({ labels: role })) await removeSandbox(parts, id)
}

async function removeSandbox({ containers, networks }: SandboxParts, id: string): Promise<void> {
  await containers.remove(id, { force: true })
  await networks.remove(id)
}

/** A cache of another size or range is no cache of this build. */
async function ensureCache(volumes: Volumes, { cache, idRange, limits }: BuildSpec): Promise<void> {
  const name = volumeName(cache)
  const spec = { name, idRange, sizeBytes: limits.diskBytes }
  try {
    await volumes.create(spec)
  } catch (error) {
    if (!isEngineError(error, 'already-exists')) throw error
    await volumes.remove(name)
    await volumes.create(spec)
  }
}

function ignoreMissing(error: unknown): void {
  if (!isEngineError(error, 'not-found') && !isEngineError(error, 'failed-precondition')) throw error
}
