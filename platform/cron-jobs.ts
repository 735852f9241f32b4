import { notFound, type Viewer } from './access.ts'
import { type AppPlace, appAccess } from './app-access.ts'
import { publishApp } from './app-events.ts'
import { lockApp } from './app-lock.ts'
import { record } from './audit.ts'
import type { Transaction } from './database.ts'
import { isUniqueViolation } from './database.ts'
import { PlatformError } from './errors.ts'
import { commandSchema } from './model/app-settings.ts'
import { nextTime } from './model/cron.ts'
import { newId } from './model/ids.ts'
import {
  type CreateCronJobInput,
  type CronJob,
  createCronJobSchema,
  type Run,
  type UpdateCronJobInput,
  updateCronJobSchema,
} from './model/runs.ts'
import type { Platform } from './open.ts'
import { beginRun, queueRun, runColumns, showRun } from './runs.ts'
import { validate } from './validate.ts'

const maxCronJobs = 50

/** By name. */
export async function listCronJobs(platform: Platform, viewer: Viewer, appId: string): Promise<CronJob[]> {
  await appAccess(platform, viewer, appId, 'cron-job.read')
  const rows = await platform.db.cronJob.findMany({
    where: { appId },
    include: shown,
    orderBy: { name: 'asc' },
  })
  return rows.map(showCronJob)
}

export async function getCronJob(platform: Platform, viewer: Viewer, id: string): Promise<CronJob> {
  await cronJobAccess(platform, viewer, id, 'cron-job.read')
  return existing(platform, id)
}

export async function createCronJob(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  input: CreateCronJobInput,
): Promise<CronJob> {
  const place = await appAccess(platform, viewer, appId, 'cron-job.write')
  const asked = validate(createCronJobSchema, input)
  const id = newId('cronJob')
  await withFreeName(asked.name, () =>
    platform.db.$transaction(async (tx) => {
      await lockApp(tx, appId)
      if ((await tx.cronJob.count({ where: { appId } })) >= maxCronJobs)
        throw new PlatformError('conflict', `An app has at most ${maxCronJobs} cron jobs.`)
      await tx.cronJob.create({ data: { id, appId, ...asked, nextAt: nextOf(asked) } })
      await record(tx, viewer, {
        ...{
          teamId: place.teamId,
          action: 'cron-job.create',
          target: { type: 'cron-job', id, name: asked.name },
        },
        after: asked,
      })
    }),
  )
  await publishApp(platform, appId)
  return existing(platform, id)
}

/** Only what is given changes. */
export async function updateCronJob(
  platform: Platform,
  viewer: Viewer,
  id: string,
  input: UpdateCronJobInput,
): Promise<CronJob> {
  const place = await cronJobAccess(platform, viewer, id, 'cron-job.write')
  const change = validate(updateCronJobSchema, input)
  await withFreeName(change.name ?? '', () =>
    platform.db.$transaction(async (tx) => {
      const old = await lockCronJob(tx, id)
      const before = settingsOf(old)
      const after = { ...before, ...change }
      // Its next time is as it was, unless it is told by something else now.
      const isRescheduled =
        before.schedule !== after.schedule ||
        before.timeZone !== after.timeZone ||
        before.isEnabled !== after.isEnabled
      await tx.cronJob.update({
        where: { id },
        data: { ...change, ...(isRescheduled ? { nextAt: nextOf(after) } : {}) },
      })
      const target = { type: 'cron-job', id, name: after.name }
      await record(tx, viewer, { teamId: place.teamId, action: 'cron-job.update', target, before, after })
    }),
  )
  await publishApp(platform, place.appId)
  return existing(platform, id)
}

/** What runs of it runs on; its history stays. */
export async function deleteCronJob(platform: Platform, viewer: Viewer, id: string): Promise<void> {
  const place = await cronJobAccess(platform, viewer, id, 'cron-job.write')
  await platform.db.$transaction(async (tx) => {
    const old = await lockCronJob(tx, id)
    await tx.cronJob.delete({ where: { id } })
    const target = { type: 'cron-job', id, name: old.name }
    const before = settingsOf(old)
    await record(tx, viewer, { teamId: place.teamId, action: 'cron-job.delete', target, before })
  })
  await publishApp(platform, place.appId)
}

/** Once more than its schedule says, also while it is switched off or one of it runs. */
export async function runCronJobNow(platform: Platform, viewer: Viewer, id: string): Promise<Run> {
  const place = await cronJobAccess(platform, viewer, id, 'run.create')
  const runId = await platform.db.$transaction(async (tx) => {
    const { name, timeoutMs, command } = await lockCronJob(tx, id)
    const plan = {
      ...{ timeoutMs, command: commandSchema.parse(command) },
      cronJob: { id, name, scheduledAt: null },
    }
    const runId = await queueRun(tx, viewer, place, plan)
    const target = { type: 'cron-job', id, name }
    await record(tx, viewer, { teamId: place.teamId, action: 'run.create', target, detail: { runId } })
    return runId
  })
  await beginRun(platform, place, runId)
  return showRun(await platform.db.run.findUniqueOrThrow({ where: { id: runId }, include: runColumns }))
}

async function cronJobAccess(
  platform: Platform,
  viewer: Viewer,
  id: string,
  action: 'cron-job.read' | 'cron-job.write' | 'run.create',
): Promise<AppPlace> {
  const job = await platform.db.cronJob.findUnique({ where: { id }, select: { appId: true } })
  if (job === null) throw notFound('cron job')
  return appAccess(platform, viewer, job.appId, action)
}

async function lockCronJob(tx: Transaction, id: string) {
  await tx.$executeRaw`SELECT 1 FROM cron_jobs WHERE id = ${id} FOR UPDATE`
  const job = await tx.cronJob.findUnique({ where: { id } })
  if (job === null) throw notFound('cron job')
  return job
}

async function withFreeName(name: string, write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (cause) {
    if (!isUniqueViolation(cause)) throw cause
    const fields = [{ path: 'name', message: 'is taken' }]
    throw new PlatformError('conflict', `There is a cron job ${name} already.`, { fields, cause })
  }
}

function nextOf(job: { schedule: string; timeZone: string; isEnabled: boolean }): Date | null {
  return job.isEnabled ? nextTime(job.schedule, job.timeZone, new Date()) : null
}

const shown = { runs: { orderBy: { number: 'desc' }, take: 1, include: runColumns } } as const

type CronJobRow = Awaited<ReturnType<typeof lockCronJob>>

function settingsOf(row: CronJobRow) {
  const { name, schedule, timeZone, concurrency, timeoutMs, isEnabled } = row
  const command = commandSchema.parse(row.command)
  return { name, schedule, timeZone, command, concurrency, timeoutMs, isEnabled }
}

function showCronJob(row: CronJobRow & { runs: Parameters<typeof showRun>[0][] }): CronJob {
  const [last] = row.runs
  return {
    id: row.id,
    appId: row.appId,
    ...settingsOf(row),
    nextAt: row.nextAt?.toISOString() ?? null,
    lastRun: last === undefined ? null : showRun(last),
    createdAt: row.createdAt.toISOString(),
  }
}

async function existing(platform: Platform, id: string): Promise<CronJob> {
  const row = await platform.db.cronJob.findUnique({ where: { id }, include: shown })
  if (row === null) throw notFound('cron job')
  return showCronJob(row)
}
