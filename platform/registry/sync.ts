import type { Viewer } from '../access.ts'
import { record } from '../audit.ts'
import type { Transaction } from '../database.ts'
import { publish, streams } from '../event-log.ts'
import { newId } from '../model/ids.ts'
import type { Platform } from '../open.ts'
import { deleteManifest, readJsonBlob, readManifest, readTag } from './client.ts'
import { parseConfig, parseManifest, platformOf, type ReadManifest } from './manifest.ts'
import { splitName } from './scope.ts'
import { subjectOf } from './subject.ts'
import { isTombstone } from './tombstone.ts'

/**
 * Keeps the database true to the registry. What may have changed is looked at in the registry, whatever told of it: an
 * event that comes late, twice, or in the wrong order does no harm.
 */
export interface Suspicion {
  /** Such as acme/shop. */
  name: string
  tags?: string[]
  digests?: string[]
  /** Who pushed this, when the registry says so. */
  pushed?: { digest: string; by: Viewer; byName: string }
}

interface Repository {
  id: string
  teamId: string
  name: string
}

/** Whether something was not as the database had it. Throws `unavailable` when the registry does not answer. */
export async function syncRepository(platform: Platform, suspicion: Suspicion): Promise<boolean> {
  const repository = await findOrMake(platform, suspicion.name)
  if (repository === null) return false
  const tags = [...new Set(suspicion.tags)]
  const changed = await platform.db.$transaction(async (tx) => {
    // One at a time: what was read of the registry must not be written over by what was read before.
    await tx.$executeRaw`SELECT 1 FROM repositories WHERE id = ${repository.id} FOR UPDATE`
    const look: Look = { platform, tx, repository, suspicion, known: new Map() }
    let isNew = false
    for (const digest of new Set(suspicion.digests)) isNew = (await syncDigest(look, digest)) || isNew
    for (const tag of tags) isNew = (await syncTag(look, tag)) || isNew
    if (isNew) await refreshLoose(tx, repository.id)
    return isNew
  })
  if (changed)
    await publish(platform, streams.team(repository.teamId), {
      type: 'repository',
      repositoryId: repository.id,
    })
  return changed
}

interface Look {
  platform: Platform
  tx: Transaction
  repository: Repository
  suspicion: Suspicion
  /** Digests that were looked at already, and whether they are there. */
  known: Map<string, boolean>
}

async function findOrMake(platform: Platform, name: string): Promise<Repository | null> {
  const parts = splitName(name)
  if (parts === null) return null
  const team = await platform.db.team.findFirst({
    where: { imageNamespace: parts.namespace, deletedAt: null },
  })
  if (team === null) return null
  const of = { teamId: team.id, name: parts.repository }
  await platform.db.repository.createMany({
    data: [{ id: newId('repository'), ...of }],
    skipDuplicates: true,
  })
  const row = await platform.db.repository.findUnique({ where: { teamId_name: of } })
  return row === null ? null : { id: row.id, teamId: team.id, name: parts.repository }
}

/** The tag names what the registry says. */
async function syncTag(look: Look, tag: string): Promise<boolean> {
  const { platform, tx, repository, suspicion } = look
  const of = { repositoryId: repository.id, name: tag }
  const before = await tx.imageTag.findUnique({ where: { repositoryId_name: of } })
  const digest = await readTag(platform, suspicion.name, tag)
  if (digest === before?.digest) return false
  if (digest === null || !(await isThere(look, digest))) {
    if (before === null) return false
    await tx.imageTag.delete({ where: { repositoryId_name: of } })
    return true
  }
  const pushed = suspicion.pushed?.digest === digest ? suspicion.pushed : undefined
  const now = new Date()
  const change = { digest, pushedAt: now, pushedByName: pushed?.byName ?? null }
  await tx.imageTag.upsert({
    where: { repositoryId_name: of },
    create: { ...of, ...change },
    update: change,
  })
  await tx.imagePush.create({
    data: {
      id: newId('push'),
      repositoryId: repository.id,
      tag,
      digest,
      pushedBy: pushed === undefined ? null : subjectOf(pushed.by),
      pushedByName: pushed?.byName ?? null,
    },
  })
  await tx.repository.update({ where: { id: repository.id }, data: { lastPushedAt: now } })
  if (pushed !== undefined) {
    await record(tx, pushed.by, {
      teamId: repository.teamId,
      action: 'repository.push',
      target: { type: 'repository', id: repository.id, name: suspicion.name },
      detail: { tag, digest },
    })
  }
  return true
}

/** The digest is recorded if the registry has it, and forgotten otherwise. */
async function syncDigest(look: Look, digest: string): Promise<boolean> {
  const { tx, repository } = look
  const of = { repositoryId: repository.id, digest }
  const before = await tx.imageManifest.count({ where: of })
  const there = await isThere(look, digest)
  if (!there) await tx.imageManifest.deleteMany({ where: of })
  return there !== before > 0
}

/** Whether the registry has it. What it has is recorded, with all that it names. */
async function isThere(look: Look, digest: string): Promise<boolean> {
  const known = look.known.get(digest)
  if (known !== undefined) return known
  // Before it is read: an index can't name itself, but whoever made one may have tried.
  look.known.set(digest, false)
  const there = await recordManifest(look, digest)
  look.known.set(digest, there)
  return there
}

async function recordManifest(look: Look, digest: string): Promise<boolean> {
  const { platform, tx, repository, suspicion } = look
  const { name } = suspicion
  const stored = await readManifest(platform, name, digest)
  const manifest = stored === null ? null : parseManifest(stored.bytes, stored.mediaType)
  if (stored === null || manifest === null) return false
  if (isTombstone(manifest)) {
    await deleteManifest(platform, name, digest)
    return false
  }
  const of = { repositoryId: repository.id, digest }
  if ((await tx.imageManifest.count({ where: of })) > 0) return true
  const pushed = suspicion.pushed
  await tx.imageManifest.create({
    data: {
      ...of,
      mediaType: manifest.mediaType,
      sizeBytes: stored.bytes.length,
      platform: await platformIn(platform, name, manifest),
      artifactType: manifest.artifactType,
      configDigest: manifest.config?.digest ?? null,
      children: manifest.children,
      subject: manifest.subject,
      pushedBy: pushed === undefined ? null : subjectOf(pushed.by),
      pushedByName: pushed?.byName ?? null,
      looseSince: new Date(),
    },
  })
  const blobs = [...(manifest.config === null ? [] : [manifest.config]), ...manifest.layers]
  await tx.imageBlob.createMany({
    data: blobs.map(({ digest: blobDigest, mediaType, sizeBytes }, position) => ({
      repositoryId: repository.id,
      manifestDigest: digest,
      position,
      digest: blobDigest,
      mediaType,
      sizeBytes,
    })),
  })
  await tx.repository.update({ where: { id: repository.id }, data: { lastPushedAt: new Date() } })
  for (const child of manifest.children) await isThere(look, child)
  return true
}

const configTypes = [
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]

async function platformIn(platform: Platform, name: string, manifest: ReadManifest): Promise<string | null> {
  const { config } = manifest
  if (config === null || !configTypes.includes(config.mediaType)) return null
  return platformOf(parseConfig(await readJsonBlob(platform, name, config.digest)))
}

/** Loose is what no tag, and no index that is there, names, and what is about nothing that is there. */
async function refreshLoose(tx: Transaction, repositoryId: string): Promise<void> {
  await tx.$executeRaw`
    UPDATE image_manifests m
    SET "looseSince" = CASE WHEN held.is_held THEN NULL ELSE COALESCE(m."looseSince", timezone('utc', now())) END
    FROM (
      SELECT c.digest,
        EXISTS (SELECT 1 FROM image_tags t WHERE t."repositoryId" = c."repositoryId" AND t.digest = c.digest)
        OR EXISTS (SELECT 1 FROM image_manifests p
          WHERE p."repositoryId" = c."repositoryId" AND c.digest = ANY (p.children))
        OR EXISTS (SELECT 1 FROM image_manifests s
          WHERE s."repositoryId" = c."repositoryId" AND s.digest = c.subject) AS is_held
      FROM image_manifests c WHERE c."repositoryId" = ${repositoryId}
    ) held
    WHERE m."repositoryId" = ${repositoryId} AND m.digest = held.digest
      AND (m."looseSince" IS NULL) <> held.is_held`
}
