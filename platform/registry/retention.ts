import { requireTeam, type Viewer } from '../access.ts'
import { record } from '../audit.ts'
import { PlatformError } from '../errors.ts'
import { Prisma } from '../generated/prisma/client.ts'
import { isBuildCache, namesBuildCache } from '../model/build-cache.ts'
import type { RetentionPlan } from '../model/repositories.ts'
import { type Retention, type RetentionInput, readRetention, retentionSchema } from '../model/retention.ts'
import type { Platform } from '../open.ts'
import { type RepositoryPlace, repositoryAccess, repositoryPlace } from '../repositories.ts'
import { validate } from '../validate.ts'
import { loadImages } from './contents.ts'
import { pushLastsMs } from './grant.ts'
import { removeImage, removeTag } from './remove.ts'
import { planRetention } from './retention-plan.ts'
import { usesOf } from './uses.ts'

const teamRules = retentionSchema.nullable()
/** A tag for each step of a Dockerfile: those of the last few builds. The team's rules are for what people push. */
const ofCaches: Retention = { keepLast: 40, keepTags: [], untaggedDays: 1 }

/** The rules for the team's repositories that have none of their own; null: everything is kept. */
export async function getTeamRetention(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
): Promise<Retention | null> {
  await requireTeam(platform, viewer, teamId, 'repository.pull')
  const team = await platform.db.team.findUniqueOrThrow({
    where: { id: teamId },
    select: { imageRetention: true },
  })
  return readRetention(team.imageRetention)
}

export async function setTeamRetention(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  input: RetentionInput | null,
): Promise<Retention | null> {
  await requireTeam(platform, viewer, teamId, 'repository.update')
  const rules = validate(teamRules, input)
  await platform.db.$transaction(async (tx) => {
    const columns = { name: true, imageRetention: true } as const
    const old = await tx.team.findUniqueOrThrow({ where: { id: teamId }, select: columns })
    await tx.team.update({ where: { id: teamId }, data: { imageRetention: rules ?? Prisma.DbNull } })
    await record(tx, viewer, {
      teamId,
      action: 'team.change-image-retention',
      target: { type: 'team', id: teamId, name: old.name },
      before: { retention: readRetention(old.imageRetention) },
      after: { retention: rules },
    })
  })
  return rules
}

/**
 * What would go by these rules now, and why each thing stays. Without rules by those that are in force; null: by the
 * team's, as if the repository had none of its own.
 */
export async function previewRetention(
  platform: Platform,
  viewer: Viewer,
  repositoryId: string,
  input?: RetentionInput | null,
): Promise<RetentionPlan> {
  const place = await repositoryAccess(platform, viewer, repositoryId, 'repository.update')
  const asked = input === undefined ? undefined : validate(teamRules, input)
  return plan(platform, place, asked ?? (await rulesInForce(platform, place, asked === null)))
}

async function rulesInForce(
  platform: Platform,
  { id, name }: RepositoryPlace,
  onlyTeams = false,
): Promise<Retention | null> {
  const { retention, team } = await platform.db.repository.findUniqueOrThrow({
    where: { id },
    select: { retention: true, team: { select: { imageRetention: true } } },
  })
  if (retention === null || onlyTeams)
    return isBuildCache(name) ? ofCaches : readRetention(team.imageRetention)
  // Own rules that can't be read keep everything; they don't make way for the team's.
  return readRetention(retention)
}

async function plan(
  platform: Platform,
  place: RepositoryPlace,
  rules: Retention | null,
): Promise<RetentionPlan> {
  const [tags, images, uses] = await Promise.all([
    platform.db.imageTag.findMany({ where: { repositoryId: place.id } }),
    loadImages(platform, place.id),
    usesOf(platform, place),
  ])
  return planRetention({ rules, tags, images, uses, now: new Date() })
}

/**
 * Removes from all repositories what their rules don't keep; one that somebody pushes to is looked at next time. Answers
 * how much went.
 */
export async function applyRetention(
  platform: Platform,
  signal: AbortSignal,
): Promise<{ tags: number; images: number }> {
  const rows = await platform.db.repository.findMany({
    where: {
      OR: [
        { retention: { not: Prisma.DbNull } },
        { team: { imageRetention: { not: Prisma.DbNull } } },
        { name: namesBuildCache },
      ],
      team: { deletedAt: null },
      NOT: { pushGrantedAt: { gt: new Date(Date.now() - pushLastsMs) } },
    },
    select: { id: true },
  })
  const all = { tags: 0, images: 0 }
  for (const { id } of rows) {
    signal.throwIfAborted()
    const place = await repositoryPlace(platform, { id })
    if (place === null) continue
    const gone = await applyTo(platform, place, signal)
    all.tags += gone.tags
    all.images += gone.images
  }
  return all
}

const system: Viewer = { kind: 'system' }
/** An entry of the audit log names so many. */
const namedInLog = 100

async function applyTo(
  platform: Platform,
  place: RepositoryPlace,
  signal: AbortSignal,
): Promise<{ tags: number; images: number }> {
  const { tags, untagged } = await plan(platform, place, await rulesInForce(platform, place))
  const gone = { tags: [] as string[], images: [] as string[] }
  const options = { isNotedElsewhere: true }
  try {
    for (const { name, digest, keptBy } of tags) {
      signal.throwIfAborted()
      if (keptBy.length > 0) continue
      const removal = removeTag(platform, system, place, name, { ...options, onlyIf: digest })
      if (await unlessNeeded(removal)) gone.tags.push(name)
    }
    for (const { digest, keptBy } of untagged) {
      signal.throwIfAborted()
      if (keptBy.length > 0) continue
      if (await unlessNeeded(removeImage(platform, system, place, digest, options))) gone.images.push(digest)
    }
  } finally {
    if (gone.tags.length + gone.images.length > 0) await note(platform, place, gone)
  }
  return { tags: gone.tags.length, images: gone.images.length }
}

/** A deployment that came to need it since, a push of the same tag, or somebody who was quicker: it is left alone. */
async function unlessNeeded(removal: Promise<void>): Promise<boolean> {
  try {
    await removal
    return true
  } catch (error) {
    if (error instanceof PlatformError && ['conflict', 'not-found'].includes(error.code)) return false
    throw error
  }
}

async function note(
  platform: Platform,
  place: RepositoryPlace,
  { tags, images }: { tags: string[]; images: string[] },
): Promise<void> {
  await platform.db.$transaction((tx) =>
    record(tx, system, {
      teamId: place.teamId,
      action: 'repository.apply-retention',
      target: { type: 'repository', id: place.id, name: place.path },
      detail: {
        tagCount: tags.length,
        imageCount: images.length,
        tags: tags.slice(0, namedInLog),
        images: images.slice(0, namedInLog),
      },
    }),
  )
}
