import { notFound, type RepositoryAction, requireRepository, requireTeam, type Viewer } from './access.ts'
import { record } from './audit.ts'
import { PlatformError } from './errors.ts'
import { publish, streams } from './event-log.ts'
import { Prisma } from './generated/prisma/client.ts'
import { isBuildCache } from './model/build-cache.ts'
import { type PageInput, type UpdateRepositoryInput, updateRepositorySchema } from './model/inputs.ts'
import type { Repository } from './model/repositories.ts'
import type { Page } from './model/resources.ts'
import { readRetention } from './model/retention.ts'
import type { Platform } from './open.ts'
import { afterId, parsePage, toPage } from './pages.ts'
import { validate } from './validate.ts'

/** Where a repository belongs and what it is called. */
export interface RepositoryPlace {
  id: string
  teamId: string
  /** Below the team. */
  name: string
  /** As the registry knows it: acme/shop/web. */
  path: string
  /** As clients write it: localhost:7080/acme/shop/web. */
  reference: string
}

/** If the caller may do this to it. Throws `not-found` or `forbidden`. */
export async function repositoryAccess(
  platform: Platform,
  viewer: Viewer,
  id: string,
  action: RepositoryAction,
): Promise<RepositoryPlace> {
  const place = await repositoryPlace(platform, { id })
  if (place === null) throw notFound('repository')
  await requireRepository(platform, viewer, place, action)
  return place
}

/** The same without asking who wants to know. */
export async function repositoryPlace(
  platform: Platform,
  of: { id: string } | { namespace: string; name: string },
): Promise<RepositoryPlace | null> {
  const row = await platform.db.repository.findFirst({
    where:
      'id' in of ? { id: of.id } : { name: of.name, team: { imageNamespace: of.namespace, deletedAt: null } },
    select: { id: true, teamId: true, name: true, team: { select: { imageNamespace: true } } },
  })
  if (row === null) return null
  const { id, teamId, name, team } = row
  const path = `${team.imageNamespace}/${name}`
  return { id, teamId, name, path, reference: `${platform.config.registryHost}/${path}` }
}

/** Those that something was pushed to, by name. */
export async function listRepositories(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  pageInput?: PageInput,
): Promise<Page<Repository>> {
  await requireTeam(platform, viewer, teamId, 'repository.pull')
  const page = parsePage(pageInput)
  const rows = await platform.db.repository.findMany({
    where: { teamId, lastPushedAt: { not: null }, name: { gt: afterId(page) } },
    include: columns,
    orderBy: { name: 'asc' },
    take: page.limit + 1,
  })
  const sizes = await sizesOf(
    platform,
    rows.map(({ id }) => id),
  )
  return toPage(
    rows,
    page.limit,
    (row) => row.name,
    (row) => show(platform, row, sizes.get(row.id) ?? 0),
  )
}

export async function getRepository(platform: Platform, viewer: Viewer, id: string): Promise<Repository> {
  await repositoryAccess(platform, viewer, id, 'repository.pull')
  return existing(platform, id)
}

/** By its name below the team, for whoever may see the team. */
export async function findRepository(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  name: string,
): Promise<Repository> {
  await requireRepository(platform, viewer, { teamId, name }, 'repository.pull')
  const row = await platform.db.repository.findUnique({ where: { teamId_name: { teamId, name } } })
  if (row === null) throw notFound('repository')
  return existing(platform, row.id)
}

const shownInLog = { description: true, isPublic: true, retention: true } as const

export async function updateRepository(
  platform: Platform,
  viewer: Viewer,
  id: string,
  input: UpdateRepositoryInput,
): Promise<Repository> {
  const place = await repositoryAccess(platform, viewer, id, 'repository.update')
  const change = validate(updateRepositorySchema, input)
  if (change.isPublic === true && isBuildCache(place.name))
    throw new PlatformError(
      'invalid',
      'A build cache holds what builds leave out of images, so it stays private.',
    )
  await platform.db.$transaction(async (tx) => {
    const before = await tx.repository.findUniqueOrThrow({ where: { id }, select: shownInLog })
    const after = await tx.repository.update({
      where: { id },
      data: {
        ...(change.description === undefined ? {} : { description: change.description }),
        ...(change.isPublic === undefined ? {} : { isPublic: change.isPublic }),
        ...(change.retention === undefined ? {} : { retention: change.retention ?? Prisma.DbNull }),
      },
      select: shownInLog,
    })
    await record(tx, viewer, {
      teamId: place.teamId,
      action: 'repository.update',
      target: { type: 'repository', id, name: place.path },
      before: { ...before, retention: readRetention(before.retention) },
      after: { ...after, retention: readRetention(after.retention) },
    })
  })
  await publish(platform, streams.team(place.teamId), { type: 'repository', repositoryId: id })
  return existing(platform, id)
}

const columns = { team: { select: { imageNamespace: true } }, _count: { select: { tags: true } } } as const

async function existing(platform: Platform, id: string): Promise<Repository> {
  const row = await platform.db.repository.findUnique({ where: { id }, include: columns })
  if (row === null) throw notFound('repository')
  return show(platform, row, (await sizesOf(platform, [id])).get(id) ?? 0)
}

/** Manifests and what they name, each once. */
async function sizesOf(platform: Platform, ids: string[]): Promise<Map<string, number>> {
  const rows = await platform.db.$queryRaw<{ repositoryId: string; size: bigint }[]>`
    SELECT "repositoryId", SUM(size)::bigint AS size FROM (
      SELECT DISTINCT "repositoryId", digest, "sizeBytes" AS size FROM image_blobs
        WHERE "repositoryId" = ANY (${ids})
      UNION ALL
      SELECT "repositoryId", digest, "sizeBytes" FROM image_manifests WHERE "repositoryId" = ANY (${ids})
    ) parts GROUP BY "repositoryId"`
  return new Map(rows.map(({ repositoryId, size }) => [repositoryId, Number(size)]))
}

interface Row {
  id: string
  teamId: string
  name: string
  description: string
  isPublic: boolean
  retention: unknown
  lastPushedAt: Date | null
  lastPulledAt: Date | null
  createdAt: Date
  team: { imageNamespace: string }
  _count: { tags: number }
}

function show(platform: Platform, row: Row, sizeBytes: number): Repository {
  const { id, teamId, name, description, isPublic, lastPushedAt, lastPulledAt, createdAt } = row
  return {
    id,
    teamId,
    name,
    reference: `${platform.config.registryHost}/${row.team.imageNamespace}/${name}`,
    description,
    isPublic,
    isBuildCache: isBuildCache(name),
    tagCount: row._count.tags,
    sizeBytes,
    retention: readRetention(row.retention),
    lastPushedAt: lastPushedAt?.toISOString() ?? null,
    lastPulledAt: lastPulledAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
  }
}
