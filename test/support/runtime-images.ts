/** Base images for languages, as small as they go: Debian's packages, or npm's, above busybox. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { run } from '../../cli/processes.ts'
import { makeDebianRoot } from './debian-root.ts'
import { type ImageSpec, makeTar, type TarEntry } from './images.ts'
import { librariesOf } from './node-image.ts'

const certificates = '/etc/ssl/certs/ca-certificates.crt'
const without = ['man', 'doc', 'locale']
/** A registry of packages may be behind an authority that only this host knows. */
const trust = ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS', 'DENO_CERT', 'PIP_CERT'].map(
  (name) => `${name}=${certificates}`,
)

interface DebianImageOptions {
  /** Set up as an installation is; otherwise the packages' files are all there is. */
  whole?: boolean
  /** Links to add, by where they are. */
  links?: Record<string, string>
  /** Programs to add. */
  scripts?: Record<string, string>
}

export async function debianImage(
  packages: string[],
  { whole = false, links = {}, scripts = {} }: DebianImageOptions = {},
): Promise<ImageSpec> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-runtime-'))
  try {
    const tar = join(folder, 'root.tar')
    await makeDebianRoot(tar, { include: packages, bare: !whole, without })
    const more = await makeTar([
      ...authorities(),
      ...Object.entries(links).map(([name, linkname]): TarEntry => ({ name, type: 'symlink', linkname })),
      ...Object.entries(scripts).map(([name, content]) => ({ name, content, mode: 0o755 })),
    ])
    return imageOf([readFileSync(tar), more], whole)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** With a program that a package of npm brings, and what npm installed beside it. */
export async function npmProgramImage(name: string, pinned: string): Promise<ImageSpec> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-runtime-'))
  try {
    await run(['npm', 'install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', pinned])
    const path = programIn(folder, name)
    const layer = await makeTar([
      { name: `bin/${name}`, content: readFileSync(path), mode: 0o755 },
      ...librariesOf(path).map((each) => ({ name: each.slice(1), content: readFileSync(each), mode: 0o755 })),
      ...authorities(),
    ])
    return imageOf([layer], false)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The files of a package of npm that is a program for Node, and a link to it. */
export async function npmPackageLayer(name: string, pinned: string, file: string): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-runtime-'))
  try {
    await run(['npm', 'install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', pinned])
    const root = join(folder, 'node_modules', name)
    const files = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => ({
        name: join('usr/lib', name, relative(root, path)),
        content: readFileSync(path),
        mode: 0o755,
      }))
    return await makeTar([
      ...files,
      { name: `bin/${name}`, type: 'symlink', linkname: `/usr/lib/${name}/${file}` },
    ])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Packages whose program is made for a kind of machine have it in a package of its own. */
function programIn(folder: string, name: string): string {
  const found = execFileSync(
    'find',
    [join(folder, 'node_modules'), '-type', 'f', '-name', `${name}*`, '-size', '+10M'],
    {
      encoding: 'utf8',
    },
  )
  const paths = found.trim().split('\n')
  const path = paths.find((each) => !/musl|baseline/.test(each)) ?? paths[0]
  if (path === undefined || !existsSync(path)) throw new Error(`npm brought no program ${name}`)
  return realpathSync(path)
}

function authorities(): TarEntry[] {
  return existsSync(certificates)
    ? [{ name: certificates.slice(1), content: readFileSync(certificates) }]
    : []
}

function imageOf(layers: Buffer[], bare: boolean): ImageSpec {
  const all = bare ? layers.length : layers.length + 1
  return {
    ...{ layers, bare, compress: 'none' },
    env: ['PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', ...(existsSync(certificates) ? trust : [])],
    // buildah wants as many steps in an image's history as it has layers.
    history: Array.from({ length: all }, () => ({ created_by: 'a layer' })),
  }
}
