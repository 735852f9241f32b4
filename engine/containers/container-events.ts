/** What changed, in order. */
import type { Container } from './container.ts'

export interface ContainerEvent {
  type: 'created' | 'started' | 'paused' | 'resumed' | 'renamed' | 'updated' | 'health' | 'exited' | 'removed'
  at: string
  /** As it was then. */
  container: Container
  /** Where to go on after this one. */
  cursor: string
}

export interface EventOptions {
  /** Cursor of an earlier event. */
  after?: string
  /** Those of this time (ISO 8601) and later that are still kept, in place of a cursor. */
  since?: string
  /** Ends with this time. */
  until?: string
  signal?: AbortSignal
}
