/** Takes pushes by HTTP, below /git/ of the public address: smart HTTP as git-http-backend(1) speaks it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { PlatformError } from '../../platform/errors.ts'
import { type PushPlace, pushPlace } from '../../platform/git/push-place.ts'
import { withRequestOrigin } from '../../platform/request-origin.ts'
import { viewerFromToken } from '../../platform/sessions.ts'
import { gitSocketName } from '../edge/settings.ts'
import type { Host } from '../host.ts'
import { advertisePush, receivePush } from './push.ts'

export interface PushServer {
  /** Nobody comes in any more; pushes under way are cut off, and what was deployed for them goes on. */
  close(): Promise<void>
}

const service = 'git-receive-pack'

/** Listens where the edge of this host finds it. */
export async function servePushes(host: Host): Promise<PushServer> {
  const server = createServer((request, response) => {
    answer(host, request, response).catch((error) => {
      if (!(error instanceof PlatformError)) host.log.warn({ err: error }, 'a push could not be answered')
      refuse(response, error)
    })
  })
  server.requestTimeout = 0
  // The edge never sends a push into a connection that is about to be closed.
  server.maxRequestsPerSocket = 1
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(`\0${gitSocketName(host.platform.config)}`, resolve)
  })
  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

async function answer(host: Host, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://git')
  const [, team, project, app, what] =
    /^\/git\/([a-z0-9-]{1,64})\/([a-z0-9-]{1,64})\/([a-z0-9-]{1,64})\.git\/(info\/refs|git-receive-pack|git-upload-pack)$/.exec(
      url.pathname,
    ) ?? []
  if (team === undefined || project === undefined || app === undefined)
    throw new PlatformError('not-found', 'There is no repository here. It is /git/<team>/<project>/<app>.git')
  if (what === 'git-upload-pack' || (what === 'info/refs' && url.searchParams.get('service') !== service))
    throw new PlatformError('forbidden', 'Berth takes pushes here, and nothing can be fetched.')
  const isPost = what === service
  if (request.method !== (isPost ? 'POST' : 'GET'))
    throw new PlatformError('bad-request', `This is no ${request.method} request.`)
  const address = String(request.headers['x-forwarded-for'] ?? 'unknown').slice(0, 64)
  const userAgent = request.headers['user-agent'] ?? null
  await withRequestOrigin({ address, userAgent }, async () => {
    const token = passwordOf(request.headers.authorization)
    const viewer =
      token === null ? null : await viewerFromToken(host.platform, token, { viaEdge: true, address })
    if (viewer === null)
      throw new PlatformError('unauthenticated', 'Give an API token as the password, and any username.')
    const place = await pushPlace(host.platform, viewer, { team, project, app })
    const gone = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) gone.abort(new Error('the client of a push is gone'))
    })
    response.setHeader('cache-control', 'no-store')
    if (isPost) await receive(host, place, request, response, gone.signal)
    else await advertise(host, place, response, gone.signal)
  })
}

async function advertise(
  host: Host,
  place: PushPlace,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  response.setHeader('content-type', `application/x-${service}-advertisement`)
  response.write(`001f# service=${service}\n0000`)
  await advertisePush(host, place, response, signal)
}

async function receive(
  host: Host,
  place: PushPlace,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  if (request.headers['content-type'] !== `application/x-${service}-request`)
    throw new PlatformError('bad-request', 'This is no push of git.')
  const isPacked = request.headers['content-encoding'] === 'gzip'
  const input: Readable = isPacked ? request.pipe(createGunzip()) : request
  response.setHeader('content-type', `application/x-${service}-result`)
  await receivePush(host, place, { input, output: response }, signal)
}

function passwordOf(authorization: string | undefined): string | null {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(authorization ?? '') ?? []
  if (encoded === undefined) return null
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const password = text.slice(text.indexOf(':') + 1)
  return text.includes(':') && password !== '' ? password : null
}

/** git shows plain text. */
function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const isKnown = error instanceof PlatformError
  const status = isKnown ? error.status : 500
  const text = isKnown ? error.message : 'Something went wrong on our side. Try again in a moment.'
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    ...(status === 401 ? { 'www-authenticate': 'Basic realm="berth"' } : {}),
  })
  response.end(`${text}\n`)
}
