import type { Transaction } from '../database.ts'
import { kindsOf, type TimelineEntry } from '../model/app-event-kinds.ts'
import { newId } from '../model/ids.ts'
import type { NotificationMessage } from '../model/notifications.ts'

const place = { select: { id: true, slug: true, name: true } } as const

/**
 * Writes the messages that tell a team's channels of an event, in the transaction that it happens in: what is there is
 * sent, whatever happens to Redis or a worker. Answers their ids, for hurryDeliveries() after the transaction.
 */
export async function postNotifications(tx: Transaction, entry: TimelineEntry): Promise<string[]> {
  const app = await tx.app.findUnique({
    where: { id: entry.appId },
    select: {
      ...place.select,
      project: {
        select: {
          ...place.select,
          team: {
            select: { ...place.select, notificationChannels: { where: { disabledAt: null } } },
          },
        },
      },
    },
  })
  if (app === null) return []
  const { project, ...own } = app
  const { team, ...projectPlace } = project
  const { notificationChannels: channels, ...teamPlace } = team
  const wanted = channels.filter(({ eventKinds, projectIds, appIds }) => {
    const isOfAll = projectIds.length + appIds.length === 0
    const isHere = isOfAll || projectIds.includes(projectPlace.id) || appIds.includes(own.id)
    return isHere && kindsOf(eventKinds).includes(entry.event.kind)
  })
  const about = { project: projectPlace, app: own, entry }
  const message = { team: teamPlace, about, at: entry.at, to: null }
  const ids = []
  for (const channel of wanted)
    ids.push(...(await writeDeliveries(tx, { channel, kind: entry.event.kind, message })))
  return ids
}

interface Delivering {
  channel: { id: string; kind: string; userIds: string[] }
  /** Of the event, or `test`. */
  kind: string
  message: NotificationMessage
}

/** One for each recipient of e-mail, one for any other channel. */
export async function writeDeliveries(
  tx: Transaction,
  { channel, kind, message }: Delivering,
): Promise<string[]> {
  const recipients = channel.kind === 'email' ? channel.userIds : [null]
  const rows = recipients.map((to) => ({
    id: newId('notificationDelivery'),
    channelId: channel.id,
    kind,
    message: JSON.parse(JSON.stringify({ ...message, to })),
  }))
  await tx.notificationDelivery.createMany({ data: rows })
  return rows.map(({ id }) => id)
}
