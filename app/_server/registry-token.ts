import type { Viewer } from '../../platform/access.ts'
import { PlatformError } from '../../platform/errors.ts'
import { emailSchema } from '../../platform/model/names.ts'
import type { Platform } from '../../platform/open.ts'
import { countAttempt } from '../../platform/rate-limit.ts'
import {
  type BuildRights,
  buildPasswordPrefix,
  openBuildPassword,
} from '../../platform/registry/build-password.ts'
import { issueBuildToken, issueRegistryToken, type RegistryToken } from '../../platform/registry/grant.ts'
import {
  issueRefreshToken,
  redeemRefreshToken,
  refreshPrefix,
} from '../../platform/registry/refresh-token.ts'
import { checkPasswordAlone, viewerFromToken, wrongTokens } from '../../platform/sessions.ts'
import { tokenPrefix } from '../../platform/token-secret.ts'
import { clientAddress } from './client-address.ts'

interface Asked {
  credentials: { name: string; secret: string } | null
  scopes: string[]
  /** Whether the client wants to keep something to ask with again. */
  wantsRefresh: boolean
}

const maxScopes = 50

/**
 * The registry's token service, as docker and its kin ask it: GET with Basic credentials
 * (distribution/docs/spec/auth/token.md) and POST of a form (…/oauth.md). The password is the person's own, an API
 * token or a refresh token, whatever the user name; nobody in particular gets a token for what is public.
 */
export async function answerRegistryToken(platform: Platform, request: Request): Promise<Response> {
  try {
    const asked = request.method === 'POST' ? await readForm(request) : readQuery(request)
    const build = await asBuild(platform, asked.credentials)
    if (build !== null)
      return tokenAnswer(await issueBuildToken(platform, build, asked.scopes.slice(0, maxScopes)))
    const viewer = await identify(platform, asked.credentials, clientAddress(request.headers))
    const scopes = asked.scopes.slice(0, maxScopes)
    const { token, expiresInSeconds } = await issueRegistryToken(platform, { viewer, scopes })
    const refresh = asked.wantsRefresh ? await issueRefreshToken(platform, viewer) : null
    return answer(200, {
      token,
      access_token: token,
      expires_in: expiresInSeconds,
      issued_at: new Date().toISOString(),
      scope: scopes.join(' '),
      ...(refresh === null ? {} : { refresh_token: refresh }),
    })
  } catch (error) {
    if (error instanceof PlatformError) return refusal(error)
    platform.log.error({ err: error }, 'a registry token could not be issued')
    return refusal(new PlatformError('unavailable', 'No token could be issued. Try again in a moment.'))
  }
}

function tokenAnswer({ token, expiresInSeconds }: RegistryToken): Response {
  const issued = { token, access_token: token, expires_in: expiresInSeconds }
  return answer(200, { ...issued, issued_at: new Date().toISOString() })
}

/** Null: it is no build that asks. */
async function asBuild(platform: Platform, credentials: Asked['credentials']): Promise<BuildRights | null> {
  if (credentials === null || !credentials.secret.startsWith(buildPasswordPrefix)) return null
  const build = await openBuildPassword(platform, credentials.secret)
  if (build === null) throw wrong()
  return build
}

function readQuery(request: Request): Asked {
  const query = new URL(request.url).searchParams
  return {
    credentials: readBasic(request.headers.get('authorization')),
    scopes: query.getAll('scope').flatMap(splitScopes),
    wantsRefresh: query.get('offline_token') === 'true',
  }
}

async function readForm(request: Request): Promise<Asked> {
  const text = await request.text()
  if (text.length > 65_536) throw new PlatformError('bad-request', 'The form is too large.')
  const form = new URLSearchParams(text)
  return {
    credentials: formCredentials(form) ?? readBasic(request.headers.get('authorization')),
    scopes: form.getAll('scope').flatMap(splitScopes),
    wantsRefresh: form.get('access_type') === 'offline',
  }
}

function formCredentials(form: URLSearchParams): Asked['credentials'] {
  const field = (name: string) => form.get(name) ?? ''
  switch (form.get('grant_type')) {
    case 'refresh_token':
      return { name: field('username'), secret: field('refresh_token') }
    case 'password':
      return { name: field('username'), secret: field('password') }
    case null:
      return null
    default:
      throw new PlatformError('bad-request', 'The grant_type must be password or refresh_token.')
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

async function identify(
  platform: Platform,
  credentials: Asked['credentials'],
  address: string,
): Promise<Viewer | null> {
  if (credentials === null) return null
  const { name, secret } = credentials
  const email = emailSchema.safeParse(name)
  if (email.success && !secret.startsWith(tokenPrefix) && secret.length <= 1_024) {
    const { id } = await checkPasswordAlone(platform, { email: email.data, password: secret, address })
    return { kind: 'user', userId: id, sessionId: null }
  }
  if (secret.startsWith(refreshPrefix)) {
    const refreshed = await redeemRefreshToken(platform, secret, address)
    if (refreshed !== null) return refreshed
    await countAttempt(platform, wrongTokens, address)
    throw wrong()
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

/** Codes that clients have words for (distribution/docs/spec/api.md, Errors): they print these and the message. */
const registryCodes: Partial<Record<PlatformError['code'], string>> = {
  unauthenticated: 'UNAUTHORIZED',
  forbidden: 'DENIED',
  'quota-exceeded': 'DENIED',
  'rate-limited': 'TOOMANYREQUESTS',
  unavailable: 'UNAVAILABLE',
}

function refusal(error: PlatformError): Response {
  const code = registryCodes[error.code] ?? 'UNSUPPORTED'
  const errors = [{ code, message: error.message }]
  if (error.code === 'unauthenticated')
    return answer(401, { errors }, { 'www-authenticate': 'Basic realm="berth"' })
  const { retryAfterSeconds } = error
  return answer(
    // Clients read the words of a refusal in the answers that they know.
    code === 'DENIED' ? 403 : error.status,
    { errors },
    retryAfterSeconds === null ? {} : { 'retry-after': String(retryAfterSeconds) },
  )
}
