/** A real engine on a state folder of its own, an image to run, and everything gone afterwards. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ContainerSpec, createEngine, type Engine, type EngineOptions } from '../../engine/index.ts'
import { commandLine, mountPointsOf, processStart } from '../../engine/sys/processes.ts'
import { type ImageSpec, pushImage } from './images.ts'
import { patience } from './patience.ts'
import { startRegistry, type TestRegistry } from './registry.ts'
import { until } from './until.ts'

export interface TestEngine {
  engine: Engine
  registry: TestRegistry
  stateDir: string
  /** Digest of a pulled image: busybox that sleeps. */
  image: string
  /** A valid spec with a fresh id. */
  spec(changes?: Partial<ContainerSpec>): ContainerSpec
  /** Pushes and pulls an image; answers with its digest. */
  pull(name: string, spec: ImageSpec): Promise<string>
  /** Closes the engine and opens its state anew; `engine` is the new one then. */
  reopen(): Promise<void>
  close(): Promise<void>
}

export const idRange = { base: 1_000_000, size: 65_536 }
let lastId = 0

export async function startEngine(options: Partial<EngineOptions> = {}): Promise<TestEngine> {
  const stateDir = await mkdtemp(join(tmpdir(), 'berth-engine-'))
  const registry = await startRegistry()
  const engineOptions = {
    registries: { [registry.host]: { url: `http://127.0.0.1:${registry.port}` } },
    networkPool: '10.90.0.0/16',
    ...options,
    stateDir,
  }
  const test: TestEngine = {
    engine: await createEngine(engineOptions),
    registry,
    stateDir,
    image: '',
    spec: (changes) => ({
      id: `c${++lastId}`,
      image: test.image,
      network: 'net',
      limits: { memoryBytes: 64 * 2 ** 20, cpuMillis: 500, pids: 64 },
      idRange,
      ...changes,
    }),
    async pull(name, spec) {
      const { reference } = await pushImage(registry, name, spec)
      return (await test.engine.images.pull(reference)).digest
    },
    async reopen() {
      await test.engine.close()
      test.engine = await createEngine(engineOptions)
    },
    async close() {
      for (const { id } of await test.engine.containers.list())
        await test.engine.containers.remove(id, { force: true })
      for (const { name } of await test.engine.networks.list()) await test.engine.networks.remove(name)
      await test.engine.close()
      await registry.stop()
      await until('nothing of the engine is left on the host', () => {
        const left = leftOnHost(stateDir)
        if (left.length > 0) throw new Error(left.join('\n'))
        return true
      })
      await rm(stateDir, { recursive: true, force: true })
    },
  }
  test.image = await test.pull('base:1', { command: ['/bin/sleep', '1000'] })
  return test
}

/** What a container wrote, once it has ended. */
export async function outputOf(engine: Engine, id: string): Promise<string[]> {
  await engine.containers.wait(id, { signal: AbortSignal.timeout(60_000 * patience) })
  return readLines(engine, id)
}

export async function readLines(engine: Engine, id: string): Promise<string[]> {
  return (await collect(engine.containers.logs(id))).map(({ text }) => text)
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of source) all.push(one)
  return all
}

/** Names of the folders in one; none where there is no such folder. */
function foldersIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  )
}

/** What the names of an engine's parts on the host are made with. */
export function instanceOf(stateDir: string): string {
  return createHash('sha256').update(stateDir).digest('hex').slice(0, 6)
}

/** Every process, mount, link, control group and short-lived file of an engine that the host still has. */
export function leftOnHost(stateDir: string): string[] {
  const instance = instanceOf(stateDir)
  const runDir = `/run/berth/${instance}`
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && processStart(Number(name)) !== null)
    .map(Number)
    .filter((pid) => {
      const line = commandLine(pid).join(' ')
      return line.includes(runDir) && !line.includes('spawner-child')
    })
  const processes = pids.map((pid) => commandLine(pid).join(' '))
  // Monitors have mounts of their own, where what was lent to a run must not stay.
  const lent = pids.flatMap(mountPointsOf).map(String)
  const mounts = [
    ...lent.filter((point) => point.startsWith(`${runDir}/`) || point.startsWith(`${stateDir}/`)),
    ...readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(runDir) || line.includes(stateDir)),
  ]
  const links = readdirSync('/sys/class/net').filter((name) => name.includes(instance))
  const hierarchies = [
    '/sys/fs/cgroup',
    ...foldersIn('/sys/fs/cgroup').map((name) => `/sys/fs/cgroup/${name}`),
  ]
  const cgroups = hierarchies.flatMap((root) => [
    ...foldersIn(`${root}/berth-${instance}`),
    ...foldersIn(root).filter((name) => name.startsWith(`berth-${instance}-aside-`)),
  ])
  const files = ['bundles', 'runtime', 'exits', 'names']
    .filter((name) => existsSync(join(runDir, name)))
    .flatMap((name) => readdirSync(join(runDir, name)).map((file) => `${name}/${file}`))
  return [...processes, ...mounts, ...links, ...cgroups, ...files]
}
