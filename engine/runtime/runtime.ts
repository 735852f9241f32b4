/**
 * What runs containers: a runtime in the sense of the OCI runtime specification (1.0.2), and a monitor that stays with each
 * container, keeps its output and its exit code, and needs no engine to do so.
 *
 * A container is made of a **bundle**, a folder that its caller makes and removes, whose `rootfs` is mounted by then: the
 * runtime reads no image, and knows of no network but the namespace that it makes. `create` leaves a first process that
 * waits, so that whoever knows its pid can put a network into its namespaces; `start` lets it go on. When it has ended, its
 * exit code is a file in `exitDir`, named by id, which comes by one rename. `delete` may be called at any time, twice, and
 * by another engine than the one that made the container.
 *
 * Errors are EngineError: invalid where what was to be run is at fault, unsupported where this host lacks something,
 * internal with what the runtime said.
 */
import type { CgroupMode } from '../sys/cgroups.ts'
import type { RuntimeClass } from './classes.ts'
import type { ResolvedSpec } from './spec.ts'

export interface Runtime {
  readonly name: 'crun' | 'runc'
  readonly version: string
  readonly cgroups: CgroupMode
  /**
   * Writes the bundle's `config.json` and makes the container; its first process waits. Answers with that process's pid.
   * When it throws, nothing runs, and `delete` takes away what there is.
   */
  create(id: string, bundle: string, log: RunLog, spec: RunSpec): Promise<number>
  /** Lets the first process go on. */
  start(id: string): Promise<void>
  /**
   * Starts one more process in a container that runs, and resolves with its exit code: `128 + signal` for a signal.
   * The runtime writes its host pid to `pidFile`. Throws invalid when it could not be started.
   */
  exec(id: string, options: ExecOptions): Promise<number>
  /** Kills what runs and forgets the container, and waits for its monitor to end; no error if there is none. */
  delete(id: string, bundle: string): Promise<void>
  /** Waits until the monitor of a container that has ended is done with it: if an exit code comes, it is there. */
  untilMonitorEnds(id: string, bundle: string): Promise<void>
  /** Ids of all containers that the runtime remembers. */
  list(): Promise<string[]>
  /** Folder in which conmon leaves exit codes, a file named by id. */
  readonly exitDir: string
}

export interface RunLog {
  file: string
  /** At this size its monitor begins it anew, and throws away what is in it. */
  maxBytes: number
}

export interface RunSpec extends Omit<ResolvedSpec, 'seccomp'> {
  runtimeClass: RuntimeClass
  refusedSyscalls: string[]
  /** Whether it may mount and make namespaces inside its own. */
  nesting: boolean
  /** Whether fsync(2) and its like do nothing. */
  ignoresSync: boolean
}

export interface ExecOptions {
  /** A file with the `process` of the runtime specification. */
  processFile: string
  pidFile: string
  logFile: string
  /** Named pipes; without a terminal. `input` null: its standard input has ended. */
  pipes: { input: string | null; output: string; errors: string } | null
  /** Where the master of its terminal is sent. */
  consoleSocket: string | null
}
