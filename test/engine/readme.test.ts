/** What engine/README.md shows is what the engine does: its examples are compiled and run, its links lead somewhere. */
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import ts from 'typescript'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createEngine, type Engine, type EngineOptions, type LayerProgress } from '../../engine/index.ts'
import { makeTar, pushImage } from '../support/images.ts'
import { startRegistry, type TestRegistry } from '../support/registry.ts'

const root = join(import.meta.dirname, '../..')
const text = readFileSync(join(root, 'engine/README.md'), 'utf8')
const examples = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code)

/** What the examples leave to their reader, as he would have it. */
const readersOwn = `
import { createReadStream, readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { createEngine, type Engine, type LayerProgress, type RegistryCredentials } from './engine/index.ts'
declare const engine: Engine, other: Engine, credentials: RegistryCredentials, stateDir: string, tar: Readable
declare const digestsToGoBackTo: string[]
declare function onProgress(layers: LayerProgress[]): void
`

test('it teaches what an image and a container are made of before it shows a call', () => {
  const words = ['Digest', 'Manifest', 'Layer', 'Snapshot', 'Container']
  const places = words.map((word) => text.indexOf(`\n**${word}.**`))
  expect(places).toEqual(places.toSorted((a, b) => a - b))
  expect(places[0]).toBeGreaterThan(0)
  expect(places.at(-1)).toBeLessThan(text.indexOf('```'))
})

test('every file that it names is there, and a suite that it names is kept to by some test', () => {
  const links = [...text.matchAll(/\]\(([^)#]+)\)/g)].map(([, path = '']) => path)
  expect(links.length).toBeGreaterThan(10)
  for (const path of links) expect(existsSync(join(root, 'engine', path)), path).toBe(true)
  const suites = links.filter((path) => path.startsWith('../test/')).map((path) => join(root, 'engine', path))
  expect(suites.length).toBeGreaterThan(5)
  const tests = globSync('test/engine/**/*.test.ts', { cwd: root })
    .map((path) => readFileSync(join(root, path), 'utf8'))
    .join('\n')
  for (const path of suites) {
    const [, name = 'no suite'] = /^export function (\w+)/m.exec(readFileSync(path, 'utf8')) ?? []
    expect(tests, path).toMatch(new RegExp(`^\\s*${name}\\(`, 'm'))
  }
})

test('its examples compile, each by itself, with what they leave to the reader', () => {
  expect(examples.length).toBeGreaterThan(3)
  const files = new Map(
    examples.map((code, index) => {
      // What an example declares itself it does not leave to its reader.
      const body = code.replace(/^import .*$/gm, '')
      return [
        join(root, `readme-example-${index}.ts`),
        `${readersOwn}\nexport async function example() {\n${body}\n}\n`,
      ]
    }),
  )
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, root)
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = (path) => files.has(path) || fileExists(path)
  host.readFile = (path) => files.get(path) ?? readFile(path)
  host.getSourceFile = (path, language, ...rest) => {
    const code = files.get(path)
    return code === undefined
      ? getSourceFile(path, language, ...rest)
      : ts.createSourceFile(path, code, language)
  }
  const program = ts.createProgram([...files.keys()], { ...options, incremental: false, noEmit: true }, host)
  const found = [...files.keys()].flatMap((path) => {
    const source = program.getSourceFile(path)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
  })
  expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([])
})

let registry: TestRegistry
const opened: Engine[] = []
const folders: string[] = []

beforeAll(async () => {
  registry = await startRegistry()
})

afterAll(async () => {
  for (const engine of opened) {
    for (const { id } of await engine.containers.list()) await engine.containers.remove(id, { force: true })
    for (const { name } of await engine.networks.list()) await engine.networks.remove(name)
    await engine.close()
  }
  await registry.stop()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** As the examples call it, but on a folder of the test's own, and with every registry on this host. */
async function openHere(options: EngineOptions): Promise<Engine> {
  const stateDir = mkdtempSync(join(tmpdir(), 'berth-readme-'))
  folders.push(stateDir)
  const url = `http://127.0.0.1:${registry.port}`
  const here = Object.fromEntries(['docker.io', 'ghcr.io', 'registry.example'].map((host) => [host, { url }]))
  const engine = await createEngine({
    ...options,
    stateDir,
    networkPool: '10.94.0.0/16',
    registries: { ...options.registries, ...here },
  })
  opened.push(engine)
  return engine
}

/** Runs an example with these as what it leaves to its reader; answers with its `engine`. */
async function run(code: string, given: Record<string, unknown>): Promise<Engine> {
  const names = Object.keys(given)
  const body = code.replace(/^import .*$/gm, '')
  const AsyncFunction = (async () => {}).constructor as new (
    ...parts: string[]
  ) => (...values: unknown[]) => Promise<Engine>
  return new AsyncFunction(
    ...names,
    `{ ${ts.transpile(body, { target: ts.ScriptTarget.ESNext })}\nreturn engine }`,
  )(...Object.values(given))
}

test('its examples run, one after the other', async () => {
  const said: string[] = []
  await pushImage(registry, 'library/nginx:1.27', { command: ['/bin/echo', 'it serves'] })
  await pushImage(registry, 'acme/shop:1', { files: { '/shop': 'open' } })
  const [first = '', images = '', settings = '', garbage = '', ...more] = examples
  expect(more).toEqual([])

  const engine = await run(first, {
    createEngine: openHere,
    // Who follows a log does so until its container is removed.
    console: {
      log(line: string) {
        said.push(line)
        void opened[0]?.containers.remove('web-1', { force: true })
      },
    },
  })
  expect(said).toEqual(['it serves'])

  const other = await openHere({ stateDir: '' })
  const seen: LayerProgress[][] = []
  const rootfs = gzipSync(await makeTar([{ name: 'etc', type: 'directory' }]))
  await run(images, {
    engine,
    other,
    credentials: { kind: 'basic', username: 'me', password: 'mine' },
    onProgress: (layers: LayerProgress[]) => seen.push(layers),
    createReadStream: () => Readable.from([rootfs]),
    tar: Readable.from([await makeTar([{ name: 'app', content: 'x' }])]),
  })
  expect(seen.at(-1)?.every(({ state }) => ['done', 'exists'].includes(state))).toBe(true)
  const shop = await engine.images.inspect('ghcr.io/acme/shop:1')
  expect((await other.images.list()).map(({ digest }) => digest)).toEqual([shop.digest])
  expect((await engine.images.inspect('app:1')).config.user).toBe('app')

  const authority = readFileSync(join(root, 'package.json'), 'utf8')
  await run(settings, {
    createEngine: openHere,
    stateDir: '',
    credentials: { kind: 'bearer', token: 't' },
    readFileSync: () => authority,
  })

  await run(garbage, { engine, digestsToGoBackTo: [shop.digest] })
  expect((await engine.images.list()).map(({ digest }) => digest)).toContain(shop.digest)
})
