/**
 * Berth, Docker and podman as they run one small container each: on a network of their own, limited in memory,
 * processor and processes. Berth's has its user namespace and seccomp profile, as always. Docker and podman have a
 * network namespace of their own, since they would change the machine's firewall.
 */
import { join } from 'node:path'
import { run } from '../../cli/processes.ts'
import type { BenchContext } from '../bench.ts'
import { provide } from '../images/image.ts'
import { sleeperImage } from '../images/sleeper.ts'
import { openBerth } from './berth.ts'
import { startDocker } from './docker.ts'
import { openNamespace } from './namespace.ts'
import { openPodman } from './podman.ts'
import { processorSeconds } from './processor-time.ts'
import { startRegistry } from './registry.ts'

export interface Runner {
  name: string
  /** Starts container `id` in the background; answers when it runs. By itself it sleeps, and SIGTERM is nothing to it. */
  start(id: string, command?: string[]): Promise<unknown>
  exec(id: string): Promise<unknown>
  /** Asks it to end, and answers when it has. */
  stop(id: string): Promise<unknown>
  /** Ends it at once and removes it. */
  remove(id: string): Promise<unknown>
  /** What the command lines of all its processes have in common, but for those inside containers. */
  mark: string
  /** How long its event loop stood still at most since the last time, in seconds; Berth's alone. */
  blocked?: () => Promise<number>
  /** Measures once what all its containers use; answers with the seconds of the processor that it took. */
  measure(): Promise<number>
}

export interface RunnersOptions {
  /** Which of Berth's containers its sampler finds, and the stores that it writes into. */
  sampling?: { labels: Record<string, string>; environment: Record<string, string> }
}

export type MaybeRunner = Runner | { name: string; absent: string }

const limits = { memory: '67108864', cpus: '0.5', pids: '64' }
const network = 'bench'
const sleep = ['/bin/sleep', '1000000']
/** Ends at once when it is asked. */
export const polite = ['/bin/sh', '-c', 'trap "exit 0" TERM; sleep 1000000 & wait']

export async function openRunners(
  context: BenchContext,
  options: RunnersOptions = {},
): Promise<{ berth: Runner; peers: MaybeRunner[] }> {
  const registry = await startRegistry(context)
  const image = await provide(sleeperImage, registry, context)
  const namespace = await openNamespace(context)
  const archive = join(context.folder, 'sleeper.tar')
  const name = 'localhost/bench/sleeper:1'
  const copy = ['skopeo', 'copy', '--insecure-policy', `oci:${image.layout}:1`]
  await run([...copy, `docker-archive:${archive}:${name}`], { signal: context.signal })
  const berth = await berthRunner(context, registry, image.reference, options)
  const peers = [
    await dockerRunner(context, namespace, archive, name),
    await podmanRunner(context, namespace, archive, name),
  ]
  await warmUp(berth)
  return { berth, peers: await Promise.all(peers.map((peer) => warmUp(peer, context.signal))) }
}

/** The first start loads code and compiles what later ones use again. Who fails at it is out. */
async function warmUp<T extends MaybeRunner>(runner: T, signal?: AbortSignal): Promise<MaybeRunner> {
  if ('absent' in runner) return runner
  try {
    await runner.start('warm')
    await runner.remove('warm')
    return runner
  } catch (error) {
    signal?.throwIfAborted()
    if (!signal) throw error
    return { name: runner.name, absent: error instanceof Error ? error.message : String(error) }
  }
}

async function berthRunner(
  context: BenchContext,
  registry: Parameters<typeof openBerth>[1],
  reference: string,
  { sampling }: RunnersOptions,
): Promise<Runner> {
  const engine = await openBerth(context, registry)
  await engine.call({ pull: reference })
  return {
    name: 'berth',
    start: (id, command = sleep) => engine.call({ start: id, network, command, labels: sampling?.labels }),
    exec: (id) => engine.call({ exec: id }),
    stop: (id) => engine.call({ stop: id }),
    remove: (id) => engine.call({ remove: id }),
    mark: engine.mark,
    blocked: () => engine.call({ blocked: true }),
    measure: () => engine.call({ sample: sampling?.environment ?? {} }),
  }
}

async function dockerRunner(
  context: BenchContext,
  namespace: string,
  archive: string,
  image: string,
): Promise<MaybeRunner> {
  const started = await startDocker(context, namespace)
  if (typeof started === 'string') return { name: 'docker', absent: started }
  const { docker, timed } = started
  const runner = await commandRunner(context, 'docker', docker, timed, { archive, image })
  context.defer(async () => {
    const ids = (await docker('ps', '--all', '--quiet')).split('\n').filter((id) => id !== '')
    if (ids.length > 0) await docker('rm', '--force', ...ids)
  })
  return runner
}

async function podmanRunner(
  context: BenchContext,
  namespace: string,
  archive: string,
  image: string,
): Promise<MaybeRunner> {
  const opened = await openPodman(context, namespace)
  if (typeof opened === 'string') return { name: 'podman', absent: opened }
  const { podman, timed } = opened
  // Some hosts don't let anybody raise these.
  const ulimits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1000:1000']
  const atOnce = ['--time', '0']
  const runner = await commandRunner(context, 'podman', podman, timed, { archive, image, ulimits, atOnce })
  context.defer(() => podman('rm', '--all', '--force', ...atOnce))
  return runner
}

interface CommandOptions {
  /** Holds the image, under that name. */
  archive: string
  image: string
  /** Flags of `run` besides the limits that all have. */
  ulimits?: string[]
  /** Flags of `rm` that spare the container no time. */
  atOnce?: string[]
}

/** A runner by a command line that takes Docker's words. Who can't load the image or make the network is out. */
async function commandRunner(
  { folder, signal }: BenchContext,
  name: string,
  command: (...args: string[]) => Promise<string>,
  timed: (...args: string[]) => Promise<number>,
  { archive, image, ulimits = [], atOnce = [] }: CommandOptions,
): Promise<MaybeRunner> {
  try {
    await command('load', '--quiet', '--input', archive)
    await command('network', 'create', network)
  } catch (error) {
    signal.throwIfAborted()
    return { name, absent: error instanceof Error ? error.message : String(error) }
  }
  const { memory, cpus, pids } = limits
  const limited = ['--memory', memory, '--memory-swap', memory, '--cpus', cpus, '--pids-limit', pids]
  const flags = ['--network', network, ...limited, ...ulimits]
  const mark = join(folder, name)
  const ofDaemon = () => processorSeconds((seen) => seen.command.includes(mark))
  return {
    name,
    start: (id, words = sleep) => command('run', '--detach', '--name', id, ...flags, image, ...words),
    exec: (id) => command('exec', id, '/bin/true'),
    stop: (id) => command('stop', id),
    remove: (id) => command('rm', '--force', ...atOnce, id),
    mark,
    async measure() {
      const before = ofDaemon()
      const own = await timed('stats', '--no-stream')
      return own + ofDaemon() - before
    },
  }
}
