/**
 * Tools beside a container that has none: a container of the engine's own, with a shell and what busybox can do, that sees
 * the processes of the other and uses its network. Its image is made of this host's busybox, so nothing is fetched.
 */
import type { Container, ContainerLimits } from '../containers/containers.ts'

export interface Tools {
  /**
   * Starts them, as the user of the other container and with no more rights than any. The files of the other are at
   * `/proc/1/root` where the kernel lets that user look. It is its caller's to remove; it ends with the other, and one that
   * a killed engine left goes when the next one opens. Throws failed-precondition when the other does not run, unsupported
   * where this host has no static busybox.
   */
  beside(idOrName: string, options: ToolsOptions): Promise<Container>
}

export interface ToolsOptions {
  limits: ContainerLimits
  signal?: AbortSignal
}
