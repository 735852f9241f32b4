/**
 * Containers: `created → running → exited`, then removed. A monitor (conmon) outlives the engine's process, so
 * containers run on while the engine is away, and exit codes and logs are never lost.
 *
 * `create` reserves everything and starts nothing; `start` runs the process; `stop` sends the stop signal, waits for
 * the grace, then kills; `remove` frees mounts, interfaces, cgroups and files. Each may be called twice.
 */
import type { IdRange } from '../snapshots/snapshots.ts'

export interface Containers {
  create(spec: ContainerSpec, options?: { signal?: AbortSignal }): Promise<Container>
  start(id: string, options?: { signal?: AbortSignal }): Promise<Container>
  stop(id: string, options?: { graceMs?: number; signal?: AbortSignal }): Promise<Container>
  /** `force` kills it first if it runs; otherwise failed-precondition. No error if it is not there. */
  remove(id: string, options?: { force?: boolean }): Promise<void>
  /** Throws not-found. */
  inspect(id: string): Promise<Container>
  /** Those whose labels include all of these. */
  list(filter?: { labels?: Record<string, string> }): Promise<Container[]>
  /** Resolves when it has exited (at once if it has). */
  wait(id: string, options?: { signal?: AbortSignal }): Promise<Container>
  /** Lines in the order in which they were written, each stream's partial writes joined. */
  logs(id: string, options?: LogOptions): AsyncIterable<LogLine>
  /** TCP ports on which a running container listens on any address but loopback, lowest first. */
  listeningPorts(id: string): Promise<number[]>
  /** Each change of state from now on, until the signal. Missed ones are seen with list(). */
  events(options?: { signal?: AbortSignal }): AsyncIterable<ContainerEvent>
}

export interface ContainerSpec {
  /** Chosen by the caller, unique on this host: [a-z0-9][a-z0-9_.-]{0,62}. */
  id: string
  /** Digest of an image that was pulled. */
  image: string
  /** Replaces the image's entrypoint and command. */
  command?: string[]
  /** Added to the image's environment. */
  environment?: Record<string, string>
  hostname?: string
  labels?: Record<string, string>
  /** Name of a network; it is made if it is not there. */
  network: string
  /** Names under which the network's other containers find it. */
  aliases?: string[]
  limits: ContainerLimits
  /** Host ids that the container's own user namespace is mapped to. */
  idRange: IdRange
  stopSignal?: string
  /** What happens when it exits by itself; default `no`. */
  restart?: 'no' | 'on-failure' | 'always'
  runtimeClass?: 'default'
}

export interface ContainerLimits {
  /** Memory and swap together: a container never swaps. */
  memoryBytes: number
  /** Thousandths of a processor. */
  cpuMillis: number
  pids: number
}

export type ContainerStatus = 'created' | 'running' | 'exited'

export interface Container {
  id: string
  image: string
  status: ContainerStatus
  labels: Record<string, string>
  network: string
  /** IPv4 address in its network. */
  address: string
  pid: number | null
  /** 128 + signal when a signal ended it; null while it runs, or when the host went down under it. */
  exitCode: number | null
  oomKilled: boolean
  restarts: number
  createdAt: string
  startedAt: string | null
  finishedAt: string | null
}

export interface LogOptions {
  /** Goes on with new lines until the container is removed or the signal. */
  follow?: boolean
  /** Only the last so many lines. */
  tail?: number
  /** Only lines after this cursor (of an earlier LogLine). */
  after?: string
  signal?: AbortSignal
}

export interface LogLine {
  /** ISO 8601, nanoseconds, UTC. */
  time: string
  stream: 'stdout' | 'stderr'
  text: string
  /** Where to go on after this line, also in another process. */
  cursor: string
}

export interface ContainerEvent {
  type: 'created' | 'started' | 'exited' | 'removed'
  container: Container
}
