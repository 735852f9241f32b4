/** Certificates of names, as people see them: never with their keys. */
import { z } from 'zod'

/** `internal`: of Berth's own authority, for names that no public one signs. `custom`: it was uploaded. */
export const certificateSources = ['internal', 'custom'] as const

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

export type CertificateInput = z.input<typeof certificateInputSchema>
export type CertificateSource = (typeof certificateSources)[number]
