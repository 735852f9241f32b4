import { notFound, type Viewer } from '../access.ts'
import { record } from '../audit.ts'
import { PlatformError } from '../errors.ts'
import type { ImageUse } from '../model/repositories.ts'
import type { Platform } from '../open.ts'
import { type RepositoryPlace, repositoryAccess } from '../repositories.ts'
import { deleteManifest, readTag } from './client.ts'
import { familyOf, type ImageRow, loadImages } from './contents.ts'
import { syncRepository } from './sync.ts'
import { untag } from './tombstone.ts'
import { usesOf } from './uses.ts'

export interface RemoveOptions {
  /** Whatever deployment needs it. */
  force?: boolean
  /** Of a tag: only while it names this. */
  onlyIf?: string
  /** Whoever asks writes one entry of the audit log for all that goes. */
  isNotedElsewhere?: boolean
}

/** Throws `conflict` while a deployment needs the image, unless forced. The image itself stays, and can be deleted. */
export async function deleteTag(
  platform: Platform,
  viewer: Viewer,
  repositoryId: string,
  tag: string,
  options: RemoveOptions = {},
): Promise<void> {
  const place = await repositoryAccess(platform, viewer, repositoryId, 'repository.delete')
  await removeTag(platform, viewer, place, tag, options)
}

/**
 * A digest with all its tags, and with what only it names. Throws `conflict` while a deployment needs any of it or
 * another image names it, unless forced.
 */
export async function deleteImage(
  platform: Platform,
  viewer: Viewer,
  repositoryId: string,
  digest: string,
  options: RemoveOptions = {},
): Promise<void> {
  const place = await repositoryAccess(platform, viewer, repositoryId, 'repository.delete')
  await removeImage(platform, viewer, place, digest, options)
}

/** All of it, and its settings. */
export async function deleteRepository(
  platform: Platform,
  viewer: Viewer,
  repositoryId: string,
  options: RemoveOptions = {},
): Promise<void> {
  const place = await repositoryAccess(platform, viewer, repositoryId, 'repository.delete')
  const images = await loadImages(platform, place.id)
  if (options.force !== true) refuseNeeded(await usesOf(platform, place), [...images.values()])
  for (const digest of images.keys()) await deleteManifest(platform, place.path, digest)
  await platform.db.$transaction(async (tx) => {
    await tx.repository.delete({ where: { id: place.id } })
    await record(tx, viewer, {
      teamId: place.teamId,
      action: 'repository.delete',
      target: { type: 'repository', id: place.id, name: place.path },
      detail: { images: images.size },
    })
  })
}

/** Without asking whether the viewer may: for who did. */
export async function removeTag(
  platform: Platform,
  viewer: Viewer,
  place: RepositoryPlace,
  tag: string,
  { force = false, onlyIf, isNotedElsewhere = false }: RemoveOptions,
): Promise<void> {
  const row = await platform.db.imageTag.findUnique({
    where: { repositoryId_name: { repositoryId: place.id, name: tag } },
  })
  if (row === null) throw notFound('tag')
  if (onlyIf !== undefined && (await readTag(platform, place.path, tag)) !== onlyIf)
    throw new PlatformError('conflict', 'It names another image by now.')
  if (!force) {
    const images = await loadImages(platform, place.id, [row.digest])
    refuseNeeded(await usesOf(platform, place), familyOf(images, row.digest))
  }
  await untag(platform, place.path, tag)
  if (!isNotedElsewhere) await note(platform, viewer, place, { tag, digest: row.digest, force })
  await syncRepository(platform, { name: place.path, tags: [tag] })
}

/** The same for a digest. */
export async function removeImage(
  platform: Platform,
  viewer: Viewer,
  place: RepositoryPlace,
  digest: string,
  { force = false, isNotedElsewhere = false }: RemoveOptions,
): Promise<void> {
  const images = await loadImages(platform, place.id)
  if (!images.has(digest)) throw notFound('image')
  const tags = await platform.db.imageTag.findMany({ where: { repositoryId: place.id } })
  const family = familyOf(images, digest)
  if (!force) {
    const parent = [...images.values()].find(({ children }) => children.includes(digest))
    if (parent !== undefined)
      throw new PlatformError(
        'conflict',
        `It is one platform of the image ${parent.digest}: delete that one, or force it.`,
      )
    refuseNeeded(await usesOf(platform, place), family)
  }
  const tagged = new Set(tags.map((tag) => tag.digest))
  const gone = new Set(family.map((image) => image.digest))
  const heldElsewhere = (child: string) =>
    tagged.has(child) ||
    [...images.values()].some((image) => !gone.has(image.digest) && image.children.includes(child))
  const digests = [...gone].filter((each) => each === digest || !heldElsewhere(each))
  // The index before what it names: nobody may find one with holes.
  for (const each of digests) await deleteManifest(platform, place.path, each)
  if (!isNotedElsewhere) await note(platform, viewer, place, { digest, force, images: digests.length })
  const lost = tags.filter((tag) => digests.includes(tag.digest)).map(({ name }) => name)
  await syncRepository(platform, { name: place.path, digests, tags: lost })
}

async function note(
  platform: Platform,
  viewer: Viewer,
  place: RepositoryPlace,
  detail: Record<string, string | number | boolean>,
): Promise<void> {
  await platform.db.$transaction((tx) =>
    record(tx, viewer, {
      teamId: place.teamId,
      action: 'repository.delete-image',
      target: { type: 'repository', id: place.id, name: place.path },
      detail,
    }),
  )
}

function refuseNeeded(uses: ImageUse[], family: ImageRow[]): void {
  const digests = new Set(family.map(({ digest }) => digest))
  const needs = uses.filter(({ digest }) => digests.has(digest))
  const [first] = needs
  if (first === undefined) return
  const what =
    first.app === null ? 'An app of another team' : `${first.app.name} (deployment ${first.deployment})`
  const verb = { live: 'runs it', 'in-progress': 'is about to run it', rollback: 'can be rolled back to it' }
  const others = needs.length > 1 ? `, and ${needs.length - 1} more` : ''
  throw new PlatformError(
    'conflict',
    `${what} ${verb[first.use]}${others}. Deploy something else first, or force it.`,
  )
}
