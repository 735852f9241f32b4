/**
 * The pipe in which the edge notes each request when it is over, and the worker reads and counts them. It has a name, so
 * that each of the two may come and go: what nobody has read yet waits in it, and when it is full the edge drops notes
 * rather than wait. The worker makes it.
 */
import { join } from 'node:path'

/** Tells HAProxy's configuration which of its descriptors the pipe is; without it, nothing is noted. */
export const requestLogVariable = 'BERTH_REQUEST_LOG'

export function requestLogPath(home: string): string {
  return join(home, 'run', 'requests.fifo')
}
