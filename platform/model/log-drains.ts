/** Where a team has its apps' logs sent to, and how far that has come. */
import { z } from 'zod'
import { displayNameSchema } from './names.ts'

export const drainKinds = ['syslog', 'http', 'loki'] as const
export type DrainKind = (typeof drainKinds)[number]

const protocols: Record<DrainKind, readonly string[]> = {
  syslog: ['syslog+tls:', 'syslog+tcp:'],
  http: ['https:', 'http:'],
  loki: ['https:', 'http:'],
}

/** Null: an address of this kind may be this one. */
export function drainUrlProblem(kind: DrainKind, text: string): string | null {
  const url = URL.parse(text)
  if (url === null || url.hostname === '' || !protocols[kind].includes(url.protocol))
    return kind === 'syslog'
      ? 'must be an address such as syslog+tls://logs.example.org:6514'
      : 'must be an address such as https://logs.example.org/push'
  if (url.username !== '' || url.password !== '') return 'must be an address without a password'
  return null
}

const url = z.string().trim().min(1, 'must not be empty').max(2_000, 'must be at most 2,000 characters')
/** RFC 9110 §5.6.2, and no line end in a value: it would begin another header. */
const headers = z
  .record(
    z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'must be the name of a header'),
    z
      .string()
      .max(4_000, 'must be at most 4,000 characters')
      .regex(/^[\x20-\x7e]*$/, 'must not contain control characters'),
  )
  .refine((all) => Object.keys(all).length <= 10, 'must be at most 10 headers')
  .refine(
    (all) => !Object.keys(all).some((name) => ownHeaders.includes(name.toLowerCase())),
    'must not have content-type, content-length, host, connection or transfer-encoding: Berth sets them',
  )
const ownHeaders = ['content-type', 'content-length', 'host', 'connection', 'transfer-encoding']
const ca = z.string().max(50_000, 'must be at most 50,000 characters')
const ids = z.array(z.string().max(100)).max(100, 'must be at most 100')

export const createDrainSchema = z.strictObject({
  kind: z.enum(drainKinds),
  name: displayNameSchema,
  url,
  /** Of HTTP and Loki: such as Authorization, or X-Scope-OrgID. Never told again. */
  headers: headers.default({}),
  /** PEM certificates that may have signed the receiver's, besides those that every host trusts. */
  ca: ca.default(''),
  /** Only these environments and apps; with none: all apps of the team. */
  environmentIds: ids.default([]),
  appIds: ids.default([]),
})

/** What is not given stays. */
export const updateDrainSchema = z.strictObject({
  name: displayNameSchema.optional(),
  url: url.optional(),
  headers: headers.optional(),
  ca: ca.optional(),
  environmentIds: ids.optional(),
  appIds: ids.optional(),
  isEnabled: z.boolean().optional(),
})

export type CreateDrainInput = z.input<typeof createDrainSchema>
export type UpdateDrainInput = z.input<typeof updateDrainSchema>

/** What is sealed of a drain. */
export const drainTargetSchema = z.object({
  url: z.string(),
  headers: z.record(z.string(), z.string()),
  ca: z.string(),
})

export type DrainTarget = z.infer<typeof drainTargetSchema>

const time = z.iso.datetime()

export const logDrainSchema = z.object({
  id: z.string(),
  teamId: z.string(),
  kind: z.enum(drainKinds),
  name: z.string(),
  /** The address, without what is secret of it. */
  targetHint: z.string(),
  /** Names only. */
  headers: z.array(z.string()),
  environmentIds: z.array(z.string()),
  appIds: z.array(z.string()),
  isEnabled: z.boolean(),
  /** Of all its apps together, as of the last seconds. */
  sentLines: z.number().int(),
  waitingLines: z.number().int(),
  /** Lines that their host removed, being too many or too old, before the receiver took them. */
  lostLines: z.number().int(),
  sentAt: time.nullable(),
  /** Since when lines are not taken, and what was answered last; null: they are. */
  failingSince: time.nullable(),
  problem: z.string().nullable(),
  createdAt: time,
})

export type LogDrain = z.infer<typeof logDrainSchema>
