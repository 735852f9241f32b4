/** Images made on the spot of this host's own programs with the libraries that they need, and of nothing else of it. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import tar from 'tar-stream'
import { EngineError, isEngineError } from '../errors.ts'
import type { Images } from '../images/images.ts'
import type { Spawner } from '../sys/spawner.ts'

export interface HostImageRecipe {
  /** Such as builder.internal/buildah. */
  name: string
  /** Programs of the host, each at its own path; those with libraries have them beside. */
  programs: string[]
  /** Files of the host that are there as they are, where the host has them. */
  copies: string[]
  /** What busybox is called there. */
  applets: string
  folders: string[]
  links: Record<string, string>
  files: Record<string, string>
  /** Programs of ours, in shell. */
  scripts?: Record<string, string>
  /** What to say when something of it is missing on this host. */
  missing: string
}

/** Digest of it, made when it is not there or the host's programs are others by now. Throws unsupported. */
export async function ensureHostImage(
  images: Images,
  spawner: Spawner,
  recipe: HostImageRecipe,
): Promise<string> {
  const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path))
  if (busybox === undefined || !recipe.programs.every((path) => existsSync(path)))
    throw new EngineError('unsupported', recipe.missing)
  const reference = `${recipe.name}:${keyOf([...recipe.programs, ...recipe.copies, busybox], recipe)}`
  try {
    return (await images.inspect(reference)).digest
  } catch (error) {
    if (!isEngineError(error, 'not-found')) throw error
  }
  const libraries = new Set<string>()
  for (const program of recipe.programs.filter(isElf))
    for (const path of (await spawner.mustRun(['ldd', program])).match(/\/[^\s():]+/g) ?? [])
      if (path !== program) libraries.add(path)
  const image = await images.import(Readable.from(rootOf(recipe, busybox, [...libraries])), { reference })
  return image.digest
}

function isElf(path: string): boolean {
  return readFileSync(path).subarray(0, 4).toString('latin1') === '\x7fELF'
}

/** Another time of one of the files, or another recipe, is another image. */
function keyOf(paths: string[], recipe: HostImageRecipe): string {
  const facts = paths.map((path) =>
    existsSync(path) ? `${path} ${statSync(path).mtimeMs} ${statSync(path).size}` : path,
  )
  return createHash('sha256')
    .update(JSON.stringify([facts, recipe]))
    .digest('hex')
    .slice(0, 20)
}

function rootOf(recipe: HostImageRecipe, busybox: string, libraries: string[]): tar.Pack {
  const pack = tar.pack()
  const mtime = new Date(0)
  const folders = new Set<string>()
  function folder(path: string, mode = 0o755): void {
    if (path === '/' || path === '.' || folders.has(path)) return
    folder(dirname(path))
    folders.add(path)
    pack.entry({ name: path.slice(1), type: 'directory', mode, mtime })
  }
  function file(path: string, content: Buffer | string, mode = 0o644): void {
    folder(dirname(path))
    pack.entry({ name: path.slice(1), mode, mtime }, content)
  }
  for (const path of ['/proc', '/sys', '/dev', '/run', '/root', ...recipe.folders]) folder(path)
  folder('/tmp', 0o1777)
  file('/bin/busybox', readFileSync(busybox), 0o755)
  for (const name of recipe.applets.split(' '))
    pack.entry({ name: `bin/${name}`, type: 'symlink', linkname: 'busybox', mtime })
  for (const path of [...recipe.programs, ...libraries]) file(path, readFileSync(path), 0o755)
  for (const path of recipe.copies.filter((each) => existsSync(each))) file(path, readFileSync(path))
  for (const [path, linkname] of Object.entries(recipe.links)) {
    folder(dirname(path))
    pack.entry({ name: path.slice(1), type: 'symlink', linkname, mtime })
  }
  const users = {
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
    '/etc/group': 'root:x:0:\n',
  }
  for (const [path, content] of Object.entries({ ...users, ...recipe.files })) file(path, content)
  for (const [path, content] of Object.entries(recipe.scripts ?? {})) file(path, content, 0o755)
  pack.finalize()
  return pack
}
