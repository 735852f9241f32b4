/** Berth's engine in a process of its own, told what to do by messages. It ends with whoever started it. */
import { createReadStream } from 'node:fs'
import { availableParallelism } from 'node:os'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { createEngine, type Engine, type EngineOptions } from '../../engine/index.ts'

export type BerthCall =
  | { pull: string }
  | { push: string; as: string }
  /** An archive of source, with a cache of its own that lasts until it is forgotten. */
  | { build: string; as: string; timeMs?: number }
  | { forgetBuilds: true }
  /** Removes every image. */
  | { forget: true }
  /** A container of the image that was pulled last. */
  | { start: string; network: string; command: string[]; labels?: Record<string, string> }
  /** The same in a network of its own; answers with its address. */
  | { serve: string; command: string[] }
  | { exec: string }
  | { stop: string }
  | { remove: string }
  /** Answers with the longest that the event loop stood still since the last time. */
  | { blocked: true }
  /** Measures all containers as the worker does, and answers with the seconds of the processor that it took. */
  | { sample: Record<string, string> }

export type BerthAnswer = { id: number; seconds: number; address?: string } | { id: number; error: string }

const answer = (message: BerthAnswer) => void process.send?.(message)
const says = (error: unknown) => (error instanceof Error ? error.message : String(error))
const options = JSON.parse(process.argv[2] ?? '') as EngineOptions
const opening = createEngine(options)
opening.then(
  () => answer({ id: 0, seconds: 0 }),
  (error) => answer({ id: 0, error: says(error) }),
)

const resolutionMs = 1
const delays = monitorEventLoopDelay({ resolution: resolutionMs })
delays.enable()
let image = ''

/** Answers with an address, where one was asked for. */
async function obey(engine: Engine, call: BerthCall): Promise<string | undefined> {
  if ('pull' in call) image = (await engine.images.pull(call.pull)).digest
  else if ('push' in call) await engine.images.push(call.push, { to: call.as })
  else if ('build' in call) await build(engine, call)
  else if ('forgetBuilds' in call) await engine.builder.dropCache(cache)
  else if ('forget' in call) {
    await engine.garbage.collect({ unusedForMs: 0, graceMs: 0 })
  } else if ('start' in call) {
    await start(engine, call.start, call)
  } else if ('serve' in call) {
    await engine.networks.ensure(call.serve)
    return (await start(engine, call.serve, { network: call.serve, command: call.command })).address
  } else if ('exec' in call) {
    const { output, errors, exited } = await engine.containers.exec(call.exec, { command: ['/bin/true'] })
    output.resume()
    errors?.resume()
    await exited
  } else if ('stop' in call) await engine.containers.stop(call.stop)
  else if ('remove' in call) await engine.containers.remove(call.remove, { force: true })
}

interface Run {
  network: string
  command: string[]
  labels?: Record<string, string>
}

function start(engine: Engine, id: string, { network, command, labels }: Run) {
  const limits = { memoryBytes: 64 * 2 ** 20, cpuMillis: 500, pids: 64 }
  const idRange = { base: 1_000_000, size: 65_536 }
  return engine.containers
    .create({ id, image, network, command, labels, limits, idRange })
    .then(() => engine.containers.start(id))
}

let sampling: Promise<() => Promise<number>> | undefined

/** Loaded when it is asked for: in every other bench it would count as the engine's memory. */
function openSampling(engine: Engine, environment: Record<string, string>): Promise<() => Promise<number>> {
  sampling ??= import('./sampling.ts').then((part) => part.openSampling(engine, environment))
  return sampling
}

const cache = 'bench'
let builds = 0

async function build(
  engine: Engine,
  { build: archive, as: reference, timeMs = 10 * 60_000 }: Extract<BerthCall, { build: string }>,
): Promise<void> {
  // As in Berth, but for that nothing is found there: what is cold is to stay so.
  const repository = `${reference.replace(/:[^:/]*$/, '')}/cache-${++builds}`
  await engine.builder.build(
    {
      id: `bench-${builds}`,
      source: { open: () => createReadStream(archive), format: 'tar' },
      push: { reference, insecure: true },
      cache,
      sharedCache: { repository },
      idRange: { base: 2_100_000_000, size: 65_536 },
      limits: {
        memoryBytes: 2 * 2 ** 30,
        cpuMillis: availableParallelism() * 1_000,
        pids: 2_048,
        diskBytes: 4 * 2 ** 30,
        timeMs,
      },
    },
    {},
  )
}

process.on('message', async ({ id, ...call }: BerthCall & { id: number }) => {
  const engine = await opening
  if ('blocked' in call) {
    const seconds = Math.max(0, delays.max / 1e9 - resolutionMs / 1e3)
    delays.reset()
    return answer({ id, seconds })
  }
  const startMs = performance.now()
  try {
    if ('sample' in call) {
      const sample = await openSampling(engine, call.sample)
      return answer({ id, seconds: await sample() })
    }
    const address = await obey(engine, call)
    answer({ id, seconds: (performance.now() - startMs) / 1_000, address })
  } catch (error) {
    answer({ id, error: says(error) })
  }
})

process.once('disconnect', async () => {
  await opening.then(end).catch(() => {})
  process.exit()
})

async function end(used: Engine): Promise<void> {
  // What waits for a next build goes with the engine that made it.
  await used.close()
  const engine = await createEngine(options)
  for (const { id } of await engine.containers.list()) await engine.containers.remove(id, { force: true })
  for (const { name } of await engine.networks.list()) await engine.networks.remove(name)
  await engine.close()
}
