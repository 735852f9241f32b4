import { existsSync, writeFileSync } from 'node:fs'
import {
  type ContainerRow,
  type ImageRow,
  type RunRequest,
  runRequest,
} from '../../platform/model/engine-door.ts'
import { CommandError, say } from '../say.ts'
import { attach, startNew } from './attach.ts'
import { type Door, EngineRefusal, openDoor, orWithout } from './door.ts'
import { execIn } from './exec.ts'
import { withLayers } from './images.ts'
import { printJson } from './options.ts'
import { type RunOptions, requestOf } from './run-request.ts'

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
    const { id } = await make(door, requestOf(image, command, options), options)
    const started = await startNew(door, id)
    if (!options.detach) return attach(door, id, { onInterrupt: 'stop', removed: options.rm === true })
    if (options.json) printJson(started)
    else say(id)
  })
}

export async function create(image: string, command: string[], options: RunOptions): Promise<void> {
  await orRefused(async () => {
    const made = await make(openDoor(options), requestOf(image, command, options), options)
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
async function make(
  door: Door,
  request: RunRequest,
  options: Pick<RunOptions, 'pull' | 'quiet' | 'cidfile'>,
): Promise<ContainerRow> {
  const checked = runRequest.safeParse(request)
  if (!checked.success)
    throw new CommandError(
      checked.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('\n'),
      { exitCode: 125 },
    )
  const { cidfile } = options
  if (cidfile !== undefined && existsSync(cidfile))
    throw new CommandError(`There is a file ${cidfile} already.`, { exitCode: 125 })
  await ensureImage(door, request.image, options)
  for (const mount of request.mounts ?? [])
    if (mount.kind === 'volume') await ensureVolume(door, mount.volume)
  const made = await door.ask<ContainerRow>('POST', '/containers', { body: request })
  if (cidfile !== undefined) writeFileSync(cidfile, made.id, { flag: 'wx' })
  return made
}

const waiting = 'trap "exit 0" TERM; while :; do sleep 86400 & wait $!; done'

/** The container's first process waits, and what was asked for runs beside it, with our input or terminal. */
async function runInteractively(
  door: Door,
  image: string,
  command: string[],
  options: RunOptions,
): Promise<void> {
  await ensureImage(door, image, options)
  const { config } = await door.ask<{ config: { entrypoint: string[]; command: string[] } }>(
    'GET',
    '/images/inspect',
    { query: { name: image } },
  )
  const rest = command.length > 0 || options.entrypoint !== undefined ? command : config.command
  const argv = [...(options.entrypoint === undefined ? config.entrypoint : [options.entrypoint]), ...rest]
  if (argv.length === 0) throw new CommandError(`${image} has no command: give one.`, { exitCode: 125 })
  const { entrypoint: _, arguments: __, ...request } = requestOf(image, [], options)
  const { id } = await make(
    door,
    { ...request, entrypoint: ['/bin/sh', '-c', waiting] },
    { ...options, pull: 'never' },
  )
  await startNew(door, id)
  try {
    await execIn(id, argv, { ...options, env: {}, user: undefined, workdir: undefined })
  } finally {
    await (options.rm
      ? door.ask('DELETE', `/containers/${id}`, { query: { force: true } })
      : door.ask('POST', `/containers/${id}/stop`, { query: { graceSeconds: 2 } }))
  }
}

async function ensureImage(
  door: Door,
  reference: string,
  { pull, quiet }: Pick<RunOptions, 'pull' | 'quiet'>,
): Promise<void> {
  const bring = async () => {
    await withLayers<ImageRow>(door, '/images/pull', { reference }, quiet === true)
  }
  if (pull === 'always' && !reference.startsWith('sha256:')) return bring()
  await orWithout<unknown>(door.ask('GET', '/images/inspect', { query: { name: reference } }), async () => {
    if (reference.startsWith('sha256:') || pull === 'never')
      throw new CommandError(`${reference} is not here.`, { exitCode: 125 })
    if (!quiet) process.stderr.write(`${reference} is not here: pulling it\n`)
    await bring()
  })
}

async function ensureVolume(door: Door, name: string): Promise<void> {
  await orWithout<unknown>(door.ask('GET', `/volumes/${encodeURIComponent(name)}`), () =>
    door.ask('POST', '/volumes', { body: { name } }),
  )
}
