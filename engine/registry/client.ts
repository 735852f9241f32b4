/**
 * The distribution client: manifests and blobs over HTTP. Credentials go to the reference's own registry and the
 * token server it names, never to another host and never after a redirect elsewhere.
 * Source: the OCI distribution specification.
 */
import { Readable } from 'node:stream'
import type { RegistryEndpoint } from '../engine.ts'
import { EngineError } from '../errors.ts'
import type { RegistryCredentials } from '../images/images.ts'
import { type Digest, digestOf } from '../oci/digest.ts'
import { maxDocumentBytes, mediaTypes } from '../oci/manifest.ts'
import { formatReference, type Reference } from '../oci/reference.ts'
import { type Authorizer, createAuthorizer, isLoopback } from './authorizer.ts'
import { chunksOf, readBody } from './body.ts'
import { errorFromFetch, errorFromStatus } from './failures.ts'
import { retrying } from './retry.ts'

export interface RegistryClient {
  /** The document and its digest, verified when the reference has one. */
  fetchManifest(reference: Reference, options: RequestOptions): Promise<{ digest: Digest; bytes: Buffer }>
  /** A small blob (a configuration), whole; not verified. */
  fetchDocument(reference: Reference, digest: Digest, options: RequestOptions): Promise<Buffer>
  /** A blob from an offset on; not verified. `offset` 0 in the answer means that the registry sent it all. */
  openBlob(
    reference: Reference,
    digest: Digest,
    options: RequestOptions & { offset: number },
  ): Promise<{ stream: Readable; offset: number }>
}

export interface RequestOptions {
  credentials?: RegistryCredentials
  signal?: AbortSignal
}

const answerWithinMs = 30_000
const maxRedirects = 5

/** @param registries where hosts are really reached; others by https, loopback ones by http. */
export function createRegistryClient(registries: Record<string, RegistryEndpoint> = {}): RegistryClient {
  const authorizers = new Map<string, Authorizer>()

  function originOf(registry: string): string {
    const own = registries[registry]?.url
    if (own) return new URL(own).origin
    if (registry === 'docker.io') return 'https://registry-1.docker.io'
    return `${isLoopback(registry.replace(/:\d+$/, '')) ? 'http' : 'https'}://${registry}`
  }

  function authorizerOf(origin: string): Authorizer {
    const known = authorizers.get(origin) ?? createAuthorizer(origin)
    authorizers.set(origin, known)
    return known
  }

  /** One GET with authentication answered and redirects followed; an unsuccessful status is thrown. */
  async function get(
    reference: Reference,
    path: string,
    what: string,
    headers: Record<string, string>,
    { credentials, signal }: RequestOptions,
  ): Promise<Response> {
    const origin = originOf(reference.registry)
    const authorizer = authorizerOf(origin)
    const scope = `repository:${reference.repository}:pull`
    let url = new URL(`${origin}/v2/${reference.repository}/${path}`)
    let authorization = authorizer.current(scope, credentials)
    let answered = false
    for (let redirects = 0; redirects <= maxRedirects; ) {
      const own = url.origin === origin
      const response = await send(
        url,
        { ...headers, ...(own && authorization ? { authorization } : {}) },
        what,
        signal,
      )
      if (response.status === 401 && own && !answered) {
        await response.body?.cancel()
        authorization = await authorizer.answer(
          response.headers.get('www-authenticate') ?? '',
          authorization,
          scope,
          credentials,
          signal,
        )
        answered = true
        continue
      }
      const location = response.headers.get('location')
      if (response.status >= 300 && response.status < 400 && location) {
        await response.body?.cancel()
        const next = URL.parse(location, url)
        if (next === null || !['https:', 'http:'].includes(next.protocol))
          throw new EngineError('invalid', `${url.host} redirects ${what} to no address`)
        if (url.protocol === 'https:' && next.protocol !== 'https:')
          throw new EngineError('invalid', `${url.host} redirects ${what} to plain HTTP: refused`)
        url = next
        redirects++
        continue
      }
      if (response.ok) return response
      const said = await readBody(response, maxDocumentBytes, what, signal)
      throw errorFromStatus(response.status, what, said.toString('utf8'))
    }
    throw new EngineError('invalid', `the registry redirects ${what} more than ${maxRedirects} times`)
  }

  return {
    fetchManifest(reference, options) {
      const what = `image ${formatReference(reference)}`
      return retrying(options.signal, async () => {
        const accept = Object.values(mediaTypes).join(', ')
        const path = `manifests/${reference.digest ?? reference.tag}`
        const response = await get(reference, path, what, { accept }, options)
        const bytes = await readBody(response, maxDocumentBytes, what, options.signal)
        const digest = digestOf(bytes)
        if (reference.digest !== null && reference.digest !== digest)
          throw new EngineError('corrupt', `the registry answered ${digest} for ${what}`)
        return { digest, bytes }
      })
    },

    fetchDocument(reference, digest, options) {
      const what = `blob ${digest} of ${formatReference(reference)}`
      return retrying(options.signal, async () =>
        readBody(
          await get(reference, `blobs/${digest}`, what, {}, options),
          maxDocumentBytes,
          what,
          options.signal,
        ),
      )
    },

    async openBlob(reference, digest, options) {
      const what = `layer ${digest} of ${formatReference(reference)}`
      const range: Record<string, string> = options.offset > 0 ? { range: `bytes=${options.offset}-` } : {}
      const response = await get(reference, `blobs/${digest}`, what, range, options)
      if (response.body === null)
        throw new EngineError('unavailable', `the registry sent nothing for ${what}`)
      const resumes =
        response.status === 206 &&
        response.headers.get('content-range')?.startsWith(`bytes ${options.offset}-`)
      return { stream: Readable.from(chunksOf(response.body, what)), offset: resumes ? options.offset : 0 }
    },
  }
}

/** The time limit is for the answer to begin; how long the body takes is its reader's matter. */
async function send(
  url: URL,
  headers: Record<string, string>,
  what: string,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(new DOMException('', 'TimeoutError')), answerWithinMs)
  try {
    return await fetch(url, {
      headers,
      redirect: 'manual',
      signal: signal ? AbortSignal.any([signal, limit.signal]) : limit.signal,
    })
  } catch (error) {
    signal?.throwIfAborted()
    throw errorFromFetch(error, what, url.host)
  } finally {
    clearTimeout(timer)
  }
}
