/** An engine that builds, with a registry that its builds reach as they do in Berth. */
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { Readable, Transform } from 'node:stream'
import type { Builder, BuildOptions, BuildResult, BuildSpec } from '../../engine/index.ts'
import { commandLine } from '../../engine/sys/processes.ts'
import { startEngine, type TestEngine } from './engine.ts'
import { type ImageSpec, makeTar, pushImage, type TarEntry } from './images.ts'
import { freePort } from './registry.ts'
import { until } from './until.ts'

const firstId = 1_500_000_000
/** Of this repository nothing is ever answered. */
export const stalled = 'acme/stalled'

export interface TestBuilder {
  t: TestEngine
  builder: Builder
  /** Of the registry, as builds know it. */
  host: string
  /** The same registry, for whoever asks it on this host. */
  registryUrl: string
  /** How often something was asked of the repository that never answers. */
  held(): number
  /** What the last build said until now. */
  said(): readonly string[]
  specOf(source: Buffer, changes?: Partial<BuildSpec>): BuildSpec
  build(
    source: Record<string, string> | Buffer,
    changes?: Partial<BuildSpec>,
    options?: BuildOptions,
  ): Promise<BuildResult & { lines: string[]; spec: BuildSpec }>
  /** Pushes an image for builds to begin with; answers with its FROM line. */
  base(name: string, image: ImageSpec): Promise<string>
  /** Of builds; what waits for a next one is none. */
  nothingIsLeft(): Promise<void>
  close(): Promise<void>
}

export async function startBuilder(): Promise<TestBuilder> {
  const port = await freePort()
  const t = await startEngine({ allowedHostPorts: [port] })
  // Leads to the registry, as the edge does in Berth: the port of the host that builds may reach.
  const edge = createServer((socket) => {
    const registry = connect(t.registry.port, '127.0.0.1')
    socket
      .pipe(heldWhere(`/v2/${stalled}/`, () => held++))
      .pipe(registry)
      .pipe(socket)
    for (const end of [socket, registry]) end.on('error', () => end.destroy())
  }).listen(port)
  await once(edge, 'listening')
  const host = `localhost:${port}`
  let held = 0
  let last = 0
  let said: string[] = []

  const builder: TestBuilder = {
    t,
    builder: t.engine.builder,
    host,
    registryUrl: `http://127.0.0.1:${t.registry.port}`,
    held: () => held,
    said: () => said,
    specOf(source, changes = {}) {
      const id = `b${++last}`
      return {
        id,
        source: { open: () => Readable.from([source]), format: 'tar' },
        push: { reference: `${host}/acme/shop:${id}`, insecure: true },
        cache: id,
        idRange: { base: firstId, size: 65_536 },
        limits: {
          memoryBytes: 256 * 2 ** 20,
          cpuMillis: 2_000,
          pids: 256,
          diskBytes: 256 * 2 ** 20,
          timeMs: 60_000,
        },
        timestamp: new Date(1_000_000_000_000),
        ...changes,
      }
    },
    async build(source, changes, options) {
      const lines: string[] = []
      said = lines
      const spec = builder.specOf(Buffer.isBuffer(source) ? source : await tarOf(source), changes)
      const onLine: BuildOptions['onLine'] = (line) => {
        lines.push(line.text)
        options?.onLine?.(line)
      }
      return { ...(await t.engine.builder.build(spec, { ...options, onLine })), lines, spec }
    },
    async base(name, image) {
      // buildah wants as many steps in an image's history as it has layers.
      const count = (image.bare ? 0 : 1) + (image.files === undefined ? 0 : 1) + (image.layers?.length ?? 0)
      const history = Array.from({ length: count }, () => ({ created_by: 'a layer' }))
      await pushImage(t.registry, name, { ...image, history })
      return `FROM ${host}/${name}\n`
    },
    async nothingIsLeft() {
      // What has answered is removed behind that.
      await until('no sandbox of it is left', async () => {
        const { containers, networks } = t.engine
        const ids = (await containers.list()).map(({ id }) => id)
        const names = (await networks.list()).map(({ name }) => name)
        return ![...ids, ...names].some((name) => name.startsWith('build-'))
      })
      await until('no process of it is left', () => !processes().some((line) => line.includes('buildah')))
    },
    async close() {
      edge.close()
      // What waits for a next build goes with the engine that made it.
      await t.reopen()
      await t.close()
    },
  }
  return builder
}

function heldWhere(text: string, onHeld: () => void): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (chunk.includes(text)) onHeld()
      else done(null, chunk)
    },
  })
}

export async function tarOf(files: Record<string, string>, more: TarEntry[] = []): Promise<Buffer> {
  return makeTar([...Object.entries(files).map(([name, content]) => ({ name, content })), ...more])
}

function processes(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => uidMap(pid).includes(String(firstId)))
    .map((pid) => commandLine(Number(pid)).join(' '))
}

function uidMap(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/uid_map`, 'utf8')
  } catch {
    return ''
  }
}
