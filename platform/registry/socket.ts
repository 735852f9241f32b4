import { abstractSocketName } from '../abstract-socket.ts'

/**
 * Where Berth's registry is reached on the host: by a Unix socket, over which the edge carries a layer faster than over
 * the loopback device, and which no other program's port can stand in the way of.
 *
 * @param home the folder of all state.
 */
export function registrySocket(home: string): string {
  return abstractSocketName('registry', home)
}

/** Where its token service is: it is asked before each push and pull, and Next.js would take longer than its answer. */
export function registryTokenSocket(home: string): string {
  return abstractSocketName('registry-token', home)
}
