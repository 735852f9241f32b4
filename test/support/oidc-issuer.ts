/** A real OpenID provider on loopback (npm oidc-provider), whose people sign in without being asked. */
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt, importJWK, type JWK, type JWTPayload, SignJWT } from 'jose'
import Provider from 'oidc-provider'

export interface Person {
  sub: string
  email?: string
  email_verified?: boolean
  name?: string
}

export interface OidcIssuer {
  readonly url: string
  readonly client: { id: string; secret: string }
  /** Who signs in next. */
  person: Person
  /** Changes an ID token before it is handed out; it is signed anew with the provider's own key. */
  tamper: ((claims: JWTPayload) => JWTPayload) | null
  /** In place of the ID token as it is. */
  replace: ((idToken: string) => Promise<string>) | null
  /** Goes the browser's way from an address of authorization to where it leads back to. */
  visit(authorizationUrl: string): Promise<URL>
  /** Signs claims with the provider's own key. */
  sign(claims: JWTPayload): Promise<string>
  close(): Promise<void>
}

export interface OidcIssuerOptions {
  /** Where people may be led back to. */
  redirectUris: string[]
  port?: number
}

export async function startOidcIssuer({ redirectUris, port = 0 }: OidcIssuerOptions): Promise<OidcIssuer> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'test', use: 'sig', alg: 'RS256' } as JWK
  const client = { id: 'berth', secret: 'a secret of the client that is long enough' }
  let handle: (request: IncomingMessage, response: ServerResponse) => void = () => undefined
  const server = createServer((request, response) => handle(request, response))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const provider = new Provider(url, {
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: redirectUris,
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    jwks: { keys: [jwk as never] },
    cookies: { keys: ['a key of the test'] },
    features: { devInteractions: { enabled: false } },
    claims: { email: ['email', 'email_verified'], profile: ['name'] },
    pkce: { required: () => true },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ ...issuer.person, sub }) }),
    ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
  })
  provider.use(async (ctx, next) => {
    await next()
    const body = ctx.body as { id_token?: string } | undefined
    if (ctx.path !== '/token' || body?.id_token === undefined) return
    if (issuer.tamper !== null) body.id_token = await issuer.sign(issuer.tamper(decodeJwt(body.id_token)))
    if (issuer.replace !== null) body.id_token = await issuer.replace(body.id_token)
  })
  const answer = provider.callback()
  handle = (request, response) => {
    if (request.url?.startsWith('/interaction/') !== true) return void answer(request, response)
    finish(provider, issuer.person.sub, request, response).catch((error: unknown) => {
      response.statusCode = 500
      response.end(String(error))
    })
  }

  const issuer: OidcIssuer = {
    url,
    client,
    person: { sub: 'nobody' },
    tamper: null,
    replace: null,
    async sign(claims) {
      const key = await importJWK(jwk, 'RS256')
      return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'test' }).sign(key)
    },
    async visit(authorizationUrl) {
      const jar = new Map<string, string>()
      let next = new URL(authorizationUrl)
      for (let step = 0; step < 10; step++) {
        if (next.origin !== url) return next
        const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
        const response = await fetch(next, { redirect: 'manual', headers: { cookie } })
        for (const line of response.headers.getSetCookie()) {
          const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
          jar.set(name, value)
        }
        const location = response.headers.get('location')
        if (location === null)
          throw new Error(`${next} led nowhere: ${(await response.text()).slice(0, 500)}`)
        next = new URL(location, next)
      }
      throw new Error(`${authorizationUrl} leads round in circles`)
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return issuer
}

/** What a person does at the provider: signs in, and lets the client know who he is. */
async function finish(
  provider: Provider,
  accountId: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(request, response)
  if (prompt.name === 'login') {
    await provider.interactionFinished(request, response, { login: { accountId } })
    return
  }
  const grant = new provider.Grant({
    accountId: session?.accountId ?? accountId,
    clientId: String(params.client_id),
  })
  grant.addOIDCScope('openid email profile')
  const grantId = await grant.save()
  await provider.interactionFinished(
    request,
    response,
    { consent: { grantId } },
    { mergeWithLastSubmission: true },
  )
}
