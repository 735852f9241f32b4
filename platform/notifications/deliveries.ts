import { notFound, type Viewer } from '../access.ts'
import { record } from '../audit.ts'
import { PlatformError } from '../errors.ts'
import type { NotificationDelivery as Row } from '../generated/prisma/client.ts'
import type { PageInput } from '../model/inputs.ts'
import {
  deliveryAttemptSchema,
  type NotificationDelivery,
  notificationMessageSchema,
} from '../model/notifications.ts'
import type { Page } from '../model/resources.ts'
import type { Platform } from '../open.ts'
import { afterId, parsePage, toPage } from '../pages.ts'
import { channelAccess, endPause } from './channels.ts'
import { hurryDeliveries } from './queue.ts'

/** What was sent through a channel and what came of it, newest first. */
export async function listDeliveries(
  platform: Platform,
  viewer: Viewer,
  channelId: string,
  pageInput?: PageInput,
): Promise<Page<NotificationDelivery>> {
  await channelAccess(platform, viewer, channelId, 'notification.read')
  const page = parsePage(pageInput)
  const rows = await platform.db.notificationDelivery.findMany({
    where: { channelId, id: { lt: afterId(page) } },
    orderBy: { id: 'desc' },
    take: page.limit + 1,
  })
  const names = await namesOf(platform, rows)
  return toPage(
    rows,
    page.limit,
    ({ id }) => id,
    (row) => show(row, names),
  )
}

/**
 * Sends a message once more, with the id that it had: a receiver that remembers it does nothing twice. Throws `conflict`
 * for one that waits already, and where the channel is disabled.
 */
export async function redeliver(
  platform: Platform,
  viewer: Viewer,
  id: string,
): Promise<NotificationDelivery> {
  const found = await platform.db.notificationDelivery.findUnique({
    where: { id },
    select: { channelId: true },
  })
  if (found === null) throw notFound('delivery')
  const channel = await channelAccess(platform, viewer, found.channelId, 'notification.manage')
  if (channel.disabledAt !== null)
    throw new PlatformError('conflict', 'The channel is disabled. Enable it first.')
  const row = await platform.db.$transaction(async (tx) => {
    const [again] = await tx.notificationDelivery.updateManyAndReturn({
      where: { id, status: { not: 'waiting' } },
      data: { status: 'waiting', attempts: 0, nextAt: new Date(), finishedAt: null },
    })
    if (again === undefined) throw new PlatformError('conflict', 'It waits to be sent already.')
    await endPause(tx, channel.id)
    await record(tx, viewer, {
      teamId: channel.teamId,
      action: 'notification.redeliver',
      target: { type: 'notification-channel', id: channel.id, name: channel.name },
      detail: { deliveryId: id },
    })
    return again
  })
  await hurryDeliveries(platform, [id])
  return show(row, await namesOf(platform, [row]))
}

const keptDays = 30

/** For the worker, now and then. */
export async function sweepDeliveries(platform: Platform): Promise<void> {
  const old = new Date(Date.now() - keptDays * 86_400_000)
  await platform.db.notificationDelivery.deleteMany({ where: { createdAt: { lt: old } } })
}

async function namesOf(platform: Platform, rows: Row[]): Promise<ReadonlyMap<string, string>> {
  const ids = rows.flatMap(({ message }) => notificationMessageSchema.safeParse(message).data?.to ?? [])
  const people = await platform.db.user.findMany({
    where: { id: { in: ids } },
    select: { id: true, name: true },
  })
  return new Map(people.map(({ id, name }) => [id, name]))
}

function show(row: Row, names: ReadonlyMap<string, string>): NotificationDelivery {
  const message = notificationMessageSchema.safeParse(row.message).data
  return {
    ...{ id: row.id, channelId: row.channelId, kind: row.kind, status: row.status },
    appName: message?.about?.app.name ?? null,
    recipient: message?.to ? (names.get(message.to) ?? null) : null,
    attemptCount: row.attempts,
    attempts: deliveryAttemptSchema.array().safeParse(row.log).data ?? [],
    nextAt: row.status === 'waiting' ? row.nextAt.toISOString() : null,
    createdAt: row.createdAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
  }
}
