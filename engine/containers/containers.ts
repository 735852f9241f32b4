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
import type { CreateImageOptions, Image } from '../images/images.ts'
import type { Container, ContainerDetails } from './container.ts'
import type { ContainerEvent, EventOptions } from './container-events.ts'
import type { ContainerExec } from './container-exec.ts'
import type { ContainerFiles } from './container-files.ts'
import type { ContainerLife } from './container-life.ts'
import type { LogLine, LogOptions } from './container-log.ts'
import type { ContainerMeasures } from './container-measures.ts'
import type { ContainerChanges, ContainerSpec } from './container-spec.ts'
import type { ListeningOn } from './listening-ports.ts'

export type * from './container.ts'
export type * from './container-events.ts'
export type * from './container-exec.ts'
export type * from './container-files.ts'
export type * from './container-health.ts'
export type * from './container-life.ts'
export type * from './container-log.ts'
export type * from './container-measures.ts'
export type * from './container-spec.ts'
export type { ListeningOn } from './listening-ports.ts'

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
  /**
   * TCP ports on which a running container listens, lowest first: where others reach it, or on loopback, where only it
   * does itself. Default: `network`.
   */
  listeningPorts(idOrName: string, on?: ListeningOn): Promise<number[]>
  /**
   * Each change, in order, until the signal: from now on, or from after the cursor of an earlier event, which may be of
   * another process. Throws not-found when events after that one are not kept any more: list() and begin anew.
   */
  events(options?: EventOptions): AsyncIterable<ContainerEvent>
}

export interface CommitOptions extends CreateImageOptions {
  /** Whether it is held still meanwhile, so that no file is seen half written; default true. */
  pause?: boolean
}
