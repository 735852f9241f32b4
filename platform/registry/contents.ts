import type { RepositoryImage } from '../model/repositories.ts'
import type { Platform } from '../open.ts'

export interface BlobRow {
  digest: string
  mediaType: string
  sizeBytes: number
}

export interface ImageRow {
  digest: string
  mediaType: string
  /** Of the manifest itself. */
  sizeBytes: number
  platform: string | null
  artifactType: string | null
  configDigest: string | null
  children: string[]
  subject: string | null
  pushedAt: Date
  pushedByName: string | null
  looseSince: Date | null
  lastPulledAt: Date | null
  /** Configuration first, then layers. */
  blobs: BlobRow[]
}

/** Images of a repository by digest, with those that they name; all of them where no digests are given. */
export async function loadImages(
  platform: Platform,
  repositoryId: string,
  digests?: string[],
): Promise<Map<string, ImageRow>> {
  const found = new Map<string, ImageRow>()
  for (let wanted = digests; wanted === undefined || wanted.length > 0; ) {
    const rows = await platform.db.imageManifest.findMany({
      where: { repositoryId, ...(wanted === undefined ? {} : { digest: { in: wanted } }) },
      include: { blobs: { orderBy: { position: 'asc' } } },
    })
    for (const { blobs, ...row } of rows) {
      const shown = blobs.map((blob) => ({ ...blob, sizeBytes: Number(blob.sizeBytes) }))
      found.set(row.digest, { ...row, blobs: shown })
    }
    if (wanted === undefined) break
    wanted = rows.flatMap(({ children }) => children).filter((digest) => !found.has(digest))
  }
  return found
}

/** The image and all that it names, as far as it is there. */
export function familyOf(images: ReadonlyMap<string, ImageRow>, digest: string): ImageRow[] {
  const family = new Map<string, ImageRow>()
  const open = [digest]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const image = images.get(next)
    if (image === undefined || family.has(next)) continue
    family.set(next, image)
    open.push(...image.children)
  }
  return [...family.values()]
}

/** Manifests and what they name, each once. */
export function sizeOf(images: Iterable<ImageRow>): number {
  const sizes = new Map<string, number>()
  for (const image of images) {
    sizes.set(image.digest, image.sizeBytes)
    for (const { digest, sizeBytes } of image.blobs) sizes.set(digest, sizeBytes)
  }
  let sum = 0
  for (const size of sizes.values()) sum += size
  return sum
}

/** An attestation says of itself that it is for unknown/unknown. */
export function platformsOf(family: ImageRow[]): string[] {
  const all = family.flatMap(({ platform }) =>
    platform === null || platform.startsWith('unknown') ? [] : [platform],
  )
  return [...new Set(all)].sort()
}

export function kindOf({ children, platform, mediaType }: ImageRow): RepositoryImage['kind'] {
  if (children.length > 0 || /index|manifest\.list/.test(mediaType)) return 'index'
  return platform === null ? 'artifact' : 'image'
}
