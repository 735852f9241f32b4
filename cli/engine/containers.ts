import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import type { ContainerRow, ImageRow, ListedRow, UpdateRequest } from '../../platform/model/engine-door.ts'
import { CommandError, say } from '../say.ts'
import { attach } from './attach.ts'
import { openDoor } from './door.ts'
import { type LimitOptions, limitsOf } from './limit-options.ts'
import { showLogs } from './logs.ts'
import {
  collect,
  command,
  duration,
  type EngineOptions,
  forEach,
  moment,
  pair,
  printJson,
  sizeInBytes,
  variable,
  withAlias,
} from './options.ts'
import { withRefusedOptions } from './refused-options.ts'
import { create, run } from './run.ts'
import {
  logOption,
  mount,
  networkName,
  port,
  restartPolicy,
  tmpfsMount,
  ulimit,
  volumeMount,
} from './run-options.ts'

export function addContainerCommands(engine: Command): void {
  const runLike = (usage: string, description: string) =>
    withAlias(withRefusedOptions(command(engine, usage, description)), '--net <name>', 'network', networkName)
      .argument('<image>', 'name or digest; it is pulled when it is not here')
      .argument('[command...]', "instead of the image's own")
      .option('--name <name>', 'default: two words and a number')
      .option('-e, --env <name=value>', 'a variable; NAME alone takes it from here', variable)
      .option('-l, --label <name=value>', 'a label', pair)
      .option('-h, --hostname <name>', 'its own name')
      .option('--network <name>', 'made when it is not there', networkName, 'operator')
      .option('--network-alias <name>', 'a name for it in its network', collect)
      .option('-m, --memory <size>', 'such as 512m', sizeInBytes)
      .option('--cpus <n>', 'such as 1.5', processors)
      .option('--pids-limit <n>', 'processes and threads', Number)
      .option('--entrypoint <program>', "instead of the image's own")
      .option('-u, --user <name>', 'name or number, with :group or without')
      .option('-w, --workdir <path>', 'where it runs')
      .option('-v, --volume <name:path[:ro]>', 'a volume; it is made when it is not there', volumeMount)
      .option('--tmpfs <path[:size=64m]>', 'a folder in memory', tmpfsMount)
      .option('--mount <fields>', 'type=volume,source=NAME,target=/PATH[,readonly], or type=tmpfs', mount)
      .option('-p, --publish <[address:]port:port[/udp]>', 'a port of the host that leads to it', port)
      .option('--read-only', 'nothing but what is mounted can be written to')
      .option('--init', 'a first process that passes signals on and buries whoever ended')
      .option('--cap-drop <name>', 'a capability that it does not have, or ALL', collect)
      .option('--stop-signal <name>', "instead of the image's own")
      .option('--stop-timeout <seconds>', 'between the stop signal and SIGKILL', Number)
      .option('--env-file <file>', 'variables, NAME=VALUE a line', collect)
      .option('--label-file <file>', 'labels, NAME=VALUE a line', collect)
      .option('--cidfile <file>', 'where its id is written; the file must not be there')
      .addOption(
        new Option('--pull <when>', 'whether its registry is asked')
          .choices(['missing', 'always', 'never'])
          .default('missing'),
      )
      .option('-q, --quiet', 'no progress of a pull')
      .option('--memory-swap <size>', 'memory and swap together', sizeInBytes)
      .option('--cpu-shares <n>', "its part when processors are short; 1024 is everybody's", Number)
      .option('--ulimit <name=n>', 'nofile, nproc, core, fsize, stack or memlock', ulimit)
      .option('--storage-opt <size=n>', 'how much it may write, such as size=1g', pair)
      .option('--log-opt <name=value>', 'max-size=10m or max-file=5', logOption)
      .option('--health-cmd <command>', 'a check by /bin/sh; exit code 0 is good')
      .option('--health-interval <time>', 'such as 30s', duration)
      .option('--health-timeout <time>', 'such as 5s', duration)
      .option('--health-retries <n>', 'so many failures in a row mean unhealthy', Number)
      .option('--health-start-period <time>', 'failures so soon do not count', duration)
      .option('--no-healthcheck', "not even the image's own")
      .option('--restart <policy>', 'no, on-failure, on-failure:5 or always', restartPolicy)
      .passThroughOptions()
  engine.enablePositionalOptions()
  runLike('create', 'create a container and start nothing').action(create)
  runLike('run', 'create a container and start it')
    .option('-i, --interactive', 'pass on standard input; the image must have /bin/sh')
    .option('-t, --tty', 'give it a terminal; the image must have /bin/sh')
    .option('-d, --detach', 'say its name and leave it running')
    .option('--rm', 'remove it when it ends')
    .action(run)
  const graceful = (name: string, description: string) =>
    withAlias(
      acting(engine, name, description).option('-t, --time <seconds>', 'the grace', Number),
      '--timeout <seconds>',
      'time',
      Number,
    )
  acting(engine, 'start', 'start containers')
    .option('-a, --attach', 'show what it writes, and end with its exit code')
    .action(start)
  command(engine, 'attach', 'show what a container writes from now on, and end with its exit code')
    .argument('<container>', 'its name')
    .action(async (id: string, options: EngineOptions) => {
      await attach(openDoor(options), id, { since: new Date().toISOString(), onInterrupt: 'leave' })
    })
  command(engine, 'port', 'ports of the host that lead to a container')
    .argument('<container>', 'its name')
    .argument('[port]', 'only to this one of it, such as 80 or 53/udp')
    .action(ports)
  graceful('stop', 'stop containers: the stop signal, the grace, then SIGKILL').action(act('stop'))
  graceful('restart', 'stop containers and start them again').action(act('restart'))
  acting(engine, 'kill', 'send a signal to containers')
    .option('-s, --signal <name>', 'such as HUP', 'KILL')
    .action(act('kill'))
  command(engine, 'commit', 'make an image of what a container is now')
    .argument('<container>', 'its name')
    .argument('[name]', 'such as tool:mine')
    .option('-a, --author <name>', 'who made it')
    .option('-m, --message <text>', 'what it is')
    .option('--no-pause', 'let it go on meanwhile')
    .action(commit)
  acting(engine, 'pause', 'hold all processes of containers still').action(act('pause'))
  acting(engine, 'unpause', 'let them go on').action(act('resume'))
  command(engine, 'rename', 'give a container another name')
    .argument('<container>', 'its name')
    .argument('<name>', 'the new one')
    .action(async (id: string, name: string, options: EngineOptions) => {
      const body = { name }
      await openDoor(options).ask('POST', `/containers/${encodeURIComponent(id)}/rename`, { body })
    })
  acting(engine, 'update', 'change limits, at once')
    .option('-m, --memory <size>', 'such as 512m', sizeInBytes)
    .option('--memory-swap <size>', 'memory and swap together', sizeInBytes)
    .option('--cpus <n>', 'such as 1.5', processors)
    .option('--cpu-shares <n>', "its part when processors are short; 1024 is everybody's", Number)
    .option('--pids-limit <n>', 'processes and threads', Number)
    .addOption(
      new Option('--restart <policy>', 'when it ends by itself').choices([
        'no',
        'on-failure',
        'always',
        'unless-stopped',
      ]),
    )
    .action(update)
  command(engine, 'rm', 'remove containers')
    .argument('<container...>', 'names')
    .option('-f, --force', 'also those that run')
    .option('-v, --volumes', 'nothing: every volume here has a name, and goes by `volume rm`')
    .action(async (names: string[], options: EngineOptions & { force?: boolean }) => {
      const door = openDoor(options)
      await forEach(names, async (id) => {
        await door.ask('DELETE', `/containers/${encodeURIComponent(id)}`, { query: { force: options.force } })
        return id
      })
    })
  command(engine, 'logs', 'what a container wrote')
    .argument('<container>', 'its name')
    .option('-f, --follow', 'go on with new lines until it ends')
    .option('-n, --tail <n>', 'how many of the last lines, or all', count, 'all')
    .option('-t, --timestamps', 'with times')
    .option('--since <time>', 'such as 15m, 24h or 2026-01-31T12:00:00Z', moment)
    .option('--until <time>', 'the same', moment)
    .action(showLogs)
  command(engine, 'wait', 'wait until containers end, and print their exit codes')
    .argument('<container...>', 'names')
    .action(async (names: string[], options: EngineOptions) => {
      const door = openDoor(options)
      await forEach(names, async (id) => {
        const ended = await door.work<never, ContainerRow>(
          'GET',
          `/containers/${encodeURIComponent(id)}/wait`,
          {},
        )
        return String(ended.exitCode ?? 255)
      })
    })
}

function acting(engine: Command, name: string, description: string): Command {
  return command(engine, name, description).argument('<container...>', 'names')
}

type ActOptions = EngineOptions & { time?: number; signal?: string }

/** Asks for the same with each, and says each that it was done with. */
function act(what: string): (names: string[], options: ActOptions) => Promise<void> {
  return async (names, options) => {
    const door = openDoor(options)
    const query = { graceSeconds: options.time, signal: options.signal }
    await forEach(names, async (id) => {
      await door.ask('POST', `/containers/${encodeURIComponent(id)}/${what}`, { query })
      return id
    })
  }
}

async function start(names: string[], options: ActOptions & { attach?: boolean }): Promise<void> {
  if (!options.attach) return act('start')(names, options)
  const [id, ...more] = names
  if (id === undefined || more.length > 0) throw new CommandError('Give one container with -a.')
  const since = new Date().toISOString()
  const door = openDoor(options)
  await door.ask('POST', `/containers/${encodeURIComponent(id)}/start`)
  await attach(door, id, { since, onInterrupt: 'stop' })
}

async function ports(id: string, asked: string | undefined, options: EngineOptions): Promise<void> {
  const path = `/containers/${encodeURIComponent(id)}`
  const { spec } = await openDoor(options).ask<{ spec: Pick<ListedRow, 'ports'> }>('GET', path)
  const wanted = asked === undefined || asked.includes('/') ? asked : `${asked}/tcp`
  const found = (spec.ports ?? []).filter(
    ({ containerPort, protocol }) => wanted === undefined || wanted === `${containerPort}/${protocol}`,
  )
  if (options.json) return printJson(found)
  if (wanted !== undefined && found.length === 0)
    throw new CommandError(`No port of the host leads to ${wanted} of ${id}.`)
  for (const { hostAddress, hostPort, containerPort, protocol } of found) {
    const there = `${hostAddress}:${hostPort}`
    say(wanted === undefined ? `${containerPort}/${protocol} -> ${there}` : there)
  }
}

async function commit(
  id: string,
  reference: string | undefined,
  options: EngineOptions & { author?: string; message?: string; pause: boolean },
): Promise<void> {
  const body = { reference, author: options.author, comment: options.message, pause: options.pause }
  const image = await openDoor(options).ask<ImageRow>(
    'POST',
    `/containers/${encodeURIComponent(id)}/commit`,
    { body },
  )
  if (options.json) return printJson(image)
  say(image.digest)
}

interface UpdateOptions extends EngineOptions, LimitOptions {
  restart?: UpdateRequest['restart'] | 'unless-stopped'
}

async function update(names: string[], options: UpdateOptions): Promise<void> {
  const restart = options.restart === 'unless-stopped' ? 'always' : options.restart
  const limits = limitsOf(options)
  const body: UpdateRequest = { limits, ...(restart === undefined ? {} : { restart }) }
  const door = openDoor(options)
  await forEach(names, async (id) => {
    await door.ask('PATCH', `/containers/${encodeURIComponent(id)}`, { body })
    return id
  })
}

function processors(text: string): number {
  const value = Number(text)
  if (value >= 0.01 && value <= 1_024) return value
  throw new InvalidArgumentError('It must be a number of processors such as 0.5 or 2.')
}

function count(text: string): string {
  if (text === 'all' || /^\d{1,9}$/.test(text)) return text
  throw new InvalidArgumentError('It must be a number of lines, or all.')
}
