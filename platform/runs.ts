import { notFound, type Viewer } from './access.ts'
import { type AppPlace, appAccess } from './app-access.ts'
import { publishApp } from './app-events.ts'
import { lockApp } from './app-lock.ts'
import { askHost } from './ask-host.ts'
import { actorOf, record } from './audit.ts'
import type { Transaction } from './database.ts'
import { PlatformError } from './errors.ts'
import { enqueue } from './jobs.ts'
import { commandSchema } from './model/app-settings.ts'
import { newId } from './model/ids.ts'
import type { PageInput } from './model/inputs.ts'
import type { LogPage } from './model/log-search.ts'
import type { Page } from './model/resources.ts'
import {
  type CreateRunInput,
  createRunSchema,
  isRunOver,
  type Run,
  type RunDetail,
  type RunLogLine,
  type RunReason,
  runLogLineSchema,
  runReasons,
} from './model/runs.ts'
import type { Platform } from './open.ts'
import { afterNumber, parsePage, toPage } from './pages.ts'
import { checkQuota, lockTeam, needOf } from './quotas.ts'
import { runningSettings } from './running-settings.ts'
import { validate } from './validate.ts'

export const runColumns = { deployment: { select: { number: true } } } as const

/** As many of an app are kept, with the end of what they wrote. */
export const runsKept = 200
const maxActive = 20

/** A command is to run once, with what the app's live deployment runs with. Throws `conflict` when there is none yet. */
export async function createRun(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  input: CreateRunInput,
): Promise<Run> {
  const place = await appAccess(platform, viewer, appId, 'run.create')
  const { command, timeoutMs, isAttached } = validate(createRunSchema, input)
  const id = await platform.db.$transaction(async (tx) => {
    const id = await queueRun(tx, viewer, place, { command, timeoutMs, isAttached })
    const target = { type: 'app', id: appId, name: place.name }
    const detail = { runId: id, command: command.join(' ').slice(0, 500) }
    await record(tx, viewer, { teamId: place.teamId, action: 'run.create', target, detail })
    return id
  })
  await beginRun(platform, place, id)
  return existing(platform, id)
}

export interface RunPlan {
  command: string[]
  timeoutMs: number
  isAttached?: boolean
  cronJob?: { id: string; name: string; scheduledAt: Date | null }
}

/** Writes a run down, in a transaction of the caller's; beginRun() hurries it afterwards. Throws `quota-exceeded`. */
export async function queueRun(
  tx: Transaction,
  viewer: Viewer,
  { appId, teamId }: Pick<AppPlace, 'appId' | 'teamId'>,
  plan: RunPlan,
): Promise<string> {
  await lockTeam(tx, teamId)
  const { live, ...row } = await newRow(tx, viewer, appId, plan)
  if ((await tx.run.count({ where: { appId, status: { in: ['queued', 'running'] } } })) >= maxActive)
    throw new PlatformError('conflict', `An app has at most ${maxActive} commands running at once.`)
  await checkQuota(tx, teamId, live)
  await tx.run.create({ data: row })
  return row.id
}

/** A cron job was due, and this is why nothing ran. */
export async function recordSkipped(
  tx: Transaction,
  appId: string,
  plan: RunPlan,
  why: { reason: RunReason; message: string },
): Promise<void> {
  const { live: _live, ...row } = await newRow(tx, { kind: 'system' }, appId, plan)
  const now = new Date()
  await tx.run.create({ data: { ...row, status: 'skipped', finishedAt: now, ...why } })
}

async function newRow(tx: Transaction, viewer: Viewer, appId: string, plan: RunPlan) {
  const { command, timeoutMs, isAttached = false, cronJob } = plan
  const { liveDeploymentId } = await lockApp(tx, appId)
  if (liveDeploymentId === null)
    throw new PlatformError(
      'conflict',
      'The app has never been live, so there is no image to run. Deploy it.',
    )
  const deployment = await tx.deployment.findUniqueOrThrow({ where: { id: liveDeploymentId } })
  const live = needOf({ replicas: 1, limits: runningSettings(deployment).limits, processes: {} })
  const { _max } = await tx.run.aggregate({ where: { appId }, _max: { number: true } })
  const number = (_max.number ?? 0) + 1
  await tx.run.deleteMany({ where: { appId, number: { lte: number - runsKept } } })
  const { actor, actorName } = await actorOf(tx, viewer)
  return {
    ...{
      id: newId('run'),
      appId,
      number,
      deploymentId: liveDeploymentId,
      command,
      isAttached,
      timeoutMs,
      actor,
      actorName,
    },
    cronJobId: cronJob?.id ?? null,
    cronJobName: cronJob?.name ?? null,
    scheduledAt: cronJob?.scheduledAt ?? null,
    memoryBytes: BigInt(live.memoryBytes),
    cpuMillis: live.cpuMillis,
    live,
  }
}

/** After the transaction. */
export async function beginRun(
  platform: Platform,
  { appId, hostId }: Pick<AppPlace, 'appId' | 'hostId'>,
  runId: string,
): Promise<void> {
  await publishApp(platform, appId)
  await enqueue(platform, hostId, 'run-once', { runId })
}

/** Newest first. */
export async function listRuns(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  pageInput?: PageInput,
): Promise<Page<Run>> {
  await appAccess(platform, viewer, appId, 'run.read')
  const page = parsePage(pageInput)
  const rows = await platform.db.run.findMany({
    where: { appId, number: { lt: afterNumber(page) } },
    include: runColumns,
    orderBy: { number: 'desc' },
    take: page.limit + 1,
  })
  return toPage(rows, page.limit, (row) => row.number, showRun)
}

/** With what it wrote: all that is kept of it while it runs, and the last lines afterwards. */
export async function getRun(platform: Platform, viewer: Viewer, id: string): Promise<RunDetail> {
  const row = await platform.db.run.findUnique({ where: { id }, include: runColumns })
  if (row === null) throw notFound('run')
  const place = await appAccess(platform, viewer, row.appId, 'run.read')
  const log =
    row.log === null ? await linesSoFar(platform, place, id) : runLogLineSchema.array().parse(row.log)
  return { ...showRun(row), log }
}

/** The run of an app that has this number. */
export async function findRun(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  number: number,
): Promise<RunDetail> {
  const row = await platform.db.run.findFirst({ where: { appId, number }, select: { id: true } })
  if (row === null) throw notFound('run')
  return getRun(platform, viewer, row.id)
}

/** What its container is called; the log of an app says of each line who wrote it. */
export function runContainerId(runId: string): string {
  return runId.replace('_', '-')
}

const shownLines = 1_000

/** Where they are kept: of an app that writes much, what is followed live has room for few of a run's. */
async function linesSoFar(
  platform: Platform,
  { appId, hostId }: { appId: string; hostId: string },
  runId: string,
): Promise<RunLogLine[]> {
  const search = { containerId: runContainerId(runId), order: 'newest' as const, limit: shownLines }
  try {
    const page = (await askHost(
      platform,
      hostId,
      { about: 'log-lines', appId, search },
      { limitMs: 3_000 },
    )) as LogPage
    return page.lines.toReversed().map(({ time, stream, text }) => ({ time, stream, text }))
  } catch (error) {
    // The run itself can be shown all the same.
    if (error instanceof PlatformError) return []
    throw error
  }
}

/** One that waits is canceled at once, one that runs by its worker soon. Throws `conflict` once it is over. */
export async function cancelRun(platform: Platform, viewer: Viewer, id: string): Promise<Run> {
  const run = await platform.db.run.findUnique({ where: { id }, select: { appId: true } })
  if (run === null) throw notFound('run')
  const place = await appAccess(platform, viewer, run.appId, 'run.cancel')
  await platform.db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT 1 FROM runs WHERE id = ${id} FOR UPDATE`
    const row = await tx.run.findUniqueOrThrow({ where: { id } })
    if (isRunOver(row.status))
      throw new PlatformError(
        'conflict',
        `Run ${row.number} is ${row.status}; it can't be canceled any more.`,
      )
    await askCancel(tx, row)
    await record(tx, viewer, {
      ...{ teamId: place.teamId, action: 'run.cancel' },
      target: { type: 'app', id: run.appId, name: place.name },
      detail: { runId: id, number: row.number },
    })
  })
  await publishApp(platform, run.appId)
  return existing(platform, id)
}

/** In a transaction of the caller's. */
export async function askCancel(
  tx: Transaction,
  { id, status }: { id: string; status: string },
): Promise<void> {
  const now = new Date()
  const isWaiting = status === 'queued'
  await tx.run.update({
    where: { id },
    data: { cancelAskedAt: now, ...(isWaiting ? { status: 'canceled', finishedAt: now, log: [] } : {}) },
  })
}

async function existing(platform: Platform, id: string): Promise<Run> {
  const row = await platform.db.run.findUnique({ where: { id }, include: runColumns })
  if (row === null) throw notFound('run')
  return showRun(row)
}

interface RunRow {
  id: string
  appId: string
  number: number
  cronJobId: string | null
  cronJobName: string | null
  scheduledAt: Date | null
  command: unknown
  isAttached: boolean
  timeoutMs: number
  status: Run['status']
  actor: string
  actorName: string
  reason: string | null
  message: string | null
  exitCode: number | null
  signal: string | null
  createdAt: Date
  startedAt: Date | null
  finishedAt: Date | null
  deployment: { number: number }
}

export function showRun(row: RunRow): Run {
  const { actor, actorName, deployment, command, reason, ...rest } = row
  return {
    id: rest.id,
    appId: rest.appId,
    number: rest.number,
    cronJobId: rest.cronJobId,
    cronJobName: rest.cronJobName,
    scheduledAt: rest.scheduledAt?.toISOString() ?? null,
    deploymentNumber: deployment.number,
    command: commandSchema.parse(command),
    isAttached: rest.isAttached,
    timeoutMs: rest.timeoutMs,
    status: rest.status,
    by: actor === 'system' ? null : actorName,
    reason: runReasons.find((known) => known === reason) ?? null,
    message: rest.message,
    exitCode: rest.exitCode,
    signal: rest.signal,
    createdAt: rest.createdAt.toISOString(),
    startedAt: rest.startedAt?.toISOString() ?? null,
    finishedAt: rest.finishedAt?.toISOString() ?? null,
  }
}
