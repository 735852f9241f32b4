import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * How Distribution 2.8 keeps a registry on disk (registry/storage/paths.go): `blobs/sha256/ab/abcd…/data` once for all,
 * and for each repository links that say what is in it, and uploads under way.
 */
export interface RegistryFiles {
  /** <home>/registry/data/docker/registry/v2 */
  root: string
  /** Beside it, on the same disk: what is on its way out. */
  trash: string
}

export function registryFiles(home: string): RegistryFiles {
  const data = join(home, 'registry/data')
  return { root: join(data, 'docker/registry/v2'), trash: join(data, 'berth-trash') }
}

const digestPattern = /^[a-z0-9+._-]+:[0-9a-f]{32,}$/

/** Names of all repositories, with those inside of others. */
export async function listRepositoryNames({ root }: RegistryFiles): Promise<string[]> {
  const names: string[] = []
  const open = ['']
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const entries = await namesIn(join(root, 'repositories', at))
    if (at !== '' && entries.some((name) => name.startsWith('_'))) names.push(at)
    for (const name of entries) if (!name.startsWith('_')) open.push(at === '' ? name : `${at}/${name}`)
  }
  return names.sort()
}

export type LinkKind = '_layers' | '_manifests/revisions'

export function linkFolder(
  { root }: RegistryFiles,
  repository: string,
  kind: LinkKind,
  digest: string,
): string {
  const [algorithm = '', hex = ''] = digest.split(':')
  return join(root, 'repositories', repository, kind, algorithm, hex)
}

/** Digests that a repository holds as layers, or as manifests. One that was deleted leaves its folder, without a link. */
export async function listLinks(files: RegistryFiles, repository: string, kind: LinkKind): Promise<string[]> {
  const folder = join(files.root, 'repositories', repository, kind)
  const digests: string[] = []
  for (const algorithm of await namesIn(folder))
    for (const hex of await namesIn(join(folder, algorithm)))
      if (await exists(join(folder, algorithm, hex, 'link'))) digests.push(`${algorithm}:${hex}`)
  return digests
}

/** Digests that tags name. */
export async function listTagged({ root }: RegistryFiles, repository: string): Promise<string[]> {
  const folder = join(root, 'repositories', repository, '_manifests/tags')
  const links = (await namesIn(folder)).map((tag) => readIfThere(join(folder, tag, 'current/link')))
  return (await Promise.all(links)).flatMap((link) => (link === null ? [] : [link.toString().trim()]))
}

export interface Upload {
  folder: string
  sizeBytes: number
  /** When something last came. */
  touchedAt: number
}

export async function listUploads({ root }: RegistryFiles, repository: string): Promise<Upload[]> {
  const uploads = join(root, 'repositories', repository, '_uploads')
  const found = (await namesIn(uploads)).map(async (id): Promise<Upload[]> => {
    const folder = join(uploads, id)
    const [own, data] = await Promise.all([statIfThere(folder), statIfThere(join(folder, 'data'))])
    if (own === null) return []
    return [{ folder, sizeBytes: data?.size ?? 0, touchedAt: Math.max(own.mtimeMs, data?.mtimeMs ?? 0) }]
  })
  return (await Promise.all(found)).flat()
}

export interface StoredBlob {
  digest: string
  folder: string
  sizeBytes: number
  /** When it came to be where it is. */
  storedAt: number
}

export async function* listBlobs({ root }: RegistryFiles): AsyncGenerator<StoredBlob> {
  const blobs = join(root, 'blobs')
  for (const algorithm of await namesIn(blobs))
    for (const start of await namesIn(join(blobs, algorithm)))
      for (const hex of await namesIn(join(blobs, algorithm, start))) {
        const folder = join(blobs, algorithm, start, hex)
        const digest = `${algorithm}:${hex}`
        const data = await statIfThere(join(folder, 'data'))
        if (data !== null && digestPattern.test(digest))
          yield { digest, folder, sizeBytes: data.size, storedAt: data.ctimeMs }
      }
}

export function blobFolder({ root }: RegistryFiles, digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':')
  return join(root, 'blobs', algorithm, hex.slice(0, 2), hex)
}

/** Null where it is not there. */
export function readBlob(files: RegistryFiles, digest: string): Promise<Buffer | null> {
  return readIfThere(join(blobFolder(files, digest), 'data'))
}

/** Bytes of a file; 0 where it is not there. */
export async function sizeOf(path: string): Promise<number> {
  return (await statIfThere(path))?.size ?? 0
}

export function blobSize(files: RegistryFiles, digest: string): Promise<number> {
  return sizeOf(join(blobFolder(files, digest), 'data'))
}

/** What is not there is empty; every other failure is one, as nothing may be taken for unused that could not be seen. */
export async function namesIn(folder: string): Promise<string[]> {
  return (await unlessMissing(readdir(folder))) ?? []
}

export async function exists(path: string): Promise<boolean> {
  return (await statIfThere(path)) !== null
}

function statIfThere(path: string) {
  return unlessMissing(lstat(path))
}

function readIfThere(path: string): Promise<Buffer | null> {
  return unlessMissing(readFile(path))
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}
