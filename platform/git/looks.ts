/** When Berth looks at repositories by itself, and what it makes of what it finds. The worker does the looking. */
import type { AppPlace } from '../app-access.ts'
import { publishApp } from '../app-events.ts'
import { PlatformError } from '../errors.ts'
import type { GitSource as Row } from '../generated/prisma/client.ts'
import type { Platform } from '../open.ts'
import { queueGit } from './deploy.ts'
import { isWatched } from './watched.ts'

/** Whoever looks has so long; then it is somebody's turn again. */
const leaseMs = 15 * 60_000
const longestPauseMs = 3_600_000
/** After a push that could not be looked at so often, nobody looks until the next one, or the next turn. */
const maxFailures = 8

export interface Look {
  row: Row
  place: AppPlace
  /** Somebody told of a push: what is there is new, even if nobody has looked before. */
  isPushed: boolean
}

/** Apps of a host whose turn it is. */
export async function dueLooks(platform: Platform, hostId: string): Promise<string[]> {
  const rows = await platform.db.gitSource.findMany({
    where: { lookAt: { lte: new Date() }, autoDeploy: true, app: { hostId, desiredState: 'running' } },
    orderBy: { lookAt: 'asc' },
    select: { appId: true },
    take: 50,
  })
  return rows.map(({ appId }) => appId)
}

/** Takes a look that is due; null: it is nobody's turn, or another has taken it. */
export async function takeLook(platform: Platform, appId: string): Promise<Look | null> {
  const now = new Date()
  const [row] = await platform.db.gitSource.updateManyAndReturn({
    where: { appId, lookAt: { lte: now }, autoDeploy: true, app: { desiredState: 'running' } },
    data: { lookAt: new Date(now.getTime() + leaseMs) },
  })
  if (row === undefined) return null
  const app = await platform.db.app.findUniqueOrThrow({
    where: { id: appId },
    include: {
      project: { select: { teamId: true, deletedAt: true, team: { select: { deletedAt: true } } } },
    },
  })
  const { project } = app
  if (project.deletedAt !== null || project.team.deletedAt !== null) return null
  const { name, projectId, environmentId, desiredState } = app
  const place = {
    ...{ appId, name, projectId, environmentId, desiredState },
    ...{ teamId: project.teamId, hostId: app.hostId ?? platform.config.hostId },
  }
  return { row, place, isPushed: row.pushedAt !== null }
}

export type LookResult = 'deployed' | 'unchanged' | 'unwatched' | 'first'

/** What is to be done about the commit that is there now, and does it. */
export async function finishLook(
  platform: Platform,
  { row, place, isPushed }: Look,
  { sha, changed }: { sha: string; changed: string[] | null },
): Promise<LookResult> {
  const { appId, headSha, watchPaths } = row
  const result: LookResult =
    sha === headSha
      ? 'unchanged'
      : headSha === null && !isPushed
        ? 'first'
        : changed !== null && !isWatched(watchPaths, changed)
          ? 'unwatched'
          : 'deployed'
  // Whoever changed the source meanwhile wants another look at another repository.
  const isSame = { appId, address: row.address, refKind: row.refKind, refName: row.refName, headSha }
  if (result !== 'deployed') await platform.db.gitSource.updateMany({ where: isSame, data: { headSha: sha } })
  else
    try {
      await queueGit(platform, { kind: 'system' }, place, {
        ...{ trigger: 'push', sha },
        first: async (tx) => {
          const { count } = await tx.gitSource.updateMany({ where: isSame, data: { headSha: sha } })
          if (count === 0) throw new PlatformError('conflict', 'The Git source is another by now.')
        },
      })
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error
      await missLook(platform, row, error.message)
      return result
    }
  await platform.db.gitSource.updateMany({
    where: { appId, lookAt: row.lookAt },
    data: { lookAt: nextLook(row, 0) },
  })
  await platform.db.gitSource.updateMany({
    where: { appId },
    data: { lookedAt: new Date(), lookResult: result, lookProblem: null, lookFailures: 0 },
  })
  // Unless another push came since.
  await platform.db.gitSource.updateMany({
    where: { appId, pushedAt: row.pushedAt },
    data: { pushedAt: null },
  })
  await publishApp(platform, appId)
  return result
}

/** It could not be looked at: why, for whoever wonders, and when it is tried again. */
export async function missLook(platform: Platform, row: Row, problem: string): Promise<void> {
  const failures = row.lookFailures + 1
  const mayTry = row.pollSeconds !== null || (row.pushedAt !== null && failures < maxFailures)
  await platform.db.gitSource.updateMany({
    where: { appId: row.appId, lookAt: row.lookAt },
    data: {
      lookAt: mayTry ? nextLook(row, failures) : null,
      ...{ lookedAt: new Date(), lookProblem: problem.slice(0, 1_000), lookFailures: failures },
    },
  })
  await publishApp(platform, row.appId)
}

/** As often as is asked for and not all at once; after failures less often. Null: when somebody tells of a push. */
function nextLook({ pollSeconds }: Row, failures: number): Date | null {
  if (pollSeconds === null && failures === 0) return null
  const usual = (failures > 0 && pollSeconds === null ? 15 : (pollSeconds ?? 15)) * 1_000
  const patient = Math.min(usual * 2 ** failures, Math.max(longestPauseMs, usual))
  return new Date(Date.now() + patient * (0.9 + Math.random() * 0.2))
}
