import { abstractSocketName } from '../../platform/abstract-socket.ts'

/** Where the edge reaches the terminals of this host. */
export function terminalSocketName(edgeFolder: string): string {
  return abstractSocketName('terminal', edgeFolder)
}
