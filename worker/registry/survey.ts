import {
  listLinks,
  listRepositoryNames,
  listTagged,
  listUploads,
  type RegistryFiles,
  readBlob,
  type Upload,
} from './layout.ts'

/** What is in one repository, and what of it something needs. */
export interface RepositorySurvey {
  name: string
  layers: string[]
  manifests: string[]
  /** All that its manifests name; null where one of them can't be read: then everything is needed. */
  named: Set<string> | null
  uploads: Upload[]
}

/** Throws when anything can't be read: what was not seen must not look unused. */
export async function survey(files: RegistryFiles, signal: AbortSignal): Promise<RepositorySurvey[]> {
  const found: RepositorySurvey[] = []
  for (const name of await listRepositoryNames(files)) {
    signal.throwIfAborted()
    found.push(await surveyOne(files, name))
  }
  return found
}

export async function surveyOne(files: RegistryFiles, name: string): Promise<RepositorySurvey> {
  const uploads = await listUploads(files, name)
  const layers = await listLinks(files, name, '_layers')
  const manifests = await listLinks(files, name, '_manifests/revisions')
  return { name, uploads, layers, manifests, named: await namedBy(files, manifests) }
}

/** The layers of a repository that none of its manifests names. Every manifest counts, with a tag or without. */
export function unneededLayers({ layers, named }: RepositorySurvey): string[] {
  return named === null ? [] : layers.filter((digest) => !named.has(digest))
}

/** Everything that some repository holds, or that one of its manifests or tags names. */
export async function heldAnywhere(files: RegistryFiles, signal: AbortSignal): Promise<Set<string>> {
  const held = new Set<string>()
  for (const { name, layers, manifests, named } of await survey(files, signal))
    for (const digests of [layers, manifests, named ?? [], await listTagged(files, name)])
      for (const digest of digests) held.add(digest)
  return held
}

async function namedBy(files: RegistryFiles, manifests: string[]): Promise<Set<string> | null> {
  const named = new Set<string>()
  for (const digest of manifests) {
    const bytes = await readBlob(files, digest)
    const digests = bytes === null ? null : digestsIn(bytes.toString('utf8'))
    if (digests === null) return null
    for (const each of digests) named.add(each)
  }
  return named
}

/**
 * Whatever looks like a digest, wherever it stands: manifests have several shapes, and one that is not known here must
 * not lose its layers. Once as written, and once more with escapes resolved. Null for what is no JSON.
 */
export function digestsIn(text: string): string[] | null {
  try {
    return `${text} ${JSON.stringify(JSON.parse(text))}`.match(/[a-z0-9+._-]+:[0-9a-f]{32,}/g) ?? []
  } catch {
    return null
  }
}
