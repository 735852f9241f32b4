/** Certificates of names, as people see them: never with their keys. */
import { z } from 'zod'

/** `internal`: of Berth's own authority, for names that no public one signs. */
export const certificateSources = ['internal'] as const

export const certificateSchema = z.object({
  /** What it was made for: the domain's name, or the wildcard above it. */
  name: z.string(),
  source: z.enum(certificateSources),
  /** SHA-256, in hexadecimal. */
  fingerprint: z.string(),
  expiresAt: z.iso.datetime(),
})

export type CertificateSource = (typeof certificateSources)[number]
