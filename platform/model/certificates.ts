/** Certificates of names, as people see them: never with their keys. */
import { z } from 'zod'
import { recordsBySchema } from './record-setter.ts'

/**
 * `internal`: of Berth's own authority, for names that no public one signs. `custom`: it was uploaded. `acme`: of the
 * authority that the installation asks.
 */
export const certificateSources = ['internal', 'custom', 'acme'] as const

/** Where authorities ask whether a name is ours: RFC 8555, 8.3. */
export const acmeChallengePath = '/.well-known/acme-challenge/'

const maxChainCharacters = 65_536
const maxKeyCharacters = 16_384

export const certificateInputSchema = z.strictObject({
  /** PEM: its own certificate first, then those that signed it; the root may be left out. */
  chain: z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(maxChainCharacters, `must be at most ${maxChainCharacters} characters`),
  /** PEM of its private key, without a passphrase. It is never shown again. */
  key: z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(maxKeyCharacters, `must be at most ${maxKeyCharacters} characters`),
})

export const certificateSchema = z.object({
  /** What it was made for: the domain's name, or the wildcard above it. */
  name: z.string(),
  source: z.enum(certificateSources),
  /** SHA-256, in hexadecimal. */
  fingerprint: z.string(),
  expiresAt: z.iso.datetime(),
})

export const certificateStepSchema = z.object({
  /**
   * `address`: where the name leads. `account`: Berth's with the authority. `order`: the authority takes it. `challenge`:
   * what it will ask for is there. `record`: the TXT record that it will look for is set. `reach`: it is found there from here. `answer`: the authority found it. `certificate`:
   * it was signed and fetched.
   */
  step: z.enum(['address', 'account', 'order', 'challenge', 'record', 'reach', 'answer', 'certificate']),
  status: z.enum(['working', 'ok', 'wrong', 'failed']),
  /** Addresses, tokens, or the reason, partly in the authority's own words. */
  found: z.string(),
  at: z.iso.datetime(),
})

/** How the asking for a certificate goes. */
export const issuanceSchema = z.object({
  /** `working`: an attempt is under way. `active`: there is one, which is renewed. */
  status: z.enum(['waiting', 'working', 'active', 'failed']),
  /** Of the attempt under way, or the last one. */
  steps: z.array(certificateStepSchema),
  /** Attempts in a row that failed. */
  failures: z.int(),
  /** The TXT record that the authority wants to see, for a wildcard; null: none now. */
  record: z.object({ name: z.string(), value: z.string() }).nullable(),
  /** What sets that record; null: people do. */
  recordsBy: recordsBySchema.nullable(),
  /** When the next attempt, or the renewal, is due. */
  nextAt: z.iso.datetime().nullable(),
})

export type CertificateStep = z.infer<typeof certificateStepSchema>
export type Issuance = z.infer<typeof issuanceSchema>
export type CertificateInput = z.input<typeof certificateInputSchema>
export type CertificateSource = (typeof certificateSources)[number]
