import type { Viewer } from '../../platform/access.ts'
import { PlatformError } from '../../platform/errors.ts'
import { emailSchema } from '../../platform/model/names.ts'
import type { Platform } from '../../platform/open.ts'
import { issueRegistryToken } from '../../platform/repositories.ts'
import { checkCredentials, viewerFromToken } from '../../platform/sessions.ts'
import { tokenPrefix } from '../../platform/tokens.ts'
import { clientAddress } from './client-address.ts'

interface Asked {
  credentials: { name: string; secret: string } | null
  account: string
  scopes: string[]
}

const maxScopes = 50

/**
 * The registry's token service, as docker and its kin ask it: GET with Basic credentials
 * (distribution/docs/spec/auth/token.md) and POST of a form (…/oauth.md). The password is the person's own or a token,
 * whatever the user name; nobody in particular gets a token for what is public.
 */
export async function answerRegistryToken(platform: Platform, request: Request): Promise<Response> {
  try {
    const asked = request.method === 'POST' ? await readForm(request) : readQuery(request)
    const viewer = await identify(platform, asked.credentials, clientAddress(request.headers))
    const scopes = asked.scopes.slice(0, maxScopes)
    const { token, expiresInSeconds } = await issueRegistryToken(platform, {
      viewer,
      account: asked.account,
      scopes,
    })
    return answer(200, {
      token,
      access_token: token,
      expires_in: expiresInSeconds,
      issued_at: new Date().toISOString(),
      scope: scopes.join(' '),
    })
  } catch (error) {
    if (error instanceof PlatformError) return refusal(error)
    platform.log.error({ err: error }, 'a registry token could not be issued')
    return refusal(new PlatformError('unavailable', 'No token could be issued. Try again in a moment.'))
  }
}

function readQuery(request: Request): Asked {
  const query = new URL(request.url).searchParams
  const credentials = readBasic(request.headers.get('authorization'))
  return {
    credentials,
    account: plain(query.get('account') ?? credentials?.name),
    scopes: query.getAll('scope').flatMap(splitScopes),
  }
}

async function readForm(request: Request): Promise<Asked> {
  const text = await request.text()
  if (text.length > 65_536) throw new PlatformError('bad-request', 'The form is too large.')
  const form = new URLSearchParams(text)
  const name = form.get('username') ?? ''
  const secret = form.get('grant_type') === 'refresh_token' ? form.get('refresh_token') : form.get('password')
  const credentials = secret === null ? readBasic(request.headers.get('authorization')) : { name, secret }
  return {
    credentials,
    account: plain(name || credentials?.name),
    scopes: form.getAll('scope').flatMap(splitScopes),
  }
}

function readBasic(authorization: string | null): Asked['credentials'] {
  if (authorization === null) return null
  const [, encoded] = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization) ?? []
  const text = Buffer.from(encoded ?? '', 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) throw wrong()
  return { name: text.slice(0, colon), secret: text.slice(colon + 1) }
}

/** Several in one parameter are separated by spaces. */
function splitScopes(text: string): string[] {
  return text.split(' ').filter((scope) => scope !== '')
}

/** Ends up in the token and in the registry's log. */
function plain(account: string | undefined): string {
  return (account ?? '').replace(/[^\x21-\x7e]/g, '').slice(0, 254)
}

async function identify(
  platform: Platform,
  credentials: Asked['credentials'],
  address: string,
): Promise<Viewer | null> {
  if (credentials === null) return null
  const { name, secret } = credentials
  const email = emailSchema.safeParse(name)
  if (email.success && !secret.startsWith(tokenPrefix) && secret.length <= 1_024) {
    const { id } = await checkCredentials(platform, { email: email.data, password: secret, address })
    return { kind: 'user', userId: id, sessionId: null }
  }
  // The operator's token too: the registry sends everybody to the public address.
  const viewer = await viewerFromToken(platform, secret, { viaEdge: false, address })
  if (viewer === null) throw wrong()
  return viewer
}

function wrong(): PlatformError {
  return new PlatformError('unauthenticated', 'The user name or the password is not right.')
}

function answer(status: number, body: object, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers: { ...headers, 'cache-control': 'no-store' } })
}

/** In the registry's own words: clients print `errors[].message` (distribution/docs/spec/api.md, Errors). */
function refusal(error: PlatformError): Response {
  const errors = [{ code: error.code.toUpperCase().replaceAll('-', '_'), message: error.message }]
  if (error.code !== 'unauthenticated') {
    const { retryAfterSeconds } = error
    const headers: Record<string, string> =
      retryAfterSeconds === null ? {} : { 'retry-after': String(retryAfterSeconds) }
    return answer(error.status, { errors }, headers)
  }
  return answer(401, { errors }, { 'www-authenticate': 'Basic realm="berth"' })
}
