/** How e-mail is sent. Safe in a browser. */
import { z } from 'zod'
import { displayNameSchema, emailSchema } from './names.ts'

/** `starttls`: begins in the clear and goes no further without TLS. `none`: for a server on the same machine. */
export const mailSecurities = ['starttls', 'tls', 'none'] as const

const hostSchema = z
  .string()
  .trim()
  .toLowerCase()
  .min(1, 'must not be empty')
  .max(253, 'must be at most 253 characters')
  .regex(/^[a-z0-9.:_-]+$/, 'must be a host name or an address')

export const mailSettingsSchema = z.strictObject({
  host: hostSchema,
  port: z.int().min(1, 'must be a port, 1–65535').max(65_535, 'must be a port, 1–65535'),
  security: z.enum(mailSecurities).default('starttls'),
  /** Empty: the server asks for none. */
  user: z
    .string()
    .trim()
    .max(254)
    .regex(/^[^\p{Cc}]*$/u, 'must not contain control characters')
    .default(''),
  /** Left out: the one that is kept. It is asked for anew where host or user change. */
  password: z.string().max(1024).optional(),
  /** Whom letters come from. */
  from: emailSchema,
  fromName: displayNameSchema.default('Berth'),
  /** PEM certificates of an authority of one's own, besides the usual ones. */
  authority: z
    .string()
    .trim()
    .max(65_536)
    .refine((text) => text === '' || /^-----BEGIN CERTIFICATE-----/.test(text), 'must be PEM certificates')
    .default(''),
})

export const mailStateSchema = z.object({
  /** Null: no e-mail is sent. */
  server: z
    .object({
      host: z.string(),
      port: z.number(),
      security: z.enum(mailSecurities),
      user: z.string(),
      hasPassword: z.boolean(),
      from: z.string(),
      fromName: z.string(),
      authority: z.string(),
    })
    .nullable(),
  /** Letters that the server has not taken yet. */
  waiting: z.number().int(),
  /** What last kept a letter from being sent, in the past week, if none was sent since. */
  lastFailure: z.object({ at: z.iso.datetime(), reason: z.string() }).nullable(),
})

export const testMailSchema = z.strictObject({ to: emailSchema })

export type MailSettingsInput = z.input<typeof mailSettingsSchema>
export type MailState = z.infer<typeof mailStateSchema>
export type TestMailInput = z.input<typeof testMailSchema>
