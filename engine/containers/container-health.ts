/** Health checks, and what they found. */

/** How the engine finds out whether it works; it never restarts what does not, it only says so. */
export interface HealthCheck {
  test: HealthTest
  /** Between the end of one check and the next; default 30,000. */
  intervalMs?: number
  /** A check that takes longer has failed; default 30,000. */
  timeoutMs?: number
  /** So many failures in a row mean `unhealthy`; default 3. */
  retries?: number
  /** Failures this soon after its start don't count; default 0. */
  startPeriodMs?: number
}

export type HealthTest =
  /** Any answer of 200–399 is a good one. */
  | { kind: 'http'; port: number; path?: string }
  | { kind: 'tcp'; port: number }
  /** A process inside, as the container's user; exit code 0 is good. */
  | { kind: 'command'; command: string[] }

export interface Health {
  status: 'starting' | 'healthy' | 'unhealthy'
  /** In a row. */
  failures: number
  /** The last five, oldest first. */
  checks: { at: string; isGood: boolean; output: string }[]
}
