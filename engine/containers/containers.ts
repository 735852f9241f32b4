/**
 * Containers: `created → running ⇄ paused → exited`, then removed. A monitor (conmon) outlives the engine's process, so
 * containers run on while the engine is away, and exit codes and logs are never lost.
 *
 * `create` reserves everything and starts nothing; `start` runs the process; `stop` sends the stop signal, waits for
 * the grace, then kills; `remove` frees mounts, interfaces, cgroups and files. Each may be called twice.
 *
 * Wherever a container is asked for, its id or its name will do. What its status does not allow throws
 * failed-precondition (status.ts says what is allowed when), what is not there not-found, nonsense invalid.
 */
import type { Readable, Writable } from 'node:stream'
import type { CreateImageOptions, Image } from '../images/images.ts'
import type { Bandwidth, PublishedPort } from '../network/networks.ts'
import type { RuntimeClass } from '../runtime/classes.ts'
import type { IdRange } from '../snapshots/snapshots.ts'
import type { IoLimits } from '../sys/cgroup-limits.ts'
import type { CgroupUsage } from '../sys/cgroup-usage.ts'
import type { TerminalSize } from '../sys/terminal.ts'
import type { DiskLimit } from '../volumes/limited-folder.ts'

export interface Containers extends ContainerLife, ContainerMeasures, ContainerExec, ContainerFiles {
  create(spec: ContainerSpec, options?: { signal?: AbortSignal }): Promise<Container>
  /** `force` kills it first if it runs; otherwise failed-precondition. No error if it is not there. */
  remove(idOrName: string, options?: { force?: boolean }): Promise<void>
  /** Its id, its names in the network and all that refers to it stay as they are. Throws already-exists. */
  rename(idOrName: string, name: string): Promise<Container>
  /**
   * Changes limits, at once if it runs, and what its next end means. Throws failed-precondition, and changes nothing,
   * when the memory is below what it uses now.
   */
  update(idOrName: string, changes: ContainerChanges): Promise<Container>
  /**
   * Makes an image of its image and of what it changed. Its environment is not part of it, as it may hold secrets; the
   * command that replaced the image's is.
   */
  commit(idOrName: string, options?: CommitOptions): Promise<Image>
  inspect(idOrName: string): Promise<ContainerDetails>
  /** Those whose labels include all of these. */
  list(filter?: { labels?: Record<string, string> }): Promise<Container[]>
  /**
   * Lines in the order in which they were written, each stream's partial writes joined, across rotation. A reader that
   * is so slow that lines were removed before it goes on after them.
   */
  logs(idOrName: string, options?: LogOptions): AsyncIterable<LogLine>
  /** TCP ports on which a running container listens on any address but loopback, lowest first. */
  listeningPorts(idOrName: string): Promise<number[]>
  /**
   * Each change, in order, until the signal: from now on, or from after the cursor of an earlier event, which may be of
   * another process. Throws not-found when events after that one are not kept any more: list() and begin anew.
   */
  events(options?: EventOptions): AsyncIterable<ContainerEvent>
}

export interface EventOptions {
  /** Cursor of an earlier event. */
  after?: string
  /** Those of this time (ISO 8601) and later that are still kept, in place of a cursor. */
  since?: string
  /** Ends with this time. */
  until?: string
  signal?: AbortSignal
}

export interface CommitOptions extends CreateImageOptions {
  /** Whether it is held still meanwhile, so that no file is seen half written; default true. */
  pause?: boolean
}

export interface ContainerLife {
  start(idOrName: string, options?: { signal?: AbortSignal }): Promise<Container>
  /** It stays ended, whatever its restart policy. `graceMs`: default the container's own, or 10,000. */
  stop(idOrName: string, options?: { graceMs?: number; signal?: AbortSignal }): Promise<Container>
  /** A stop and a start. */
  restart(idOrName: string, options?: { graceMs?: number; signal?: AbortSignal }): Promise<Container>
  /**
   * SIGKILL, the default, is a stop without grace. Any other signal (`SIGHUP`, `HUP`, `1`) is only delivered to its
   * first process: if that ends it, the restart policy has its say.
   */
  kill(idOrName: string, options?: { killSignal?: string; signal?: AbortSignal }): Promise<Container>
  /** Holds all its processes still, and lets them go on. */
  pause(idOrName: string): Promise<Container>
  resume(idOrName: string): Promise<Container>
  /** Resolves when it has exited (at once if it has). */
  wait(idOrName: string, options?: { signal?: AbortSignal }): Promise<Container>
}

export interface ContainerExec {
  /**
   * Starts one more process in a container that runs. The signal ends exactly that process, at any time. The engine's
   * own end ends it too.
   */
  exec(idOrName: string, spec: ExecSpec, options?: { signal?: AbortSignal }): Promise<ExecProcess>
}

export interface ExecSpec {
  /** Throws invalid when there is no such program. */
  command: string[]
  /** Added to the container's environment. */
  environment?: Record<string, string>
  /** Name or number, with `:group` or without; default: the container's own. */
  user?: string
  workingDir?: string
  /** Without it standard input has ended. */
  input?: boolean
  /** Output and errors are one stream then, and there is input. */
  terminal?: TerminalSize
}

export interface ExecProcess {
  /** Null without input. Its end is the end of the process's input. */
  input: Writable | null
  output: Readable
  /** Null with a terminal. */
  errors: Readable | null
  /** Throws failed-precondition without a terminal. */
  resize(size: TerminalSize): void
  kill(killSignal?: string): void
  /** Its exit code, 128 + signal if one ended it; both streams may have more to read then. */
  exited: Promise<number>
}

export interface ContainerFiles {
  /** What differs from its image, by path. It is held still meanwhile. */
  diff(idOrName: string): Promise<FileChange[]>
  /**
   * A tar of a file, link or folder, named by the last part of its path. Links on the way lead nowhere but in the
   * container. One that does not run is without its mounts. What fails fails the stream: not-found, invalid.
   */
  copyOut(idOrName: string, path: string, options?: { signal?: AbortSignal }): Readable
  /**
   * Unpacks a tar (not compressed) below a folder that is there. Throws not-found, invalid, corrupt, limit-exceeded,
   * and leaves there what came before it.
   */
  copyIn(
    idOrName: string,
    folder: string,
    archive: Readable,
    options?: { signal?: AbortSignal },
  ): Promise<void>
}

export interface FileChange {
  kind: 'added' | 'modified' | 'deleted'
  /** Bytes of a name that are no UTF-8 are U+FFFD each. */
  path: string
}

export interface ContainerMeasures {
  /** What it has used since it was started. */
  stats(idOrName: string): Promise<ContainerStats>
  /** Now and then every so often (default 1,000), until it ends or the signal. */
  watchStats(
    idOrName: string,
    options?: { everyMs?: number; signal?: AbortSignal },
  ): AsyncIterable<ContainerStats>
  /** Its processes, by pid. */
  top(idOrName: string): Promise<ContainerProcess[]>
}

export interface ContainerSpec {
  /** Chosen by the caller, unique on this host: [a-z0-9][a-z0-9_.-]{0,62}. */
  id: string
  /** Digest of an image that was pulled. */
  image: string
  /** Replaces the image's entrypoint and command; with an `entrypoint`, these are its arguments. */
  command?: string[]
  /** Replaces the image's entrypoint, and leaves its command away. */
  entrypoint?: string[]
  /** Replaces the image's command and keeps its entrypoint. Without `command` and `entrypoint` only. */
  arguments?: string[]
  /** Added to the image's environment. */
  environment?: Record<string, string>
  /** Name or number of the image's /etc/passwd, with `:group` or without; default: the image's. */
  user?: string
  /** Made if it is not there; default: the image's. */
  workingDir?: string
  hostname?: string
  labels?: Record<string, string>
  /** Name of a network; it is made if it is not there. */
  network: string
  /** Names under which the network's other containers find it. */
  aliases?: string[]
  /** Ports of the host that lead to it while it runs, for what does not speak HTTP. */
  ports?: PublishedPort[]
  /** How fast it may receive and send; default as fast as the host. */
  bandwidth?: Bandwidth
  limits: ContainerLimits
  /** Host ids that the container's own user namespace is mapped to. */
  idRange: IdRange
  stopSignal?: string
  /** Between the stop signal and SIGKILL; default 10,000. */
  stopGraceMs?: number
  /** What happens when it exits by itself; default `no`. A stop is remembered, whatever this says. */
  restart?: 'no' | 'on-failure' | 'always'
  /** With `on-failure`: after so many failures in a row it stays ended. A run of 10 s is no failure in a row. */
  maxRestarts?: number
  mounts?: ContainerMount[]
  /** Nothing but what is mounted can be written to. */
  readOnlyRoot?: boolean
  /** A first process that passes signals on and buries whoever ended. */
  init?: boolean
  ulimits?: Ulimits
  /** Only these of the usual ones, such as CAP_CHOWN; none for an empty list. */
  capabilities?: string[]
  /** System calls that are refused beside the usual ones. */
  refusedSyscalls?: string[]
  /** Default: the image's, as it is when the container is made; `none` for none at all. */
  healthCheck?: HealthCheck | 'none'
  /** How much of its output is kept. */
  log?: LogLimits
  /** `runc` even where crun is used otherwise, `gvisor` where runsc is installed. Throws unsupported. */
  runtimeClass?: RuntimeClass
}

export type ContainerMount = TmpfsMount | VolumeMount

/**
 * The volume must be of the container's own id range. While it is empty when the container starts, it gets the files
 * that the image has there, and the owner and mode of that folder.
 */
export interface VolumeMount {
  kind: 'volume'
  volume: string
  target: string
  readOnly?: boolean
}

export interface TmpfsMount {
  kind: 'tmpfs'
  target: string
  sizeBytes: number
  readOnly?: boolean
}

/** Never above what the engine's own process may have. */
export interface Ulimits {
  /** Default 65,536. */
  openFiles?: number
  processes?: number
  /** Default 0. */
  coreBytes?: number
  fileBytes?: number
  stackBytes?: number
  lockedBytes?: number
}

/** How the engine finds out whether it works; it never restarts what does not, it only says so. */
export interface HealthCheck {
  test: HealthTest
  /** Between the end of one check and the next; default 30,000. */
  intervalMs?: number
  /** A check that takes longer has failed; default 30,000. */
  timeoutMs?: number
  /** So many failures in a row mean `unhealthy`; default 3. */
  retries?: number
  /** Failures this soon after its start don't count; default 0. */
  startPeriodMs?: number
}

export type HealthTest =
  /** Any answer of 200–399 is a good one. */
  | { kind: 'http'; port: number; path?: string }
  | { kind: 'tcp'; port: number }
  /** A process inside, as the container's user; exit code 0 is good. */
  | { kind: 'command'; command: string[] }

export interface Health {
  status: 'starting' | 'healthy' | 'unhealthy'
  /** In a row. */
  failures: number
  /** The last five, oldest first. */
  checks: { at: string; isGood: boolean; output: string }[]
}

export interface ContainerLimits {
  memoryBytes: number
  /** In addition to memory; default 0: a container never swaps. */
  swapBytes?: number
  /** Thousandths of a processor. */
  cpuMillis: number
  /** Share when processors are short, 1–10,000; default 100, as everybody. */
  cpuWeight?: number
  pids: number
  /** Of the disk that holds the engine's state; default: none. */
  io?: IoLimits
  /** Of its writable layer, at least 16 MiB; fixed at create. Default: none. */
  diskBytes?: number
}

/** When a file has this size it is put aside; the oldest of them goes. */
export interface LogLimits {
  /** Default 10 MiB, at least 4 KiB. */
  maxBytes?: number
  /** With the one that is written to; default 5, 2–1,000. */
  files?: number
}

export interface ContainerChanges {
  limits?: Partial<ContainerLimits>
  restart?: ContainerSpec['restart']
}

export type ContainerStatus = 'created' | 'running' | 'paused' | 'exited'

export interface Container {
  id: string
  /** What people call it: the id, until it is renamed. */
  name: string
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
  /** Null without a health check, also its image's, and while it does not run. */
  health: Health | null
  createdAt: string
  startedAt: string | null
  finishedAt: string | null
}

/** All that is known of it. Values of its environment are secrets more often than not, and stay out. */
export interface ContainerDetails extends Container {
  spec: Omit<ContainerSpec, 'environment'> & { environmentNames: string[] }
  isolation: ContainerIsolation
  /** What keeps its writable layer from outgrowing `limits.diskBytes`. */
  diskLimitedBy: DiskLimit
  /** Path of its control group, below each hierarchy. */
  cgroup: string
  logFile: string
}

/** As it is or would be when it runs. */
export interface ContainerIsolation {
  /** It has its own of each of these; none is the host's. */
  namespaces: string[]
  /** All that any of its processes can have. */
  capabilities: string[]
  /** No program in it gives more rights than whoever starts it has. */
  noNewPrivileges: true
  /** No mounting, no new namespaces, no tracing of others, no keys, no kernel crypto sockets … */
  seccomp: 'strict'
  /** Refused beside what the profile refuses. */
  refusedSyscalls: string[]
  /** Nothing can be read there. */
  maskedPaths: string[]
  readOnlyPaths: string[]
  readOnlyRoot: boolean
  runtimeClass: RuntimeClass
}

/** Sums since its start; the difference of two over the time between them is a rate. */
export interface ContainerStats extends CgroupUsage {
  at: string
  receivedBytes: number
  receivedPackets: number
  sentBytes: number
  sentPackets: number
  limits: { memoryBytes: number; cpuMillis: number; pids: number }
}

export interface ContainerProcess {
  /** As the container sees it. */
  pid: number
  hostPid: number
  /** As the container sees it. */
  uid: number
  /** R runs, S sleeps, D waits for a disk, T is stopped, Z has ended. */
  state: string
  cpuMs: number
  memoryBytes: number
  command: string[]
}

export interface LogOptions {
  /** Goes on with new lines until the container is removed or the signal. */
  follow?: boolean
  /** Only the last so many lines. */
  tail?: number
  /** Only lines after this cursor (of an earlier LogLine). */
  after?: string
  /** Only lines of this time (ISO 8601) and later. */
  since?: string
  /** Only lines of this time and earlier; one who follows stops at that time. */
  until?: string
  stream?: LogLine['stream']
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
  type: 'created' | 'started' | 'paused' | 'resumed' | 'renamed' | 'updated' | 'health' | 'exited' | 'removed'
  at: string
  /** As it was then. */
  container: Container
  /** Where to go on after this one. */
  cursor: string
}
