/** Names that an app is reached by: what may be asked for, and what a look at one finds. */
import { z } from 'zod'
import { certificateSchema, issuanceSchema } from './certificates.ts'

/** One by one, since each wants a look at the name service: so many have an app's names together. */
export const maxDomains = 100

const prefixSchema = z
  .string()
  .max(200, 'must be at most 200 characters')
  .regex(
    /^\/([A-Za-z0-9._~-]+(\/[A-Za-z0-9._~-]+)*\/?)?$/,
    'must be a path such as /api, of letters, digits and . _ ~ -',
  )
  .refine((path) => !/(^|\/)\.{1,2}(\/|$)/.test(path), 'must not have . or .. as a part')
  .transform((path) => (path === '/' ? path : path.replace(/\/$/, '')))

export const addDomainSchema = z
  .strictObject({
    /** `shop.example.com`, or `*.example.com` for all names one below. Other scripts than Latin are fine. */
    name: z.string().trim().min(1, 'is needed').max(300, 'must be at most 253 characters'),
    /** Requests below this path only. */
    pathPrefix: prefixSchema.default('/'),
    /** Whether the app gets paths without the prefix. */
    stripPrefix: z.boolean().default(false),
    /** Sends visitors on: another name, or an address such as https://www.example.com. Path and query stay. */
    redirectTo: z.string().trim().min(1, 'is needed').max(300, 'must be at most 300 characters').nullish(),
  })
  .refine(({ stripPrefix, pathPrefix }) => !stripPrefix || pathPrefix !== '/', {
    path: ['stripPrefix'],
    message: 'needs a path prefix other than /',
  })
  .refine(({ stripPrefix, redirectTo }) => !(stripPrefix && redirectTo), {
    path: ['stripPrefix'],
    message: 'means nothing where visitors are sent on',
  })

/** Two years, as the lists that browsers come with ask for at least one. */
export const maxHstsSeconds = 2 * 365 * 86_400

export const changeDomainSchema = z.strictObject({
  stripPrefix: z.boolean().optional(),
  /** As when it was added; null: the app answers. */
  redirectTo: z
    .string()
    .trim()
    .min(1, 'is needed')
    .max(300, 'must be at most 300 characters')
    .nullable()
    .optional(),
  /** Whether visitors by HTTP are sent on to HTTPS. Null: where the certificate is one that browsers trust. */
  httpsRedirect: z.boolean().nullable().optional(),
  /** For so long browsers are told to use HTTPS alone (HSTS); 0: to forget it; null: nothing is said. */
  hstsSeconds: z
    .int('must be a whole number of seconds')
    .min(0, 'must be at least 0')
    .max(maxHstsSeconds, `must be at most ${maxHstsSeconds}, which is two years`)
    .nullable()
    .optional(),
})

/**
 * What shows that a team may use a name. `generated`: Berth made it. `local`: a name that is nobody's in the public
 * name service. `record`: a TXT record. `answer`: it leads here. `team`: the team has shown it for another entry.
 */
export const verifications = ['generated', 'local', 'record', 'answer', 'team'] as const

export const domainCheckSchema = z.object({
  /** `record`: the TXT record. `address`: where the name leads. `answer`: whether Berth answers there. `claim`: nobody else has it. */
  step: z.enum(['record', 'address', 'answer', 'claim']),
  status: z.enum(['ok', 'missing', 'wrong', 'failed']),
  /** What was found: records, addresses, or why nothing was. */
  found: z.string(),
})

export const domainSchema = z.object({
  id: z.string(),
  appId: z.string(),
  /** In ASCII, as the name service has it. */
  name: z.string(),
  /** As people write it. */
  displayName: z.string(),
  isGenerated: z.boolean(),
  pathPrefix: z.string(),
  stripPrefix: z.boolean(),
  redirectTo: z.string().nullable(),
  /** Where it leads to; null for wildcards. */
  url: z.string().nullable(),
  /** The same by HTTPS; null where there is no certificate, and for wildcards. */
  secureUrl: z.string().nullable(),
  /** As it was asked for; null: where the certificate is one that browsers trust. */
  httpsRedirect: z.boolean().nullable(),
  hstsSeconds: z.int().nullable(),
  /** Whether visitors by HTTP are sent on to HTTPS. */
  sendsToHttps: z.boolean(),
  /** What it is served with; null: HTTP alone. */
  certificate: certificateSchema.nullable(),
  /** How asking an authority for its certificate goes; null where none is asked. */
  issuance: issuanceSchema.nullable(),
  verifiedAt: z.iso.datetime().nullable(),
  verifiedBy: z.enum(verifications).nullable(),
  /** The TXT record that shows that the team may use the name; null where none is needed. */
  record: z.object({ name: z.string(), value: z.string() }).nullable(),
  checks: z.array(domainCheckSchema),
  checkedAt: z.iso.datetime().nullable(),
  /** When Berth looks again by itself; null: not any more. */
  nextCheckAt: z.iso.datetime().nullable(),
})

export type AddDomainInput = z.input<typeof addDomainSchema>
export type ChangeDomainInput = z.input<typeof changeDomainSchema>
export type Domain = z.infer<typeof domainSchema>
export type DomainCheck = z.infer<typeof domainCheckSchema>
export type Verification = (typeof verifications)[number]

/** One record for a name and its wildcard. */
export function recordName(name: string): string {
  return `_berth-challenge.${baseOf(name)}`
}

/** Where Berth answers, by whatever name it is asked. */
export const challengePath = '/.well-known/berth-challenge/'

export function recordValue(token: string): string {
  return `berth-verification=${token}`
}

/** `example.com` of `*.example.com`. */
export function baseOf(name: string): string {
  return isWildcard(name) ? name.slice(2) : name
}

export function isWildcard(name: string): boolean {
  return name.startsWith('*.')
}
