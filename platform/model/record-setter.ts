/** How the records that an authority wants to see are set without a person. Safe in a browser. */
import { z } from 'zod'

export const recordSetterKinds = ['rfc2136', 'webhook'] as const
export const tsigAlgorithms = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'] as const

const zonePattern = /^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.?$/

function dnsName(what: string) {
  return z
    .string()
    .trim()
    .toLowerCase()
    .max(253, 'must be at most 253 characters')
    .regex(zonePattern, `must be ${what}`)
    .transform((name) => name.replace(/\.$/, ''))
}

/** `ns1.example.com`, `192.0.2.1:5353`, `[2001:db8::1]`; port 53 where it says none. */
function isServer(text: string): boolean {
  const url = URL.parse(`dns://${text}`)
  return url !== null && url.host.toLowerCase() === text.toLowerCase() && url.hostname !== ''
}

/** Dynamic updates (RFC 2136), signed with a key that both sides know (TSIG, RFC 8945). */
const dynamicUpdateSchema = z.strictObject({
  kind: z.literal('rfc2136'),
  server: z
    .string()
    .trim()
    .max(300, 'must be at most 300 characters')
    .refine(isServer, 'must be a name or an address, with :port or without, such as ns1.example.com'),
  /** Null: what the server says. */
  zone: dnsName('a domain name such as example.com').nullable().default(null),
  keyName: dnsName('the name of a key such as berth.example.com'),
  algorithm: z.enum(tsigAlgorithms, `must be ${tsigAlgorithms.join(', ')}`).default('hmac-sha256'),
  /** Base64, as `tsig-keygen` prints it. Never told again. */
  secret: z
    .string()
    .trim()
    .max(1_000, 'must be at most 1,000 characters')
    .regex(/^[A-Za-z0-9+/]{16,}={0,2}$/, 'must be base64, as tsig-keygen prints it'),
})

/** What is set and cleared by a request: for providers with an interface of their own. */
const webhookSchema = z.strictObject({
  kind: z.literal('webhook'),
  url: z
    .string()
    .trim()
    .max(2_000, 'must be at most 2,000 characters')
    .pipe(
      z.url({ protocol: /^https?$/, error: 'must be an address such as https://dns.example.com/records' }),
    ),
  /** Sent as `Authorization: Bearer …`. Never told again; empty: none. */
  token: z
    .string()
    .trim()
    .max(4_000, 'must be at most 4,000 characters')
    .regex(/^[\x21-\x7e]*$/, 'must be of letters, digits and signs')
    .default(''),
})

export const recordSetterSchema = z.discriminatedUnion('kind', [dynamicUpdateSchema, webhookSchema])

/** What people are told of it. */
export const recordsBySchema = z.object({
  kind: z.enum(recordSetterKinds),
  /** The server, or where the webhook is, without its path. */
  where: z.string(),
})

export type RecordSetter = z.output<typeof recordSetterSchema>
export type RecordSetterInput = z.input<typeof recordSetterSchema>
export type DynamicUpdate = z.output<typeof dynamicUpdateSchema>
export type RecordsBy = z.infer<typeof recordsBySchema>
export type TsigAlgorithm = (typeof tsigAlgorithms)[number]

export function recordsByOf(setter: RecordSetter): RecordsBy {
  const { kind } = setter
  return { kind, where: kind === 'rfc2136' ? setter.server : new URL(setter.url).origin }
}
