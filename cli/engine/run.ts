import { randomInt } from 'node:crypto'
import {
  type ContainerRow,
  type ImageRow,
  type LogRow,
  type RunRequest,
  runRequest,
} from '../../platform/model/engine-door.ts'
import { CommandError, say } from '../say.ts'
import { type Door, EngineRefusal, openDoor, orWithout } from './door.ts'
import { execIn } from './exec.ts'
import { withLayers } from './images.ts'
import { print } from './logs.ts'
import { type EngineOptions, printJson, sizeInBytes } from './options.ts'
import {
  type LogOption,
  type Mount,
  type Port,
  type Restart,
  type Ulimits,
  variablesOf,
} from './run-options.ts'

interface RunOptions extends EngineOptions {
  detach?: boolean
  rm?: boolean
  name?: string
  env?: Record<string, string>
  label?: Record<string, string>
  hostname?: string
  network: string
  networkAlias?: string[]
  memory?: number
  cpus?: number
  pidsLimit?: number
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
  memorySwap?: number
  cpuShares?: number
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

/** The container's own exit code is this command's, as with Docker; 125 when it could not be started. */
export async function run(image: string, command: string[], options: RunOptions): Promise<void> {
  const isInteractive = options.interactive === true || options.tty === true
  if (isInteractive && options.detach)
    throw new CommandError('Leave -i and -t away with -d: exec -it comes to a container that runs.', {
      exitCode: 125,
    })
  await orRefused(async () => {
    const door = openDoor(options)
    if (isInteractive) return runInteractively(door, image, command, options)
    const { id } = await make(door, requestOf(image, command, options))
    if (!options.detach) return attached(door, id, options)
    const started = await start(door, id)
    if (options.json) printJson(started)
    else say(id)
  })
}

export async function create(image: string, command: string[], options: RunOptions): Promise<void> {
  await orRefused(async () => {
    const made = await make(openDoor(options), requestOf(image, command, options))
    if (options.json) printJson(made)
    else say(made.id)
  })
}

async function orRefused(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (error instanceof EngineRefusal) throw new CommandError(error.message, { cause: error, exitCode: 125 })
    throw error
  }
}

/** With its image and its volumes, which are made if they are not there. */
async function make(door: Door, request: RunRequest): Promise<ContainerRow> {
  const checked = runRequest.safeParse(request)
  if (!checked.success)
    throw new CommandError(
      checked.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('\n'),
      { exitCode: 125 },
    )
  await ensureImage(door, request.image)
  for (const mount of request.mounts ?? [])
    if (mount.kind === 'volume') await ensureVolume(door, mount.volume)
  return door.ask<ContainerRow>('POST', '/containers', { body: request })
}

const waiting = 'trap "exit 0" TERM; while :; do sleep 86400 & wait $!; done'

/** The container's first process waits, and what was asked for runs beside it, with our input or terminal. */
async function runInteractively(
  door: Door,
  image: string,
  command: string[],
  options: RunOptions,
): Promise<void> {
  await ensureImage(door, image)
  const { config } = await door.ask<{ config: { entrypoint: string[]; command: string[] } }>(
    'GET',
    '/images/inspect',
    {
      query: { name: image },
    },
  )
  const rest = command.length > 0 || options.entrypoint !== undefined ? command : config.command
  const argv = [...(options.entrypoint === undefined ? config.entrypoint : [options.entrypoint]), ...rest]
  if (argv.length === 0) throw new CommandError(`${image} has no command: give one.`, { exitCode: 125 })
  const { entrypoint: _, arguments: __, ...request } = requestOf(image, [], options)
  const { id } = await make(door, { ...request, entrypoint: ['/bin/sh', '-c', waiting] })
  await start(door, id)
  try {
    await execIn(id, argv, { ...options, env: {}, user: undefined, workdir: undefined })
  } finally {
    await (options.rm
      ? door.ask('DELETE', `/containers/${id}`, { query: { force: true } })
      : door.ask('POST', `/containers/${id}/stop`, { query: { graceSeconds: 2 } }))
  }
}

function requestOf(image: string, command: string[], options: RunOptions): RunRequest {
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
    mounts: [...(options.volume ?? []), ...(options.tmpfs ?? [])],
    ports: options.publish ?? [],
    environment: Object.assign({}, ...(options.envFile ?? []).map(variablesOf), options.env),
    labels: options.label ?? {},
    ...(options.hostname === undefined ? {} : { hostname: options.hostname }),
    network: options.network,
    aliases: options.networkAlias ?? [],
    limits: limitsOf(options),
    ...(options.ulimit === undefined ? {} : { ulimits: options.ulimit }),
    ...(options.logOpt === undefined ? {} : { log: options.logOpt }),
    ...(healthCheck === null ? {} : { healthCheck }),
    ...(options.stopSignal === undefined ? {} : { stopSignal: options.stopSignal }),
    ...options.restart,
  }
}

function limitsOf(options: RunOptions): NonNullable<RunRequest['limits']> {
  const { memory, memorySwap, cpus, cpuShares, pidsLimit, storageOpt } = options
  if (memorySwap !== undefined && memory === undefined)
    throw new CommandError('Give --memory too: --memory-swap counts memory and swap together.', {
      exitCode: 125,
    })
  return {
    ...(memory === undefined ? {} : { memoryBytes: memory }),
    ...(memory === undefined || memorySwap === undefined
      ? {}
      : { swapBytes: Math.max(0, memorySwap - memory) }),
    ...(cpus === undefined ? {} : { cpuMillis: Math.round(cpus * 1_000) }),
    // 1,024 shares are the weight of 100 that everybody has.
    ...(cpuShares === undefined ? {} : { cpuWeight: Math.max(1, Math.round((cpuShares * 100) / 1_024)) }),
    ...(pidsLimit === undefined ? {} : { pids: pidsLimit }),
    ...(storageOpt?.size === undefined ? {} : { diskBytes: sizeInBytes(storageOpt.size) }),
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

async function ensureImage(door: Door, reference: string): Promise<void> {
  await orWithout<unknown>(door.ask('GET', '/images/inspect', { query: { name: reference } }), async () => {
    if (reference.startsWith('sha256:'))
      throw new CommandError(`${reference} is not here.`, { exitCode: 125 })
    process.stderr.write(`${reference} is not here: pulling it\n`)
    return withLayers<ImageRow>(door, '/images/pull', { reference }, false)
  })
}

async function ensureVolume(door: Door, name: string): Promise<void> {
  await orWithout<unknown>(door.ask('GET', `/volumes/${encodeURIComponent(name)}`), () =>
    door.ask('POST', '/volumes', { body: { name } }),
  )
}

async function start(door: Door, id: string): Promise<ContainerRow> {
  try {
    return await door.ask<ContainerRow>('POST', `/containers/${id}/start`)
  } catch (error) {
    // What never ran leaves nothing behind.
    await door.ask('DELETE', `/containers/${id}`, { query: { force: true } }).catch(() => undefined)
    throw error
  }
}

async function attached(door: Door, id: string, options: RunOptions): Promise<void> {
  await start(door, id)
  const seen: { cursor?: string } = {}
  const following = new AbortController()
  let asked = 0
  const onSignal = () => {
    asked += 1
    if (asked > 1) process.exit(130)
    process.stderr.write('stopping it; once more leaves it to itself\n')
    door
      .ask('POST', `/containers/${id}/stop`)
      .catch((error) => process.stderr.write(`berth: ${error.message}\n`))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  const showing = show(door, id, { follow: true }, seen, following.signal)
  const ended = await door.work<never, ContainerRow>('GET', `/containers/${id}/wait`, {})
  following.abort()
  await showing
  await show(door, id, { follow: false, after: seen.cursor }, seen)
  if (options.rm) await door.ask('DELETE', `/containers/${id}`)
  if (ended.oomKilled) process.stderr.write(`berth: ${id} was out of memory and was killed\n`)
  process.exitCode = ended.exitCode ?? 255
}

async function show(
  door: Door,
  id: string,
  query: { follow: boolean; after?: string },
  seen: { cursor?: string },
  signal?: AbortSignal,
): Promise<void> {
  try {
    for await (const row of door.lines<LogRow>('GET', `/containers/${id}/logs`, { query, signal })) {
      await print(row, {})
      seen.cursor = row.cursor
    }
  } catch (error) {
    if (!signal?.aborted) throw error
  }
}

const first = [
  'amber',
  'brisk',
  'calm',
  'clear',
  'deep',
  'fair',
  'keen',
  'light',
  'proud',
  'quiet',
  'swift',
  'true',
]
const second = [
  'anchor',
  'beacon',
  'buoy',
  'canal',
  'dock',
  'ferry',
  'gull',
  'harbour',
  'keel',
  'mast',
  'pier',
  'tide',
]

function newName(): string {
  return `${first[randomInt(first.length)]}-${second[randomInt(second.length)]}-${randomInt(1_000, 10_000)}`
}
