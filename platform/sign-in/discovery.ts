import { z } from 'zod'
import { fetchJson, OutboundError, type OutboundRules } from './outbound.ts'

/** What an OpenID provider says of itself (OpenID Connect Discovery 1.0, section 3). */
const metadataSchema = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url({ protocol: /^https?$/ }),
  token_endpoint: z.url({ protocol: /^https?$/ }),
  jwks_uri: z.url({ protocol: /^https?$/ }),
  userinfo_endpoint: z.url({ protocol: /^https?$/ }).optional(),
  id_token_signing_alg_values_supported: z.array(z.string()).default(['RS256']),
  token_endpoint_auth_methods_supported: z.array(z.string()).default(['client_secret_basic']),
  authorization_response_iss_parameter_supported: z.boolean().default(false),
})

export type ProviderMetadata = z.infer<typeof metadataSchema>

const keptMs = 300_000
const mostKept = 100

// Each of Next.js' bundles has this module once more; who changes a provider and who signs in must share one.
const key = Symbol.for('berth.discovery')
const shared = globalThis as typeof globalThis & { [key]?: Map<string, Known> }
shared[key] ??= new Map<string, Known>()
const kept = shared[key]

interface Known {
  metadata: ProviderMetadata
  until: number
}

/**
 * Reads it, at most every five minutes. The issuer that it names must be the one that was asked: otherwise one provider
 * could speak for another. Throws OutboundError.
 */
export async function discover(issuer: string, rules: OutboundRules): Promise<ProviderMetadata> {
  const name = `${rules.allowsPrivate} ${issuer}`
  const known = kept.get(name)
  if (known !== undefined && known.until > Date.now()) return known.metadata
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const parsed = metadataSchema.safeParse(await fetchJson(address, rules))
  if (!parsed.success) {
    const what = parsed.error.issues[0]?.path.join('.') ?? ''
    throw new OutboundError(`${address} is not what an OpenID provider says of itself (${what})`)
  }
  const metadata = parsed.data
  if (metadata.issuer !== issuer)
    throw new OutboundError(`${address} speaks for the issuer ${metadata.issuer}, not for ${issuer}`)
  if (kept.size >= mostKept) kept.clear()
  kept.set(name, { metadata, until: Date.now() + keptMs })
  return metadata
}

/** Makes the next question go to the provider itself. */
export function forgetDiscovery(): void {
  kept.clear()
}

/** The signature that ID tokens must have. Never one that the client's own secret would do for. */
export function signatureOf({ id_token_signing_alg_values_supported: offered }: ProviderMetadata): string {
  const usable = ['RS256', 'PS256', 'ES256', 'EdDSA', 'ES384', 'ES512', 'RS384', 'RS512', 'PS384', 'PS512']
  const found = usable.find((name) => offered.includes(name))
  if (found === undefined)
    throw new OutboundError('The provider signs ID tokens in no way that can be checked')
  return found
}
