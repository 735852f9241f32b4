import { notFound, requireTeam, type TeamAction, type Viewer } from '../access.ts'
import { record } from '../audit.ts'
import { type Facts, Masked } from '../audit-changes.ts'
import type { Transaction } from '../database.ts'
import { PlatformError } from '../errors.ts'
import type { NotificationChannel as Row } from '../generated/prisma/client.ts'
import type { AuditAction } from '../model/audit-actions.ts'
import { newId } from '../model/ids.ts'
import {
  type CreateChannelInput,
  createChannelSchema,
  type NotificationChannel,
  type UpdateChannelInput,
  updateChannelSchema,
} from '../model/notifications.ts'
import type { Platform } from '../open.ts'
import { seal } from '../secrets.ts'
import { validate } from '../validate.ts'
import { secretContext, urlContext } from './channel-secrets.ts'
import { writeDeliveries } from './post.ts'
import { hurryDeliveries } from './queue.ts'
import { newWebhookSecret } from './signature.ts'

export const maxChannels = 50

/** Oldest first; all that the team has. */
export async function listChannels(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
): Promise<NotificationChannel[]> {
  await requireTeam(platform, viewer, teamId, 'notification.read')
  const rows = await platform.db.notificationChannel.findMany({ where: { teamId }, orderBy: { id: 'asc' } })
  return show(platform.db, rows)
}

export async function getChannel(
  platform: Platform,
  viewer: Viewer,
  id: string,
): Promise<NotificationChannel> {
  return showOne(platform.db, await channelAccess(platform, viewer, id, 'notification.read'))
}

/** A channel with, where it is a webhook, the key that its messages are signed with: it is never told again. */
export type NewChannel = NotificationChannel & { secret: string | null }

/** Throws `invalid` for members, projects and apps that are none of the team's, `conflict` for too many channels. */
export async function createChannel(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  input: CreateChannelInput,
): Promise<NewChannel> {
  await requireTeam(platform, viewer, teamId, 'notification.manage')
  const { kind, name, url, userIds, events, projectIds, appIds } = validate(createChannelSchema, input)
  const isMail = kind === 'email'
  if (isMail ? url !== undefined : userIds !== undefined)
    throw invalid(isMail ? 'url' : 'userIds', `is not for ${kind}`)
  if (!isMail && url === undefined) throw invalid('url', 'is needed')
  if (isMail && (userIds ?? []).length === 0) throw invalid('userIds', 'must not be empty')
  const id = newId('notificationChannel')
  const secret = kind === 'webhook' ? newWebhookSecret() : null
  const row = await platform.db.$transaction(async (tx) => {
    await requireOwn(tx, teamId, { userIds, projectIds, appIds })
    if ((await tx.notificationChannel.count({ where: { teamId } })) >= maxChannels)
      throw new PlatformError('conflict', `A team has at most ${maxChannels} channels. Remove one first.`)
    const made = await tx.notificationChannel.create({
      data: {
        ...{ id, teamId, kind, name, projectIds, appIds, eventKinds: events, userIds: userIds ?? [] },
        ...(url === undefined ? {} : sealedUrl(platform, id, url)),
        sealedSecret: secret === null ? null : seal(platform.keyring, secret, secretContext(id)),
      },
    })
    await record(tx, viewer, { ...entryOf(made, 'notification.create'), after: factsOf(made) })
    return made
  })
  return { ...(await showOne(platform.db, row)), secret }
}

/** What waits goes to the new address. One that is enabled again begins as if nothing had failed. */
export async function updateChannel(
  platform: Platform,
  viewer: Viewer,
  id: string,
  input: UpdateChannelInput,
): Promise<NotificationChannel> {
  const { kind, teamId } = await channelAccess(platform, viewer, id, 'notification.manage')
  const { name, url, userIds, events, projectIds, appIds, isEnabled } = validate(updateChannelSchema, input)
  const isMail = kind === 'email'
  if (isMail && url !== undefined) throw invalid('url', `is not for ${kind}`)
  if (!isMail && userIds !== undefined) throw invalid('userIds', `is not for ${kind}`)
  if (userIds?.length === 0) throw invalid('userIds', 'must not be empty')
  const row = await platform.db.$transaction(async (tx) => {
    await requireOwn(tx, teamId, { userIds, projectIds, appIds })
    const before = await lock(tx, id)
    const afresh = { failingSince: null, pausedUntil: null, gaveUp: false }
    const state =
      isEnabled === undefined || isEnabled === (before.disabledAt === null)
        ? {}
        : { ...afresh, disabledAt: isEnabled ? null : new Date() }
    const after = await tx.notificationChannel.update({
      where: { id },
      data: {
        ...{ name, userIds, projectIds, appIds, eventKinds: events },
        ...(url === undefined ? {} : { ...sealedUrl(platform, id, url), pausedUntil: null }),
        ...state,
      },
    })
    await record(tx, viewer, {
      ...entryOf(after, 'notification.update'),
      before: factsOf(before),
      after: factsOf(after),
    })
    return after
  })
  return showOne(platform.db, row)
}

/** With everything that waits to be sent and the log of what was. */
export async function deleteChannel(platform: Platform, viewer: Viewer, id: string): Promise<void> {
  await channelAccess(platform, viewer, id, 'notification.manage')
  await platform.db.$transaction(async (tx) => {
    const before = await lock(tx, id)
    await tx.notificationChannel.delete({ where: { id } })
    await record(tx, viewer, { ...entryOf(before, 'notification.delete'), before: factsOf(before) })
  })
}

/** A new key, told this once; the one before signs nothing from now on. Throws `conflict` for what is no webhook. */
export async function rotateSecret(
  platform: Platform,
  viewer: Viewer,
  id: string,
): Promise<{ secret: string }> {
  const { kind } = await channelAccess(platform, viewer, id, 'notification.manage')
  if (kind !== 'webhook') throw new PlatformError('conflict', 'Only webhooks are signed.')
  const secret = newWebhookSecret()
  await platform.db.$transaction(async (tx) => {
    const row = await lock(tx, id)
    const sealedSecret = seal(platform.keyring, secret, secretContext(id))
    await tx.notificationChannel.update({ where: { id }, data: { sealedSecret } })
    await record(tx, viewer, entryOf(row, 'notification.rotate-secret'))
  })
  return { secret }
}

/** Sends a message that says that it is a test; what comes of it is in the log of deliveries. */
export async function testChannel(platform: Platform, viewer: Viewer, id: string): Promise<string[]> {
  await channelAccess(platform, viewer, id, 'notification.manage')
  const ids = await platform.db.$transaction(async (tx) => {
    const channel = await lock(tx, id)
    if (channel.disabledAt !== null)
      throw new PlatformError('conflict', 'The channel is disabled. Enable it first.')
    const team = await tx.team.findUniqueOrThrow({
      where: { id: channel.teamId },
      select: { id: true, slug: true, name: true },
    })
    const waiting = await tx.notificationDelivery.count({
      where: { channelId: id, kind: 'test', status: 'waiting' },
    })
    if (waiting >= 20) throw new PlatformError('rate-limited', 'Tests of this channel wait already.')
    await record(tx, viewer, entryOf(channel, 'notification.test'))
    await endPause(tx, id)
    const message = { team, about: null, at: new Date().toISOString(), to: null }
    return writeDeliveries(tx, { channel, kind: 'test', message })
  })
  await hurryDeliveries(platform, ids)
  return ids
}

/** The channel, if the caller may do this to it. Throws `not-found` or `forbidden`. */
export async function channelAccess(
  platform: Platform,
  viewer: Viewer,
  id: string,
  action: TeamAction,
): Promise<Row> {
  const row = await platform.db.notificationChannel.findUnique({ where: { id } })
  if (row === null) throw notFound('channel')
  await requireTeam(platform, viewer, row.teamId, action, 'channel')
  return row
}

/** Somebody waits for the answer: the receiver is asked now, though nobody answered there a moment ago. */
export async function endPause(tx: Transaction, id: string): Promise<void> {
  await tx.notificationChannel.update({ where: { id }, data: { pausedUntil: null } })
}

async function lock(tx: Transaction, id: string): Promise<Row> {
  await tx.$executeRaw`SELECT 1 FROM notification_channels WHERE id = ${id} FOR UPDATE`
  const row = await tx.notificationChannel.findUnique({ where: { id } })
  if (row === null) throw notFound('channel')
  return row
}

function sealedUrl(platform: Platform, id: string, url: string) {
  const { protocol, host, pathname } = new URL(url)
  // Of hooks the path is the secret; its end tells one from another.
  const end = pathname.length > 24 ? `/…${pathname.slice(-4)}` : pathname === '/' ? '' : '/…'
  return {
    sealedUrl: seal(platform.keyring, url, urlContext(id)),
    urlHint: `${protocol}//${host}${end}`,
  }
}

interface Own {
  userIds?: string[]
  projectIds?: string[]
  appIds?: string[]
}

async function requireOwn(
  tx: Transaction,
  teamId: string,
  { userIds = [], projectIds = [], appIds = [] }: Own,
): Promise<void> {
  const members = await tx.membership.count({ where: { teamId, userId: { in: userIds } } })
  if (members < new Set(userIds).size) throw invalid('userIds', 'has somebody who is no member of the team')
  const projects = await tx.project.count({ where: { teamId, id: { in: projectIds } } })
  if (projects < new Set(projectIds).size) throw invalid('projectIds', 'has one that is not of the team')
  const apps = await tx.app.count({ where: { project: { teamId }, id: { in: appIds } } })
  if (apps < new Set(appIds).size) throw invalid('appIds', 'has one that is not of the team')
}

function invalid(path: string, message: string): PlatformError {
  return new PlatformError('invalid', `${path}: ${message}.`, { fields: [{ path, message }] })
}

function entryOf({ id, teamId, name }: Row, action: AuditAction) {
  return { teamId, action, target: { type: 'notification-channel', id, name } }
}

function factsOf(row: Row): Facts {
  const { kind, name, eventKinds, userIds, projectIds, appIds, disabledAt, sealedUrl: sealed } = row
  const url = sealed === null ? null : new Masked(sealed)
  return { kind, name, events: eventKinds, userIds, projectIds, appIds, url, isEnabled: disabledAt === null }
}

async function showOne(db: Pick<Transaction, 'user'>, row: Row): Promise<NotificationChannel> {
  const [shown] = await show(db, [row])
  if (shown === undefined) throw notFound('channel')
  return shown
}

async function show(db: Pick<Transaction, 'user'>, rows: Row[]): Promise<NotificationChannel[]> {
  const people = await db.user.findMany({
    where: { id: { in: rows.flatMap(({ userIds }) => userIds) } },
    select: { id: true, name: true, memberships: { select: { teamId: true } } },
  })
  const byId = new Map(people.map((person) => [person.id, person]))
  return rows.map((row) => ({
    ...{ id: row.id, teamId: row.teamId, kind: row.kind, name: row.name, urlHint: row.urlHint },
    recipients: row.userIds.map((userId) => {
      const person = byId.get(userId)
      const isMember = person?.memberships.some(({ teamId }) => teamId === row.teamId) ?? false
      return { userId, name: person?.name ?? '', isMember }
    }),
    ...{ events: row.eventKinds, projectIds: row.projectIds, appIds: row.appIds },
    ...{ isEnabled: row.disabledAt === null, gaveUp: row.gaveUp },
    failingSince: row.failingSince?.toISOString() ?? null,
    lastArrivedAt: row.lastArrivedAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
  }))
}
