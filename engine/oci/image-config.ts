/** What an image says of how it is run. Source: the OCI image specification 1.1, config.md. */
export interface ImageConfig {
  entrypoint: string[]
  command: string[]
  environment: Record<string, string>
  workingDir: string
  user: string
  /** TCP ports that the image says it listens on. */
  exposedPorts: number[]
  stopSignal: string
  labels: Record<string, string>
  /** HEALTHCHECK, if it has one; at most once a second. */
  healthCheck?: ImageHealthCheck
}

export interface ImageHealthCheck {
  /** Exit code 0 is good. */
  command: string[]
  intervalMs?: number
  timeoutMs?: number
  startPeriodMs?: number
  retries?: number
}
