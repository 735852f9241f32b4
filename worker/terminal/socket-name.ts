import { createHash } from 'node:crypto'

/**
 * Where the edge reaches the terminals of this host: in the abstract namespace, as HAProxy as nobody need not reach the
 * state folder, and containers can't see it. HAProxy fills such names up to their full length with zeros, which count:
 * so this one has the full length itself (unix(7): 107 characters behind the zero).
 */
export function terminalSocketName(edgeFolder: string): string {
  const hash = createHash('sha256').update(edgeFolder).digest('hex').slice(0, 16)
  return `berth-terminal-${hash}`.padEnd(107, '-')
}
