/** What is asked for: all that a container is made with, and what may be changed later. */
import type { Bandwidth, PublishedPort } from '../network/networks.ts'
import type { RuntimeClass } from '../runtime/classes.ts'
import type { IoLimits } from '../sys/cgroup-limits.ts'
import type { IdRange } from '../sys/user-namespace.ts'
import type { HealthCheck } from './container-health.ts'

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
  /**
   * A container that runs, of the same id range: this one sees its processes and uses its network, as its user unless
   * `user` says otherwise, with no more rights than any container. Its own processes end with that one's. What
   * `network`, `aliases`, `ports` and `bandwidth` say is of no effect then.
   */
  joins?: string
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
  /** Files of the caller's, such as secrets. */
  files?: ContainerFile[]
  /** Nothing but what is mounted can be written to. */
  readOnlyRoot?: boolean
  /** A first process that passes signals on and buries whoever ended. */
  init?: boolean
  ulimits?: Ulimits
  /** Only these of the usual ones, such as CAP_CHOWN; none for an empty list. */
  capabilities?: string[]
  /**
   * It may mount and make mount, pid, uts and ipc namespaces inside its own user namespace, with the capabilities for
   * that, as building images needs. Never a user namespace, and nothing of the host's. For programs of the caller's.
   */
  nesting?: boolean
  /**
   * fsync(2) and its like say that all is well and do nothing. For what may be lost, and is not trusted once the host
   * was cut off. gVisor heeds them still.
   */
  ignoresSync?: boolean
  /**
   * Its share of the processors, and its giving way, count against everything on this host, and not against other
   * containers alone. Default false.
   */
  aside?: boolean
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
  /**
   * Past the host's own cache, where the volume is a file system of its own and what is below it can: what is written is in
   * memory once and goes to the disk once, and nothing of it is there once the volume is in use no more. For whoever writes
   * much and reads little of it again. Default false.
   */
  direct?: boolean
  target: string
  readOnly?: boolean
}

export interface TmpfsMount {
  kind: 'tmpfs'
  target: string
  sizeBytes: number
  readOnly?: boolean
}

/**
 * A file that only the container's user can read, and nobody can change. It is in memory while the container runs, and
 * never part of its root file system, of what is committed of it, or of what inspect shows.
 */
export interface ContainerFile {
  /** Where nothing else is mounted, and the image has no folder or link. */
  target: string
  /** All files of a container together have at most 1 MiB. */
  content: string
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

export interface ContainerLimits {
  memoryBytes: number
  /** In addition to memory; default 0: a container never swaps. */
  swapBytes?: number
  /** Thousandths of a processor. */
  cpuMillis: number
  /** Share when processors are short, 1–10,000; default 100, as everybody. */
  cpuWeight?: number
  /** It gives way at once to whoever else wants a processor, whatever its weight; default false. Before Linux 5.15 no word of it. */
  cpuIdle?: boolean
  /** Numbers of the processors that it may run on, such as 0,2-3; default: all. Without effect where the host shares out none. */
  cpus?: string
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
