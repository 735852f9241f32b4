import { notFound, type Viewer } from './access.ts'
import type { PageInput } from './model/inputs.ts'
import type { ImageDetail, ImagePush, ImageTag, ImageUse, RepositoryImage } from './model/repositories.ts'
import type { Page } from './model/resources.ts'
import type { Platform } from './open.ts'
import { afterId, type PageRequest, parsePage, toPage } from './pages.ts'
import { readJsonBlob } from './registry/client.ts'
import { familyOf, type ImageRow, kindOf, loadImages, platformsOf, sizeOf } from './registry/contents.ts'
import { parseConfig } from './registry/manifest.ts'
import { usesOf } from './registry/uses.ts'
import { repositoryAccess } from './repositories.ts'

/** A repository's tags, those first that were pushed last. */
export async function listTags(
  platform: Platform,
  viewer: Viewer,
  repositoryId: string,
  pageInput?: PageInput,
): Promise<Page<ImageTag>> {
  const place = await repositoryAccess(platform, viewer, repositoryId, 'repository.pull')
  const page = parsePage(pageInput)
  const rows = await platform.db.imageTag.findMany({
    where: { repositoryId, ...pushedBefore(page) },
    orderBy: [{ pushedAt: 'desc' }, { name: 'desc' }],
    take: page.limit + 1,
  })
  const digests = [...new Set(rows.map(({ digest }) => digest))]
  const [images, uses] = await Promise.all([
    loadImages(platform, repositoryId, digests),
    usesOf(platform, place),
  ])
  return toPage(
    rows,
    page.limit,
    ({ name, pushedAt }) => `${pushedAt.toISOString()} ${name}`,
    ({ name, digest, pushedAt, pushedByName }) => {
      const family = familyOf(images, digest)
      return {
        name,
        digest,
        platforms: platformsOf(family),
        sizeBytes: sizeOf(family),
        pushedAt: pushedAt.toISOString(),
        pushedBy: pushedByName,
        lastPulledAt: lastPull(family),
        usedBy: usedBy(uses, family),
      }
    },
  )
}

function pushedBefore(page: PageRequest) {
  const [time = '', name = ''] = afterId(page)?.split(' ') ?? []
  const at = new Date(time)
  if (Number.isNaN(at.getTime())) return {}
  return { OR: [{ pushedAt: { lt: at } }, { pushedAt: at, name: { lt: name } }] }
}

/** Everything that a digest names, or (`untagged`) what no tag names, by itself or as a part of what one names; by digest. */
export async function listImages(
  platform: Platform,
  viewer: Viewer,
  repositoryId: string,
  { untagged = false, ...pageInput }: PageInput & { untagged?: boolean } = {},
): Promise<Page<RepositoryImage>> {
  const place = await repositoryAccess(platform, viewer, repositoryId, 'repository.pull')
  const page = parsePage(pageInput)
  const rows = await platform.db.imageManifest.findMany({
    where: {
      repositoryId,
      digest: { gt: afterId(page) },
      ...(untagged ? { looseSince: { not: null } } : {}),
    },
    orderBy: { digest: 'asc' },
    select: { digest: true },
    take: page.limit + 1,
  })
  const digests = rows.map(({ digest }) => digest)
  const [images, uses, names] = await Promise.all([
    loadImages(platform, repositoryId, digests),
    usesOf(platform, place),
    namesOf(platform, repositoryId, digests),
  ])
  const shown = digests.flatMap((digest) => {
    const image = images.get(digest)
    return image === undefined ? [] : [show(image, images, uses, names)]
  })
  return toPage(
    shown,
    page.limit,
    (image) => image.digest,
    (image) => image,
  )
}

/** One of them, with layers and how it was made. */
export async function getImage(
  platform: Platform,
  viewer: Viewer,
  repositoryId: string,
  digest: string,
): Promise<ImageDetail> {
  const place = await repositoryAccess(platform, viewer, repositoryId, 'repository.pull')
  const [images, uses, names] = await Promise.all([
    loadImages(platform, repositoryId, [digest]),
    usesOf(platform, place),
    namesOf(platform, repositoryId, [digest]),
  ])
  const image = images.get(digest)
  if (image === undefined) throw notFound('image')
  const { configDigest, blobs, children } = image
  const config =
    configDigest === null || image.platform === null
      ? null
      : parseConfig(await readJsonBlob(platform, place.path, configDigest))
  return {
    ...show(image, images, uses, names),
    layers: blobs
      .slice(configDigest === null ? 0 : 1)
      .map(({ digest: layer, mediaType, sizeBytes }) => ({ digest: layer, mediaType, sizeBytes })),
    history: (config?.history ?? []).map((step) => ({
      createdAt: step.created ?? null,
      createdBy: (step.created_by ?? '').slice(0, 2_000),
      comment: (step.comment ?? '').slice(0, 500),
      isEmpty: step.empty_layer ?? false,
    })),
    children: children.map((child) => ({
      digest: child,
      platform: images.get(child)?.platform ?? null,
      sizeBytes: sizeOf(familyOf(images, child)),
    })),
  }
}

/** What was pushed to a repository's tags, newest first. */
export async function listPushes(
  platform: Platform,
  viewer: Viewer,
  repositoryId: string,
  pageInput?: PageInput,
): Promise<Page<ImagePush>> {
  await repositoryAccess(platform, viewer, repositoryId, 'repository.pull')
  const page = parsePage(pageInput)
  const rows = await platform.db.imagePush.findMany({
    where: { repositoryId, id: { lt: afterId(page) } },
    orderBy: { id: 'desc' },
    take: page.limit + 1,
  })
  return toPage(
    rows,
    page.limit,
    (row) => row.id,
    ({ id, tag, digest, pushedAt, pushedByName }) => ({
      id,
      tag,
      digest,
      pushedAt: pushedAt.toISOString(),
      pushedBy: pushedByName,
    }),
  )
}

interface Names {
  tags: Map<string, string[]>
  parents: Map<string, string[]>
}

async function namesOf(platform: Platform, repositoryId: string, digests: string[]): Promise<Names> {
  const [tags, parents] = await Promise.all([
    platform.db.imageTag.findMany({
      where: { repositoryId, digest: { in: digests } },
      orderBy: { name: 'asc' },
    }),
    platform.db.imageManifest.findMany({
      where: { repositoryId, children: { hasSome: digests } },
      select: { digest: true, children: true },
    }),
  ])
  return {
    tags: collect(tags.map(({ digest, name }) => [digest, name])),
    parents: collect(
      parents.flatMap(({ digest, children }) => children.map((child) => [child, digest] as const)),
    ),
  }
}

function collect(pairs: (readonly [key: string, value: string])[]): Map<string, string[]> {
  const all = new Map<string, string[]>()
  for (const [key, value] of pairs) all.set(key, [...(all.get(key) ?? []), value])
  return all
}

function show(
  image: ImageRow,
  images: ReadonlyMap<string, ImageRow>,
  uses: ImageUse[],
  { tags, parents }: Names,
): RepositoryImage {
  const family = familyOf(images, image.digest)
  return {
    digest: image.digest,
    mediaType: image.mediaType,
    kind: kindOf(image),
    artifactType: image.artifactType,
    platforms: platformsOf(family),
    sizeBytes: sizeOf(family),
    tags: tags.get(image.digest) ?? [],
    pushedAt: image.pushedAt.toISOString(),
    pushedBy: image.pushedByName,
    lastPulledAt: lastPull(family),
    looseSince: image.looseSince?.toISOString() ?? null,
    partOf: parents.get(image.digest) ?? [],
    usedBy: usedBy(uses, family),
  }
}

function lastPull(family: ImageRow[]): string | null {
  const times = family.flatMap(({ lastPulledAt }) =>
    lastPulledAt === null ? [] : [lastPulledAt.toISOString()],
  )
  return times.sort().at(-1) ?? null
}

function usedBy(uses: ImageUse[], family: ImageRow[]): ImageUse[] {
  const digests = new Set(family.map(({ digest }) => digest))
  return uses.filter(({ digest }) => digests.has(digest))
}
