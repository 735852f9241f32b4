/** Where a team is told of what happens to its apps, and what came of it. */
import { z } from 'zod'
import { appEventAreas, appEventKinds, timelineEntrySchema } from './app-event-kinds.ts'
import { displayNameSchema } from './names.ts'

export const channelKinds = ['email', 'webhook', 'slack', 'discord'] as const

export type ChannelKind = (typeof channelKinds)[number]

const time = z.iso.datetime()
const place = z.object({ id: z.string(), slug: z.string(), name: z.string() })

/** What a message tells, before it is put into a channel's own form. */
export const notificationMessageSchema = z.object({
  team: place,
  /** Null: a test. */
  about: z.object({ project: place, app: place, entry: timelineEntrySchema }).nullable(),
  at: time,
  /** Of e-mail: id of the person. */
  to: z.string().nullable(),
})

export type NotificationMessage = z.infer<typeof notificationMessageSchema>

export const deliveryAttemptSchema = z.object({
  at: time,
  tookMs: z.number().int(),
  /** Of HTTP; null where nobody answered, and for e-mail. */
  status: z.number().int().nullable(),
  /** The receiver's own words, cut short; or why there are none. */
  answer: z.string(),
  isGood: z.boolean(),
})

export type DeliveryAttempt = z.infer<typeof deliveryAttemptSchema>

export const deliveryStatuses = ['waiting', 'delivered', 'failed'] as const

export const deliverySchema = z.object({
  id: z.string(),
  channelId: z.string(),
  /** A kind of event, or `test`. */
  kind: z.string(),
  appName: z.string().nullable(),
  /** Of e-mail: who it is for. */
  recipient: z.string().nullable(),
  status: z.enum(deliveryStatuses),
  attemptCount: z.number().int(),
  /** The last ones, oldest first. */
  attempts: z.array(deliveryAttemptSchema),
  /** While it waits. */
  nextAt: time.nullable(),
  createdAt: time,
  finishedAt: time.nullable(),
})

export type NotificationDelivery = z.infer<typeof deliverySchema>

export const channelSchema = z.object({
  id: z.string(),
  teamId: z.string(),
  kind: z.enum(channelKinds),
  name: z.string(),
  /** Where it posts to, without what is secret of it; null for e-mail. */
  urlHint: z.string().nullable(),
  /** Of e-mail: members of the team. */
  recipients: z.array(z.object({ userId: z.string(), name: z.string(), isMember: z.boolean() })),
  /** Kinds or areas of events; `*`: all. */
  events: z.array(z.string()),
  projectIds: z.array(z.string()),
  appIds: z.array(z.string()),
  isEnabled: z.boolean(),
  /** Berth disabled it, since nothing arrived for long. */
  gaveUp: z.boolean(),
  failingSince: time.nullable(),
  lastArrivedAt: time.nullable(),
  createdAt: time,
})

export type NotificationChannel = z.infer<typeof channelSchema>

const url = z
  .url({ protocol: /^https?$/, error: 'must be an address that begins with https:// or http://' })
  .max(2_000)
  .refine((text) => !URL.parse(text)?.username && !URL.parse(text)?.password, 'must have no password in it')

const events = z
  .array(z.enum(['*', ...appEventAreas, ...appEventKinds], 'must be *, an area or a kind of event'))
  .min(1, 'must not be empty')
  .max(50)
const ids = z.array(z.string().max(64)).max(100)

export const createChannelSchema = z.strictObject({
  kind: z.enum(channelKinds),
  name: displayNameSchema,
  /** Of all but e-mail. */
  url: url.optional(),
  /** Of e-mail: members of the team. */
  userIds: ids.optional(),
  events: events.default(['*']),
  /** Where one of these two has something, only these; otherwise all apps of the team. */
  projectIds: ids.default([]),
  appIds: ids.default([]),
})

/** Only what is given changes. */
export const updateChannelSchema = z.strictObject({
  name: displayNameSchema.optional(),
  url: url.optional(),
  userIds: ids.optional(),
  events: events.optional(),
  projectIds: ids.optional(),
  appIds: ids.optional(),
  isEnabled: z.boolean().optional(),
})

export type CreateChannelInput = z.input<typeof createChannelSchema>
export type UpdateChannelInput = z.input<typeof updateChannelSchema>

/** What a new channel is told of unless somebody chooses: what goes wrong, and that it is right again. */
export const usualEvents = [
  'deployment.failed',
  'deployment.rolled-back-automatically',
  'container.out-of-memory',
  'container.crash-looping',
  'health',
  'alert',
  'certificate.failed',
] as const
