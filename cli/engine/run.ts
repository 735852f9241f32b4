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
import { withLayers } from './images.ts'
import { print } from './logs.ts'
import { type EngineOptions, printJson } from './options.ts'
import type { Mount, Port } from './run-options.ts'

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
  restart: 'no' | 'on-failure' | 'always'
}

/** The container's own exit code is this command's, as with Docker; 125 when it could not be started. */
export async function run(image: string, command: string[], options: RunOptions): Promise<void> {
  const door = openDoor(options)
  const request = requestOf(image, command, options)
  const checked = runRequest.safeParse(request)
  if (!checked.success)
    throw new CommandError(
      checked.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('\n'),
      {
        exitCode: 125,
      },
    )
  try {
    await ensureImage(door, image)
    for (const mount of request.mounts ?? [])
      if (mount.kind === 'volume') await ensureVolume(door, mount.volume)
    const { id } = await door.ask<ContainerRow>('POST', '/containers', { body: request })
    if (options.detach) {
      const started = await start(door, id)
      if (options.json) printJson(started)
      else say(id)
      return
    }
    await attached(door, id, options)
  } catch (error) {
    if (error instanceof EngineRefusal) throw new CommandError(error.message, { cause: error, exitCode: 125 })
    throw error
  }
}

function requestOf(image: string, command: string[], options: RunOptions): RunRequest {
  const { memory, cpus, pidsLimit, entrypoint, user, workdir, stopTimeout, capDrop } = options
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
    environment: options.env ?? {},
    labels: options.label ?? {},
    ...(options.hostname === undefined ? {} : { hostname: options.hostname }),
    network: options.network,
    aliases: options.networkAlias ?? [],
    limits: {
      ...(memory === undefined ? {} : { memoryBytes: memory }),
      ...(cpus === undefined ? {} : { cpuMillis: Math.round(cpus * 1_000) }),
      ...(pidsLimit === undefined ? {} : { pids: pidsLimit }),
    },
    ...(options.stopSignal === undefined ? {} : { stopSignal: options.stopSignal }),
    restart: options.restart,
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
