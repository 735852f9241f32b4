/** What starts and ends a container. */
import type { Container } from './container.ts'

export interface ContainerLife {
  start(idOrName: string, options?: { signal?: AbortSignal }): Promise<Container>
  /** It stays ended, whatever its restart policy. `graceMs`: default the container's own, or 10,000. */
  stop(idOrName: string, options?: { graceMs?: number; signal?: AbortSignal }): Promise<Container>
  /** A stop and a start. Meanwhile it is removed by force only: whoever removes what has ended leaves it alone. */
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
