/** One process of the platform, as the supervisor sees it. */
export interface Part {
  name: 'postgres' | 'redis' | 'registry' | 'web' | 'worker' | 'edge'
  /** Before each start: writes configuration, makes folders. */
  prepare?: () => Promise<void>
  argv: string[]
  env: Record<string, string>
  /** Opens what it gets as its descriptor 3. */
  opens?: () => number
  uid?: number
  gid?: number
  /** Resolves when it really answers, throws while it does not. `pid` is the present process. */
  check: (pid: number) => Promise<void>
  /**
   * Makes a process that an earlier supervisor left what a new one would be. Only parts that have this may be left, and
   * they write to a file.
   */
  takeOver?: (pid: number) => void | Promise<void>
  readyWithinMs: number
  stopSignal: NodeJS.Signals
  stopWithinMs: number
}

export interface PartContext {
  home: string
  settings: import('../settings.ts').Settings
  env: Record<string, string>
}
