/** A container as others see it: in a list, and with all that is known of it. */
import type { RuntimeClass } from '../runtime/classes.ts'
import type { DiskLimit } from '../volumes/limited-folder.ts'
import type { Health } from './container-health.ts'
import type { ContainerSpec } from './container-spec.ts'

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
  /** The most that it held at once until it ended, file cache included; null while it runs, or where nobody knows. */
  memoryPeakBytes: number | null
  restarts: number
  /** Null without a health check, also its image's, and while it does not run. */
  health: Health | null
  createdAt: string
  startedAt: string | null
  finishedAt: string | null
}

export type ContainerStatus = 'created' | 'running' | 'paused' | 'exited'

/** All that is known of it. Values of its environment are secrets more often than not, and stay out. */
export interface ContainerDetails extends Container {
  spec: Omit<ContainerSpec, 'environment' | 'files'> & { environmentNames: string[]; fileTargets: string[] }
  isolation: ContainerIsolation
  /** What keeps its writable layer from outgrowing `limits.diskBytes`. */
  diskLimitedBy: DiskLimit
  /** Path of its control group, below each hierarchy. */
  cgroup: string
  logFile: string
}

/** As it is or would be when it runs. */
export interface ContainerIsolation {
  /** It has its own of each of these; none is the host's. What it lacks it shares with the container that it joins. */
  namespaces: string[]
  /** All that any of its processes can have. */
  capabilities: string[]
  /** No program in it gives more rights than whoever starts it has. */
  noNewPrivileges: true
  /**
   * No mounting, no new namespaces, no tracing of others, no keys, no kernel crypto sockets … `nesting`: the same, but
   * for mounts and namespaces inside its own user namespace.
   */
  seccomp: 'strict' | 'nesting'
  /** Refused beside what the profile refuses. */
  refusedSyscalls: string[]
  /** Nothing can be read there. */
  maskedPaths: string[]
  readOnlyPaths: string[]
  readOnlyRoot: boolean
  runtimeClass: RuntimeClass
}
