/** One question to an endpoint and its answer: authentication is answered, redirects are followed, a no is thrown. */
import type { IncomingMessage } from 'node:http'
import { EngineError } from '../errors.ts'
import { namesForbidden } from './addresses.ts'
import { discard, readBody } from './body.ts'
import { type Endpoint, hostAt } from './endpoint.ts'
import { errorFromStatus } from './failures.ts'
import { type HttpRequest, send } from './http.ts'
import type { Limits } from './limits.ts'
import type { RegistryCredentials } from './registry.ts'

const maxRedirects = 5
/** Of an answer that says no: enough for a registry's own words. */
const maxRefusalBytes = 64 * 1_024
/** A challenge, and one that names a scope which was missing. */
const maxChallenges = 2

export interface Question extends Omit<HttpRequest, 'url' | 'host' | 'headers'> {
  /** Below /v2/, or a whole address that the registry gave. */
  to: string | URL
  /** What the token must be good for, such as `repository:team/app:pull`. */
  scopes: string[]
  credentials: RegistryCredentials | undefined
  headers?: Record<string, string>
  /** Statuses besides 2xx that are an answer and no failure. */
  expect?: number[]
}

export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  body: IncomingMessage
  /** Who answered, after redirects: his address, and what a person calls him. */
  url: URL
  host: string
}

/**
 * Asks. Credentials are sent while the question stays at the endpoint's own origin; once it was redirected elsewhere
 * they are not, even if it comes back. Throws by status (`not-found`, `access-denied`, `rate-limited`, …).
 */
export async function ask(endpoint: Endpoint, question: Question, limits: Limits): Promise<Answer> {
  const { what, scopes, expect = [], method, body } = question
  const credentials = endpoint.isMirror ? (endpoint.ownCredentials ?? undefined) : question.credentials
  let url = typeof question.to === 'string' ? addressOf(endpoint, question.to) : question.to
  let isOwn = url.origin === endpoint.origin
  let authorization = isOwn
    ? await orAborted(endpoint.authorizer.current(scopes, credentials), question)
    : null
  let challenges = 0
  for (let redirects = 0; redirects <= maxRedirects; ) {
    const headers = { ...question.headers, ...(isOwn && authorization ? { authorization } : {}) }
    const host = hostAt(endpoint, url)
    const response = await send(endpoint.connections, { ...question, url, host, headers }, limits)
    const status = response.statusCode ?? 0
    if ((status >= 200 && status < 300) || expect.includes(status))
      return { status, headers: response.headers, body: response, url, host }
    if (isOwn && (status === 401 || status === 403) && challenges++ < maxChallenges) {
      const refusal = {
        status,
        challenges: (response.headersDistinct['www-authenticate'] ?? []).join(', '),
        rejected: authorization,
      }
      const next = await orAborted(endpoint.authorizer.answer(refusal, scopes, credentials), question).catch(
        (error: unknown) => {
          response.destroy()
          throw error
        },
      )
      if (next !== null && next !== authorization) {
        await discard(response)
        authorization = next
        continue
      }
    }
    const { location } = response.headers
    if (status >= 300 && status < 400 && location !== undefined) {
      await discard(response)
      if (method !== 'GET' && method !== 'HEAD' && body !== undefined)
        throw new EngineError('invalid', `${host} redirects the upload of ${what}: refused`)
      url = follow(url, location, endpoint, what)
      isOwn &&= url.origin === endpoint.origin
      redirects++
      continue
    }
    const said = await readBody(response, maxRefusalBytes, what, host, limits).catch(() => null)
    // A stranger's words are not passed on: nobody asked them.
    throw errorFromStatus(status, response.headers, what, host, isOwn ? (said?.toString('utf8') ?? '') : '')
  }
  throw new EngineError('invalid', `${endpoint.host} redirects ${what} more than ${maxRedirects} times`)
}

function addressOf(endpoint: Endpoint, path: string): URL {
  const url = new URL(`${endpoint.origin}/v2/${endpoint.prefix}${path}`)
  if (endpoint.query !== '') url.search = endpoint.query
  return url
}

/** Where an answer sends us, if that is somewhere we go. Throws invalid. */
export function follow(from: URL, location: string, endpoint: Endpoint, what: string): URL {
  const next = URL.parse(location, from)
  const host = hostAt(endpoint, from)
  if (next === null || !['https:', 'http:'].includes(next.protocol))
    throw new EngineError('invalid', `${host} redirects ${what} to no address`)
  // Registries behind a proxy that ends TLS often don't know that they are spoken to over TLS.
  if (from.protocol === 'https:' && next.protocol === 'http:' && next.hostname === from.hostname) {
    next.protocol = 'https:'
    if (from.port === '' && next.port === '80') next.port = ''
  }
  if (from.protocol === 'https:' && next.protocol !== 'https:')
    throw new EngineError('invalid', `${host} redirects ${what} to plain HTTP: refused`)
  if (namesForbidden(next, endpoint))
    throw new EngineError(
      'invalid',
      `${host} redirects ${what} to ${next.host}, where no registry is: refused`,
    )
  next.username = ''
  next.password = ''
  return next
}

/** A token is fetched for all who wait for it, so it is not given up when one of them leaves. */
function orAborted<T>(promise: Promise<T>, { signal }: { signal?: AbortSignal }): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason)
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}
