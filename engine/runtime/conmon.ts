/** The command line of conmon, which watches a container and outlives us. Pure. Source: conmon(8). */
export interface ConmonOptions {
  /** Path of conmon itself. */
  monitor: string
  id: string
  runtime: string
  runtimeArgs: string[]
  bundle: string
  exitDir: string
  logFile: string
  /** When the log has this size, it is begun anew. */
  logMaxBytes: number
  pidFile: string
  conmonPidFile: string
}

/** To be started with a pipe for its answer and one that lets it go on, whose numbers are in its environment. */
export function conmonCommand(options: ConmonOptions): string[] {
  return [
    options.monitor,
    '--api-version',
    '1',
    '--cid',
    options.id,
    '--cuuid',
    options.id,
    '--name',
    options.id,
    '--runtime',
    options.runtime,
    ...options.runtimeArgs.flatMap((arg) => ['--runtime-arg', arg]),
    '--bundle',
    options.bundle,
    '--container-pidfile',
    options.pidFile,
    '--conmon-pidfile',
    options.conmonPidFile,
    '--exit-dir',
    options.exitDir,
    // Its sockets and pipes go to the bundle.
    '--full-attach',
    '--socket-dir-path',
    options.bundle,
    '--log-path',
    `k8s-file:${options.logFile}`,
    '--log-size-max',
    String(options.logMaxBytes),
    '--log-level',
    'error',
    '--no-sync-log',
  ]
}
