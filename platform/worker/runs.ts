/** Commands that run once, as their host sees them; and cron jobs that are due there. */
import { publishApp } from '../app-events.ts'
import { PlatformError } from '../errors.ts'
import { commandSchema } from '../model/app-settings.ts'
import { nextTime } from '../model/cron.ts'
import { isRunOver, type RunLogLine, type RunReason, type RunStatus } from '../model/runs.ts'
import type { CloseReason } from '../model/terminal.ts'
import type { Platform } from '../open.ts'
import { askCancel, beginRun, queueRun, recordSkipped } from '../runs.ts'
import { emitAppEvent } from '../timeline.ts'
import { type DeploymentWork, loadDeployment } from './deployments.ts'

export interface RunWork {
  run: {
    id: string
    number: number
    status: RunStatus
    command: string[]
    isAttached: boolean
    timeoutMs: number
    startedAt: Date | null
  }
  /** Whose image, variables and limits it has. */
  deployment: DeploymentWork
}

/** Null when it is over, or its app is gone. */
export async function loadRun(platform: Platform, id: string): Promise<RunWork | null> {
  const row = await platform.db.run.findUnique({ where: { id } })
  if (row === null || isRunOver(row.status)) return null
  const deployment = await loadDeployment(platform, row.deploymentId)
  if (deployment === null) return null
  const { number, status, isAttached, timeoutMs, startedAt } = row
  return {
    run: { id, number, status, isAttached, timeoutMs, startedAt, command: commandSchema.parse(row.command) },
    deployment,
  }
}

/** Ids of a host's runs that wait or run. */
export async function activeRuns(platform: Platform, hostId: string): Promise<Set<string>> {
  const rows = await platform.db.run.findMany({
    where: { status: { in: ['queued', 'running'] }, app: { hostId } },
    select: { id: true },
  })
  return new Set(rows.map(({ id }) => id))
}

export async function isRunCancelAsked(platform: Platform, id: string): Promise<boolean> {
  const row = await platform.db.run.findUnique({
    where: { id },
    select: { cancelAskedAt: true, status: true },
  })
  return row === null || row.cancelAskedAt !== null || isRunOver(row.status)
}

/** False when it was called off meanwhile. May be called twice. */
export async function startRun(platform: Platform, id: string, startedAt: Date): Promise<boolean> {
  const { count } = await platform.db.run.updateMany({
    where: { id, status: { in: ['queued', 'running'] } },
    data: { status: 'running', startedAt },
  })
  const row = await platform.db.run.findUnique({ where: { id }, select: { appId: true } })
  if (count > 0 && row !== null) await publishApp(platform, row.appId)
  return count > 0
}

/** How a run ended whose command ran in a terminal. */
export async function finishAttachedRun(
  platform: Platform,
  id: string,
  { reason, exitCode }: { reason: CloseReason | 'left'; exitCode: number | null },
): Promise<void> {
  // Whoever looks after the container says why it ended.
  if (reason === 'containerEnded') return
  await finishRun(platform, id, { ...attachedEnd(reason, exitCode), log: [] })
}

function attachedEnd(reason: CloseReason | 'left', exitCode: number | null): Omit<RunEnd, 'log'> {
  if (reason === 'exited' && exitCode === 0) return { status: 'succeeded', exitCode }
  if (reason === 'exited')
    return { status: 'failed', reason: 'exited', exitCode, message: `It exited with code ${exitCode}.` }
  if (reason === 'noProgram')
    return { status: 'failed', reason: 'start-failed', message: 'There is no such program in the image.' }
  return { status: 'canceled', message: 'Its terminal was closed before it ended.' }
}

export interface RunEnd {
  status: 'succeeded' | 'failed' | 'canceled'
  reason?: RunReason
  message?: string
  exitCode?: number | null
  signal?: string | null
  log: RunLogLine[]
}

/** The first end that is told counts. A failure is told to the app's timeline, unless somebody was there to see it. */
export async function finishRun(platform: Platform, id: string, end: RunEnd): Promise<void> {
  const { count } = await platform.db.run.updateMany({
    where: { id, status: { in: ['queued', 'running'] } },
    data: { ...end, log: end.log.map((line) => ({ ...line })), finishedAt: new Date() },
  })
  const row = await platform.db.run.findUnique({ where: { id } })
  if (count === 0 || row === null) return
  if (end.status === 'failed' && !row.isAttached)
    await emitAppEvent(
      platform,
      row.appId,
      {
        ...{ kind: 'run.failed', runId: id, number: row.number, name: row.cronJobName },
        ...{ reason: end.reason ?? 'internal', message: end.message ?? '' },
      },
      { key: `run:${id}` },
    )
  await publishApp(platform, row.appId)
}

/** One that is so late was meant for a time when nobody was there. */
const lateMs = 3_600_000

/** Begins what a host's cron jobs are due for; of several times that were missed, once. */
export async function takeDueCronJobs(platform: Platform, hostId: string): Promise<void> {
  const due = await platform.db.cronJob.findMany({
    where: { nextAt: { lte: new Date() }, app: { hostId } },
    orderBy: { nextAt: 'asc' },
    take: 200,
    select: { id: true },
  })
  for (const { id } of due) {
    const begun = await takeOne(platform, id)
    if (begun === null) continue
    if (begun.runId === null) await publishApp(platform, begun.appId)
    else await beginRun(platform, { appId: begun.appId, hostId }, begun.runId)
  }
}

async function takeOne(
  platform: Platform,
  id: string,
): Promise<{ appId: string; runId: string | null } | null> {
  return platform.db.$transaction(async (tx) => {
    const now = new Date()
    // Another worker may have been quicker.
    await tx.$executeRaw`SELECT 1 FROM cron_jobs WHERE id = ${id} FOR UPDATE`
    const job = await tx.cronJob.findUnique({
      where: { id },
      include: {
        app: { select: { desiredState: true, liveDeploymentId: true, project: { select: { team: true } } } },
      },
    })
    if (job === null || job.nextAt === null || job.nextAt > now) return null
    const { appId, app, name, timeoutMs } = job
    await tx.cronJob.update({
      where: { id },
      data: { nextAt: job.isEnabled ? nextTime(job.schedule, job.timeZone, now) : null },
    })
    const { team } = app.project
    const isUp = app.desiredState === 'running' && app.liveDeploymentId !== null && team.deletedAt === null
    if (!isUp || !job.isEnabled) return null
    const cronJob = { id, name, scheduledAt: job.nextAt }
    const plan = { command: commandSchema.parse(job.command), timeoutMs, cronJob }
    const skip = async (reason: RunReason, message: string) => {
      await recordSkipped(tx, appId, plan, { reason, message })
      return { appId, runId: null }
    }
    if (now.getTime() - job.nextAt.getTime() > lateMs)
      return skip('missed', 'It was due while Berth did not run, more than an hour ago.')
    const active = await tx.run.findMany({
      where: { cronJobId: id, status: { in: ['queued', 'running'] } },
      select: { id: true, status: true, number: true },
    })
    const [first] = active
    if (job.concurrency === 'forbid' && first !== undefined)
      return skip('still-running', `Run ${first.number} of it was still under way.`)
    if (job.concurrency === 'replace') for (const each of active) await askCancel(tx, each)
    try {
      const runId = await queueRun(tx, { kind: 'system' }, { appId, teamId: team.id }, plan)
      return { appId, runId }
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error
      return skip(error.code === 'quota-exceeded' ? 'quota-exceeded' : 'still-running', error.message)
    }
  })
}
