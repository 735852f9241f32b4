import type { OAuthConfig } from 'next-auth/providers/oauth'
import { type Client, custom } from 'openid-client'
import { z } from 'zod'
import type { Platform } from '../../platform/open.ts'
import { discover, type ProviderMetadata, signatureOf } from '../../platform/sign-in/discovery.ts'
import type { Claims } from '../../platform/sign-in/identities.ts'
import {
  fetchJson,
  guardedAgent,
  type OutboundRules,
  requireAllowed,
} from '../../platform/sign-in/outbound.ts'
import type { OpenProvider } from '../../platform/sign-in/providers.ts'

/**
 * A provider as next-auth wants it. Asks an OpenID provider what it is first, if that is not known already: throws
 * OutboundError when it does not answer. State, PKCE and (for OpenID) a nonce are checked by next-auth, whose cookies for
 * them name the provider; issuer, audience, signature, times and nonce of the ID token by openid-client.
 */
export async function oauthProvider(
  { config }: Pick<Platform, 'config'>,
  provider: OpenProvider,
): Promise<OAuthConfig<Claims>> {
  const rules = { config, allowsPrivate: provider.allowsPrivate }
  return provider.kind === 'github'
    ? github(provider, rules)
    : openId(provider, rules, await discover(provider.issuer, rules))
}

const openIdClaims = z.object({
  sub: z.string().min(1).max(255),
  email: z.string().max(254).optional().catch(undefined),
  // Some say it in a string.
  email_verified: z.union([z.boolean(), z.stringbool()]).optional().catch(undefined),
  name: z.string().optional().catch(undefined),
})

function openId(
  provider: OpenProvider,
  rules: OutboundRules,
  metadata: ProviderMetadata,
): OAuthConfig<Claims> {
  const { token_endpoint, userinfo_endpoint, jwks_uri } = metadata
  const endpoints = [
    token_endpoint,
    jwks_uri,
    ...(userinfo_endpoint === undefined ? [] : [userinfo_endpoint]),
  ]
  const methods = metadata.token_endpoint_auth_methods_supported
  return {
    ...common(provider),
    idToken: true,
    checks: ['pkce', 'state', 'nonce'],
    issuer: metadata.issuer,
    jwks_endpoint: metadata.jwks_uri,
    authorization: { url: metadata.authorization_endpoint, params: { scope: 'openid email profile' } },
    client: {
      id_token_signed_response_alg: signatureOf(metadata),
      token_endpoint_auth_method: methods.includes('client_secret_basic')
        ? 'client_secret_basic'
        : 'client_secret_post',
    },
    token: {
      url: metadata.token_endpoint,
      async request({ client, params, checks, provider: { callbackUrl } }) {
        await guard(client, endpoints, rules)
        // RFC 9207: who says that he names himself in every answer must do so.
        if (metadata.authorization_response_iss_parameter_supported && params.iss === undefined)
          throw new Error('the answer does not say which issuer it is of')
        return { tokens: await client.callback(callbackUrl, params, { ...checks, response_type: 'code' }) }
      },
    },
    userinfo: {
      url: metadata.userinfo_endpoint,
      async request({ client, tokens }) {
        await guard(client, endpoints, rules)
        const idToken = 'claims' in tokens && typeof tokens.claims === 'function' ? tokens.claims() : {}
        const own = openIdClaims.parse(idToken)
        const isWhole = own.email !== undefined || metadata.userinfo_endpoint === undefined
        // openid-client refuses an answer about another subject than the ID token's.
        const more = isWhole ? own : openIdClaims.parse(await client.userinfo(asTokenSet(tokens)))
        return {
          subject: own.sub,
          email: more.email?.toLowerCase(),
          emailVerified: more.email_verified === true,
          name: own.name ?? more.name,
        }
      },
    },
  }
}

const githubUser = z.object({
  id: z.int(),
  login: z.string(),
  name: z.string().nullish(),
})
const githubEmails = z.array(z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }))

function github(provider: OpenProvider, rules: OutboundRules): OAuthConfig<Claims> {
  const { issuer } = provider
  const api = issuer === 'https://github.com' ? 'https://api.github.com' : `${issuer}/api/v3`
  return {
    ...common(provider),
    checks: ['pkce', 'state'],
    authorization: { url: `${issuer}/login/oauth/authorize`, params: { scope: 'read:user user:email' } },
    token: {
      url: `${issuer}/login/oauth/access_token`,
      async request({ client, params, checks, provider: { callbackUrl } }) {
        await guard(client, [`${issuer}/login/oauth/access_token`], rules)
        return { tokens: await client.oauthCallback(callbackUrl, params, checks) }
      },
    },
    userinfo: {
      url: `${api}/user`,
      async request({ tokens }) {
        const headers = {
          authorization: `Bearer ${tokens.access_token}`,
          accept: 'application/vnd.github+json',
        }
        const user = githubUser.parse(await fetchJson(`${api}/user`, rules, headers))
        // The user's own e-mail field says nothing of whether anybody checked it.
        const emails = githubEmails.parse(await fetchJson(`${api}/user/emails`, rules, headers))
        const verified = emails.filter((entry) => entry.verified)
        const found = verified.find(({ primary }) => primary) ?? verified[0] ?? emails[0]
        return {
          subject: String(user.id),
          email: found?.email.toLowerCase(),
          emailVerified: found?.verified === true,
          name: user.name ?? user.login,
        }
      },
    },
  }
}

function common(provider: OpenProvider) {
  return {
    id: provider.id,
    name: provider.name,
    type: 'oauth' as const,
    clientId: provider.clientId,
    clientSecret: provider.clientSecret,
    // The account and its session take the place of these: auth.ts.
    profile: ({ subject, email, name }: Claims) => ({ id: subject, email, name }),
  }
}

type TokenSetInput = Parameters<Client['userinfo']>[0]

/** next-auth hands on what openid-client made, under a wider type. */
function asTokenSet(tokens: object): TokenSetInput {
  return tokens as TokenSetInput
}

/** Every question to the provider goes by the rules: to no address inside, within a time, up to a size. */
async function guard(client: Client, endpoints: string[], rules: OutboundRules): Promise<void> {
  // next-auth sets this one. Loaded twice, openid-client would not see what is set here.
  if (typeof client[custom.clock_tolerance] !== 'number' || client[custom.clock_tolerance] === 0)
    throw new Error('openid-client was loaded twice')
  for (const endpoint of endpoints) await requireAllowed(endpoint, rules)
  const options = (url: URL) => ({ agent: guardedAgent(url, rules), timeout: 8_000 })
  client[custom.http_options] = options
  // The keys are fetched by the issuer.
  client.issuer[custom.http_options] = options
}
