import { record } from '../audit.ts'
import type { Prisma } from '../generated/prisma/client.ts'
import { openAccount } from '../mail/account.ts'
import { post } from '../mail/outbox.ts'
import { mailLanguage } from '../mail/texts.ts'
import { MailFailure, sendLetter } from '../mail/transport.ts'
import {
  type DeliveryAttempt,
  deliveryAttemptSchema,
  type NotificationMessage,
  notificationMessageSchema,
} from '../model/notifications.ts'
import type { Platform } from '../open.ts'
import { askOutside } from '../outgoing.ts'
import { OutgoingError } from '../outgoing-agent.ts'
import { retryAfterMs } from '../retry-after.ts'
import { visibleIn } from '../visible.ts'
import { openSecret, openUrl } from './channel-secrets.ts'
import { discordBody, linkOf, slackBody, webhookBody } from './formats.ts'
import { letterOf } from './letter.ts'
import { signatureHeaders } from './signature.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** After each attempt that failed; after the last one it is given up: some 16 hours. */
const pausesMs = [
  5 * second,
  30 * second,
  2 * minute,
  10 * minute,
  30 * minute,
  hour,
  2 * hour,
  4 * hour,
  8 * hour,
]
/** A channel at which nothing arrived for so long is not tried any more. */
const patienceMs = 3 * 24 * hour
/** A receiver that does not answer at all is asked by one message at a time, this often at least. */
const longestSilenceMs = 5 * minute
const longestAnswer = 1_000
const keptAttempts = 12

export interface DeliveryOptions {
  pausesMs?: readonly number[]
  timeoutMs?: number
  patienceMs?: number
  /** Of looking for what the queue lost. */
  roundEveryMs?: number
}

/** For the worker, now and then: those that are due, whatever became of their jobs. */
export async function dueDeliveries(platform: Platform): Promise<string[]> {
  const rows = await platform.db.notificationDelivery.findMany({
    where: { status: 'waiting', nextAt: { lte: new Date() }, channel: { disabledAt: null } },
    orderBy: { nextAt: 'asc' },
    take: 500,
    select: { id: true },
  })
  return rows.map(({ id }) => id)
}

/** Null: it is gone. */
export async function channelOf(platform: Platform, id: string): Promise<string | null> {
  const row = await platform.db.notificationDelivery.findUnique({
    where: { id },
    select: { channelId: true },
  })
  return row?.channelId ?? null
}

type Row = Prisma.NotificationDeliveryGetPayload<{ include: { channel: true } }>

interface Outcome {
  status: number | null
  answer: string
  isGood: boolean
  /** There is no use in trying again. */
  isFinal?: boolean
  /** The receiver wants nothing more, ever (410). */
  isGone?: boolean
  /** Nobody was there to answer. */
  isSilent?: boolean
  retryAfterMs?: number
}

/**
 * One attempt at one message, if it is due and nobody else is at it. Answers in how many milliseconds to ask again; null
 * when it is done with. Never throws for what a receiver does.
 */
export async function attempt(
  platform: Platform,
  id: string,
  signal: AbortSignal,
  options: DeliveryOptions = {},
): Promise<number | null> {
  const { timeoutMs = 10 * second } = options
  const found = await platform.db.notificationDelivery.findUnique({
    where: { id },
    include: { channel: true },
  })
  if (found === null || found.status !== 'waiting' || found.channel.disabledAt !== null) return null
  const notBefore = Math.max(found.nextAt.getTime(), found.channel.pausedUntil?.getTime() ?? 0)
  const now = new Date()
  if (notBefore > now.getTime()) return notBefore - now.getTime()
  // As long as one attempt may take, and a little more: another one is not begun meanwhile.
  const claim = { nextAt: new Date(now.getTime() + 2 * timeoutMs), attempts: { increment: 1 } }
  const { count } = await platform.db.notificationDelivery.updateMany({
    where: { id, status: 'waiting', nextAt: found.nextAt },
    data: claim,
  })
  if (count === 0) return timeoutMs
  const row = { ...found, attempts: found.attempts + 1 }
  const outcome = await send(platform, row, { at: now, timeoutMs, signal })
  // Cut off by us: it says nothing about the receiver.
  if (outcome === null) {
    const back = { nextAt: now, attempts: { decrement: 1 } }
    await platform.db.notificationDelivery.updateMany({ where: { id, status: 'waiting' }, data: back })
    return second
  }
  return conclude(platform, row, { outcome, at: now, options })
}

interface Sending {
  at: Date
  timeoutMs: number
  signal: AbortSignal
}

async function send(platform: Platform, row: Row, sending: Sending): Promise<Outcome | null> {
  const message = notificationMessageSchema.parse(row.message)
  if (row.channel.kind === 'email') return sendMail(platform, row, message, sending)
  return postTo(platform, row, message, sending)
}

async function postTo(
  platform: Platform,
  { id, channel }: Row,
  message: NotificationMessage,
  { at, timeoutMs, signal }: Sending,
): Promise<Outcome | null> {
  const { publicUrl } = platform.config
  const forms = { slack: slackBody, discord: discordBody, webhook: webhookBody, email: webhookBody }
  const body = forms[channel.kind](publicUrl, message)
  const secret = openSecret(platform, channel)
  const headers = {
    'content-type': 'application/json',
    ...(secret === null ? {} : signatureHeaders(secret, { id, body, at })),
  }
  try {
    const request = { method: 'POST', headers, body, timeoutMs, signal } as const
    const {
      status,
      text,
      headers: answered,
    } = await askOutside(platform.config, openUrl(platform, channel), request)
    const isGood = status >= 200 && status < 300
    const isRedirect = status >= 300 && status < 400
    const waitMs = retryAfterMs(answered)
    return {
      status,
      isGood,
      answer: isRedirect ? `It leads to another address, which is not followed. ${text}` : text,
      isGone: status === 410,
      ...(waitMs === null ? {} : { retryAfterMs: Math.min(waitMs, hour) }),
    }
  } catch (error) {
    if (signal.aborted) return null
    if (!(error instanceof OutgoingError)) throw error
    const answer = `The receiver ${error.message}.`
    return { status: null, answer, isGood: false, isSilent: true, isFinal: error.isRefused }
  }
}

async function sendMail(
  platform: Platform,
  { id, channel }: Row,
  message: NotificationMessage,
  { signal }: Sending,
): Promise<Outcome | null> {
  const refuse = (answer: string): Outcome => ({ status: null, answer, isGood: false, isFinal: true })
  const userId = message.to ?? ''
  const person = await platform.db.user.findUnique({
    where: { id: userId, disabledAt: null, memberships: { some: { teamId: channel.teamId } } },
    select: { email: true, locale: true },
  })
  if (person === null) return refuse('The recipient is no member of the team any more.')
  if (message.about !== null) {
    const visible = await visibleIn(platform, { kind: 'user', userId, sessionId: null }, channel.teamId)
    const { app, project } = message.about
    if (!visible.seesApp({ appId: app.id, projectId: project.id }))
      return refuse('The recipient may not see this app.')
  }
  const account = await openAccount(platform)
  if (account === null)
    return { status: null, answer: 'No mail server is configured.', isGood: false, isSilent: true }
  const link = linkOf(platform.config.publicUrl, message)
  try {
    const letter = letterOf(message, link, mailLanguage(person.locale))
    const answer = await sendLetter(account, { id, to: person.email, ...letter }, signal)
    return { status: null, answer, isGood: true }
  } catch (error) {
    if (signal.aborted) return null
    if (!(error instanceof MailFailure)) throw error
    return { status: null, answer: error.message, isGood: false, isFinal: !error.isTemporary }
  }
}

interface Concluding {
  outcome: Outcome
  at: Date
  options: DeliveryOptions
}

async function conclude(
  platform: Platform,
  { id, channel, attempts, log }: Row,
  { outcome, at, options }: Concluding,
): Promise<number | null> {
  const now = new Date()
  const { status, answer, isGood } = outcome
  const before = deliveryAttemptSchema.array().safeParse(log)
  const told: DeliveryAttempt = {
    ...{ at: at.toISOString(), tookMs: now.getTime() - at.getTime(), status, isGood },
    answer: clean(answer),
  }
  const pauses = options.pausesMs ?? pausesMs
  const pauseMs = pauses[attempts - 1]
  const isOver = isGood || outcome.isFinal === true || outcome.isGone === true || pauseMs === undefined
  const waitMs = isOver ? null : Math.max(pauseMs, outcome.retryAfterMs ?? 0)
  const failingSince = isGood ? null : (channel.failingSince ?? now)
  const gaveUpMs = options.patienceMs ?? patienceMs
  const isDone =
    !isGood &&
    (outcome.isGone === true ||
      (isOver && failingSince !== null && now.getTime() - failingSince.getTime() >= gaveUpMs))
  await platform.db.$transaction(async (tx) => {
    await tx.notificationDelivery.updateMany({
      where: { id },
      data: {
        log: [...(before.success ? before.data : []), told].slice(-keptAttempts),
        ...(waitMs === null
          ? { status: isGood ? 'delivered' : 'failed', finishedAt: now }
          : { nextAt: new Date(now.getTime() + waitMs) }),
      },
    })
    await tx.notificationChannel.updateMany({
      where: { id: channel.id },
      data: {
        failingSince,
        ...(isGood ? { lastArrivedAt: now } : {}),
        pausedUntil:
          outcome.isSilent === true && waitMs !== null
            ? new Date(now.getTime() + Math.min(waitMs, longestSilenceMs))
            : null,
      },
    })
    if (isDone) await disable(platform, tx, { channel, now, answer: told.answer })
  })
  return waitMs
}

/** Nobody wants what is sent there: it is said to those who can do something about it. */
async function disable(
  platform: Platform,
  tx: Prisma.TransactionClient,
  { channel, now, answer }: { channel: Row['channel']; now: Date; answer: string },
): Promise<void> {
  const { id, teamId, name } = channel
  const { count } = await tx.notificationChannel.updateMany({
    where: { id, disabledAt: null },
    data: { disabledAt: now, gaveUp: true },
  })
  if (count === 0) return
  await tx.notificationDelivery.updateMany({
    where: { channelId: id, status: 'waiting' },
    data: { status: 'failed', finishedAt: now },
  })
  const target = { type: 'notification-channel', id, name }
  await record(tx, { kind: 'system' }, { teamId, action: 'notification.give-up', target, detail: { answer } })
  const admins = await tx.membership.findMany({
    where: { teamId, role: { in: ['owner', 'admin'] }, user: { disabledAt: null } },
    select: { user: { select: { email: true, locale: true } }, team: { select: { slug: true } } },
  })
  for (const { user, team } of admins) {
    const url = `${platform.config.publicUrl}/${team.slug}/settings/notifications`
    await post(platform, tx, {
      ...{ kind: 'channel-disabled', to: user.email, language: mailLanguage(user.locale) },
      values: { channel: name, url },
      expiresAt: new Date(now.getTime() + 24 * hour),
    })
  }
}

/** On one line, and cut short: it is shown, and comes from somebody else. */
function clean(text: string): string {
  const line = text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .toWellFormed()
  return line.length > longestAnswer ? `${line.slice(0, longestAnswer)}…` : line
}
