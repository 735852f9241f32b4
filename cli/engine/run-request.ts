/** The flags of `run` and `create`, and what the engine is asked for by them. */
import type { RunRequest } from '../../platform/model/engine-door.ts'
import { type LimitOptions, limitsOf } from './limit-options.ts'
import { newName } from './new-name.ts'
import { type EngineOptions, sizeInBytes } from './options.ts'
import {
  type LogOption,
  labelsOf,
  type Mount,
  type Port,
  type Restart,
  type Ulimits,
  variablesOf,
} from './run-options.ts'

export interface RunOptions extends EngineOptions, LimitOptions {
  detach?: boolean
  rm?: boolean
  name?: string
  env?: Record<string, string>
  label?: Record<string, string>
  hostname?: string
  network: string
  networkAlias?: string[]
  stopSignal?: string
  stopTimeout?: number
  entrypoint?: string
  user?: string
  workdir?: string
  volume?: Mount[]
  tmpfs?: Mount[]
  publish?: Port[]
  readOnly?: boolean
  init?: boolean
  capDrop?: string[]
  restart?: Restart
  interactive?: boolean
  tty?: boolean
  envFile?: string[]
  labelFile?: string[]
  cidfile?: string
  pull: 'missing' | 'always' | 'never'
  quiet?: boolean
  mount?: Mount[]
  ulimit?: Ulimits
  storageOpt?: Record<string, string>
  logOpt?: LogOption
  healthCmd?: string
  healthInterval?: number
  healthTimeout?: number
  healthRetries?: number
  healthStartPeriod?: number
  healthcheck: boolean
}

/** What the engine is asked for. Throws CommandError for flags that contradict each other. */
export function requestOf(image: string, command: string[], options: RunOptions): RunRequest {
  const { entrypoint, user, workdir, stopTimeout, capDrop } = options
  const healthCheck = healthCheckOf(options)
  return {
    id: options.name ?? newName(),
    image,
    // As with Docker: what stands behind the image are arguments of its entrypoint.
    ...(entrypoint !== undefined
      ? { entrypoint: [entrypoint], command }
      : command.length === 0
        ? {}
        : { arguments: command }),
    ...(user === undefined ? {} : { user }),
    ...(workdir === undefined ? {} : { workingDir: workdir }),
    ...(options.readOnly === undefined ? {} : { readOnlyRoot: options.readOnly }),
    ...(options.init === undefined ? {} : { init: options.init }),
    droppedCapabilities: capDrop ?? [],
    ...(stopTimeout === undefined ? {} : { stopGraceMs: stopTimeout * 1_000 }),
    mounts: [...(options.volume ?? []), ...(options.tmpfs ?? []), ...(options.mount ?? [])],
    ports: options.publish ?? [],
    environment: Object.assign({}, ...(options.envFile ?? []).map(variablesOf), options.env),
    labels: Object.assign({}, ...(options.labelFile ?? []).map(labelsOf), options.label),
    // In front it is removed once its last lines are shown.
    removeWhenEnded: options.rm === true && options.detach === true,
    ...(options.hostname === undefined ? {} : { hostname: options.hostname }),
    network: options.network,
    aliases: options.networkAlias ?? [],
    limits: limitsOfRun(options),
    ...(options.ulimit === undefined ? {} : { ulimits: options.ulimit }),
    ...(options.logOpt === undefined ? {} : { log: options.logOpt }),
    ...(healthCheck === null ? {} : { healthCheck }),
    ...(options.stopSignal === undefined ? {} : { stopSignal: options.stopSignal }),
    ...options.restart,
  }
}

function limitsOfRun(options: RunOptions): NonNullable<RunRequest['limits']> {
  const diskSize = options.storageOpt?.size
  return {
    ...limitsOf(options, { exitCode: 125 }),
    ...(diskSize === undefined ? {} : { diskBytes: sizeInBytes(diskSize) }),
  }
}

function healthCheckOf(options: RunOptions): NonNullable<RunRequest['healthCheck']> | null {
  if (!options.healthcheck) return 'none'
  if (options.healthCmd === undefined) return null
  const { healthInterval, healthTimeout, healthRetries, healthStartPeriod } = options
  return {
    test: { kind: 'command', command: ['/bin/sh', '-c', options.healthCmd] },
    ...(healthInterval === undefined ? {} : { intervalMs: healthInterval }),
    ...(healthTimeout === undefined ? {} : { timeoutMs: healthTimeout }),
    ...(healthRetries === undefined ? {} : { retries: healthRetries }),
    ...(healthStartPeriod === undefined ? {} : { startPeriodMs: healthStartPeriod }),
  }
}
