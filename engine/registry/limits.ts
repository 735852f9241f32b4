/** How long we wait for a registry, and how often we ask it again. Defaults are for the world outside; tests shorten them. */
export interface Limits {
  /** For a TCP connection. */
  connectMs: number
  /** From a request to the first line of its answer. */
  answerMs: number
  /** For the answer to the end of an upload: the registry may still hash and move what it got. */
  commitMs: number
  /** For the next bytes of an answer, or for the registry to take the next bytes of ours. */
  stallMs: number
  /** Answers may take this long, and longer only by what they are large: `slowestBytesPerSecond`. */
  bodyMs: number
  slowestBytesPerSecond: number
  /** Times that one thing is tried, and the wait after the first failure; it doubles, give or take a quarter. */
  tries: number
  firstWaitMs: number
  /** A cut after so much counts as the first one again: some registries end every long answer. */
  progressBytes: number
  /** A registry that wants us to wait for longer than this (`Retry-After`) is given up on. */
  longestWaitMs: number
  /** Pieces of this size come over `rangesAtOnce` connections, where a blob has more than two of them. */
  rangeBytes: number
  /** `auto`: 3, and 1 where all is on this machine, whose connections are not made quicker by more of them. */
  rangesAtOnce: number | 'auto'
  /** One request of an upload holds no more than this; proxies in between have limits of their own. */
  uploadChunkBytes: number
}

export const defaultLimits: Limits = {
  connectMs: 10_000,
  answerMs: 30_000,
  commitMs: 300_000,
  stallMs: 60_000,
  bodyMs: 60_000,
  slowestBytesPerSecond: 4_096,
  tries: 5,
  firstWaitMs: 250,
  longestWaitMs: 60_000,
  progressBytes: 256 * 1_024,
  rangeBytes: 8 * 2 ** 20,
  rangesAtOnce: 'auto',
  uploadChunkBytes: 32 * 2 ** 20,
}
