import { notFound, requireTeam, type TeamAction, type Viewer } from '../access.ts'
import { record } from '../audit.ts'
import { type Facts, Masked } from '../audit-changes.ts'
import type { Transaction } from '../database.ts'
import { PlatformError } from '../errors.ts'
import type { LogDrainCursor, LogDrain as Row } from '../generated/prisma/client.ts'
import type { AuditAction } from '../model/audit-actions.ts'
import { newId } from '../model/ids.ts'
import {
  type CreateDrainInput,
  createDrainSchema,
  type DrainKind,
  type DrainTarget,
  drainUrlProblem,
  type LogDrain,
  type UpdateDrainInput,
  updateDrainSchema,
} from '../model/log-drains.ts'
import type { Platform } from '../open.ts'
import { validate } from '../validate.ts'
import { DrainError, sendLines } from './send.ts'
import { openTarget, sealTarget } from './target.ts'

export const maxDrains = 20

/** Oldest first; all that the team has. */
export async function listDrains(platform: Platform, viewer: Viewer, teamId: string): Promise<LogDrain[]> {
  await requireTeam(platform, viewer, teamId, 'log-drain.read')
  const rows = await platform.db.logDrain.findMany({
    where: { teamId },
    include: { cursors: true },
    orderBy: { id: 'asc' },
  })
  return rows.map((row) => show(platform, row))
}

export async function getDrain(platform: Platform, viewer: Viewer, id: string): Promise<LogDrain> {
  const { teamId } = await drainAccess(platform, viewer, id, 'log-drain.read')
  const found = (await listDrains(platform, viewer, teamId)).find((drain) => drain.id === id)
  if (found === undefined) throw notFound('log drain')
  return found
}

/**
 * What apps write from now on is sent there. Throws `invalid` for places that are none of the team's, `conflict` for too
 * many drains.
 */
export async function createDrain(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  input: CreateDrainInput,
): Promise<LogDrain> {
  await requireTeam(platform, viewer, teamId, 'log-drain.manage')
  const { kind, name, url, headers, ca, environmentIds, appIds } = validate(createDrainSchema, input)
  const target = { url, headers, ca }
  mustFit(kind, target)
  const id = newId('logDrain')
  const row = await platform.db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT 1 FROM teams WHERE id = ${teamId} FOR UPDATE`
    await requireOwn(tx, teamId, { environmentIds, appIds })
    if ((await tx.logDrain.count({ where: { teamId } })) >= maxDrains)
      throw new PlatformError('conflict', `A team has at most ${maxDrains} log drains. Remove one first.`)
    const made = await tx.logDrain.create({
      data: { id, teamId, kind, name, environmentIds, appIds, ...sealTarget(platform, id, target) },
    })
    await record(tx, viewer, { ...entryOf(made, 'log-drain.create'), after: factsOf(made) })
    return made
  })
  return show(platform, { ...row, cursors: [] })
}

/** What was not taken yet goes to the new address. While it is disabled nothing is sent, and nothing is lost. */
export async function updateDrain(
  platform: Platform,
  viewer: Viewer,
  id: string,
  input: UpdateDrainInput,
): Promise<LogDrain> {
  const { teamId, kind } = await drainAccess(platform, viewer, id, 'log-drain.manage')
  const { name, url, headers, ca, environmentIds, appIds, isEnabled } = validate(updateDrainSchema, input)
  await platform.db.$transaction(async (tx) => {
    await requireOwn(tx, teamId, { environmentIds, appIds })
    const before = await lock(tx, id)
    const old = openTarget(platform, before)
    const target = { url: url ?? old.url, headers: headers ?? old.headers, ca: ca ?? old.ca }
    mustFit(kind as DrainKind, target)
    // What was meant for one receiver is not given to another.
    if (url !== undefined && new URL(url).host !== new URL(old.url).host && headers === undefined)
      if (Object.keys(old.headers).length > 0) throw invalid('headers', 'is needed with another address')
    const after = await tx.logDrain.update({
      where: { id },
      data: { name, environmentIds, appIds, isEnabled, ...sealTarget(platform, id, target) },
    })
    await record(tx, viewer, {
      ...entryOf(after, 'log-drain.update'),
      before: factsOf(before),
      after: factsOf(after),
    })
  })
  return getDrain(platform, viewer, id)
}

export async function deleteDrain(platform: Platform, viewer: Viewer, id: string): Promise<void> {
  await drainAccess(platform, viewer, id, 'log-drain.manage')
  await platform.db.$transaction(async (tx) => {
    const before = await lock(tx, id)
    await tx.logDrain.delete({ where: { id } })
    await record(tx, viewer, { ...entryOf(before, 'log-drain.delete'), before: factsOf(before) })
  })
}

/** Sends one line that says that it is a test. `problem`: why the receiver did not take it; null: it did. */
export async function testDrain(
  platform: Platform,
  viewer: Viewer,
  id: string,
): Promise<{ problem: string | null }> {
  const row = await drainAccess(platform, viewer, id, 'log-drain.manage')
  await platform.db.$transaction((tx) => record(tx, viewer, entryOf(row, 'log-drain.test')))
  const team = await platform.db.team.findUniqueOrThrow({ where: { id: row.teamId }, select: { slug: true } })
  const nowhere = { id: '', name: 'berth-test', slug: 'berth-test', environment: 'test', project: 'test' }
  const line = {
    ...{ number: 0, time: new Date().toISOString(), stream: 'stdout' as const },
    ...{ text: `A test of the log drain ${row.name}`, process: 'test', replica: 0 },
    ...{ containerId: '', deploymentId: '' },
  }
  const to = { kind: row.kind as DrainKind, target: openTarget(platform, row) }
  try {
    await sendLines(platform.config, to, { ...nowhere, team: team.slug }, [line])
    return { problem: null }
  } catch (error) {
    if (error instanceof DrainError) return { problem: error.message }
    throw error
  }
}

async function drainAccess(platform: Platform, viewer: Viewer, id: string, action: TeamAction): Promise<Row> {
  const row = await platform.db.logDrain.findUnique({ where: { id } })
  if (row === null) throw notFound('log drain')
  await requireTeam(platform, viewer, row.teamId, action, 'log drain')
  return row
}

async function lock(tx: Transaction, id: string): Promise<Row> {
  await tx.$executeRaw`SELECT 1 FROM log_drains WHERE id = ${id} FOR UPDATE`
  const row = await tx.logDrain.findUnique({ where: { id } })
  if (row === null) throw notFound('log drain')
  return row
}

function mustFit(kind: DrainKind, { url, headers }: DrainTarget): void {
  const problem = drainUrlProblem(kind, url)
  if (problem !== null) throw invalid('url', problem)
  if (kind === 'syslog' && Object.keys(headers).length > 0) throw invalid('headers', 'is not for syslog')
}

async function requireOwn(
  tx: Transaction,
  teamId: string,
  { environmentIds = [], appIds = [] }: { environmentIds?: string[]; appIds?: string[] },
): Promise<void> {
  const environments = await tx.environment.count({
    where: { project: { teamId }, id: { in: environmentIds } },
  })
  if (environments < new Set(environmentIds).size)
    throw invalid('environmentIds', 'has one that is not of the team')
  const apps = await tx.app.count({ where: { project: { teamId }, id: { in: appIds } } })
  if (apps < new Set(appIds).size) throw invalid('appIds', 'has one that is not of the team')
}

function invalid(path: string, message: string): PlatformError {
  return new PlatformError('invalid', `${path}: ${message}.`, { fields: [{ path, message }] })
}

function entryOf({ id, teamId, name }: Row, action: AuditAction) {
  return { teamId, action, target: { type: 'log-drain', id, name } }
}

function factsOf({ kind, name, environmentIds, appIds, isEnabled, sealedTarget }: Row): Facts {
  return { kind, name, environmentIds, appIds, isEnabled, target: new Masked(sealedTarget) }
}

function show(platform: Platform, row: Row & { cursors: LogDrainCursor[] }): LogDrain {
  const { cursors } = row
  const sum = (of: (cursor: LogDrainCursor) => bigint) =>
    Number(cursors.reduce((total, cursor) => total + of(cursor), 0n))
  const sent = cursors.flatMap(({ sentAt }) => sentAt ?? [])
  const failing = cursors.filter(({ failingSince }) => failingSince !== null)
  const since = failing.flatMap(({ failingSince }) => failingSince ?? [])
  const edge = (times: Date[], pick: (...values: number[]) => number) =>
    times.length === 0 ? null : new Date(pick(...times.map(Number))).toISOString()
  return {
    ...{ id: row.id, teamId: row.teamId, kind: row.kind as DrainKind, name: row.name },
    ...{ targetHint: row.targetHint, headers: Object.keys(openTarget(platform, row).headers) },
    ...{ environmentIds: row.environmentIds, appIds: row.appIds, isEnabled: row.isEnabled },
    sentLines: sum(({ sentLines }) => sentLines),
    waitingLines: sum(({ last, number }) => (last > number ? last - number : 0n)),
    lostLines: sum(({ lostLines }) => lostLines),
    sentAt: edge(sent, Math.max),
    failingSince: edge(since, Math.min),
    problem: failing[0]?.problem ?? null,
    createdAt: row.createdAt.toISOString(),
  }
}
