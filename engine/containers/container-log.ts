/** What a container wrote. */

export interface LogOptions {
  /** Goes on with new lines until the container is removed or the signal. */
  follow?: boolean
  /** Only the last so many lines. */
  tail?: number
  /** Only lines after this cursor (of an earlier LogLine). */
  after?: string
  /** Only lines of this time (ISO 8601) and later. */
  since?: string
  /** Only lines of this time and earlier; one who follows stops at that time. */
  until?: string
  stream?: LogLine['stream']
  signal?: AbortSignal
}

export interface LogLine {
  /** ISO 8601, nanoseconds, UTC. */
  time: string
  stream: 'stdout' | 'stderr'
  text: string
  /** Where to go on after this line, also in another process. */
  cursor: string
}
