/** The authority that certificates are asked of. Safe in a browser. */
import { z } from 'zod'
import { emailSchema } from './names.ts'

/** Let's Encrypt; anything that speaks ACME (RFC 8555) will do. */
export const usualDirectory = 'https://acme-v02.api.letsencrypt.org/directory'

export const acmeSettingsSchema = z.strictObject({
  /** Where the authority's directory is. */
  directoryUrl: z
    .string()
    .trim()
    .max(500, 'must be at most 500 characters')
    .pipe(
      z.url({ protocol: /^https$/, error: 'must be an address such as https://acme.example.org/directory' }),
    ),
  /** Whom the authority may write to; empty: nobody. */
  email: z.literal('').or(emailSchema).default(''),
  /** PEM certificates that may have signed the authority's own, for a private one. */
  authority: z
    .string()
    .trim()
    .max(65_536, 'must be at most 65536 characters')
    .refine((text) => text === '' || /^-----BEGIN CERTIFICATE-----/.test(text), 'must be PEM certificates')
    .default(''),
  /** That whoever runs this Berth agrees to the authority's terms of service. */
  termsAgreed: z.literal(true, 'must be agreed to: the authority asks for it'),
})

export const acmeStateSchema = z.object({
  /** Null: no certificates are asked for. */
  server: z.object({ directoryUrl: z.string(), email: z.string(), authority: z.string() }).nullable(),
  /** Whether the authority has given Berth an account. */
  hasAccount: z.boolean(),
  /** Why it has not, or what else kept it from being asked. */
  problem: z.string().nullable(),
  /** Names with a certificate of the authority's, and names that wait for one. */
  issued: z.int(),
  waiting: z.int(),
})

export type AcmeSettingsInput = z.input<typeof acmeSettingsSchema>
export type AcmeState = z.infer<typeof acmeStateSchema>
