/**
 * The distribution client: manifests and blobs over HTTP. registry.ts says what it promises; exchange.ts asks one
 * question, sources.ts goes from mirror to mirror, blob-stream.ts brings large blobs, upload.ts takes them there.
 * Source: the OCI distribution specification.
 */
import { EngineError } from '../errors.ts'
import { digestOf, isDigest } from '../oci/digest.ts'
import { maxDocumentBytes, mediaTypes } from '../oci/manifest.ts'
import { formatReference } from '../oci/reference.ts'
import { isLoopback } from './addresses.ts'
import { openBlobStream, startOf } from './blob-stream.ts'
import { discard, readBody } from './body.ts'
import { type Endpoint, openEndpoints, type RegistrySettings } from './endpoint.ts'
import { type Answer, ask, type Question } from './exchange.ts'
import type { ProxySettings } from './http.ts'
import { defaultLimits, type Limits } from './limits.ts'
import type { RegistryClient, RegistryReader, Repository, RequestOptions } from './registry.ts'
import { fromSources } from './sources.ts'
import { listTags } from './tags.ts'
import { createWriter } from './upload.ts'

export interface ClientSettings {
  /** How registries are reached, by host; others by https, loopback ones by http. */
  registries?: Record<string, RegistrySettings>
  proxy?: ProxySettings
  /** Whether loopback registries must be among `registries`; default false. */
  onlyListedLoopback?: boolean
  /** Instead of the defaults. */
  limits?: Partial<Limits>
}

/** Throws invalid for settings that make no sense. */
export function createRegistryClient({
  registries = {},
  proxy,
  onlyListedLoopback = false,
  limits: given,
}: ClientSettings = {}): RegistryClient {
  const limits = { ...defaultLimits, ...given }
  const opened = new Map<string, Endpoint[]>()
  const endpointsOf = (registry: string): Endpoint[] => {
    if (
      onlyListedLoopback &&
      !Object.hasOwn(registries, registry) &&
      isLoopback(registry.replace(/:\d+$/, ''))
    )
      throw new EngineError(
        'access-denied',
        `${registry} is on this machine, where only listed registries are asked`,
      )
    const known = opened.get(registry) ?? openEndpoints(registry, registries[registry] ?? {}, proxy, limits)
    opened.set(registry, known)
    return known
  }
  for (const registry of Object.keys(registries)) endpointsOf(registry)
  return {
    ...createReader(endpointsOf, limits),
    ...createWriter((registry) => own(endpointsOf(registry)), limits),
    close() {
      for (const { connections } of [...opened.values()].flat()) connections.close()
    },
  }
}

/** The registry itself, where pushes go. */
function own(endpoints: Endpoint[]): Endpoint {
  const endpoint = endpoints.find(({ isMirror }) => !isMirror)
  if (!endpoint) throw new EngineError('internal', 'a registry without an endpoint')
  return endpoint
}

function createReader(endpointsOf: (registry: string) => Endpoint[], limits: Limits): RegistryReader {
  /** One question to each source in turn; `use` reads the answer, and its failures count as the source's. */
  async function get<T>(
    { registry, repository }: Repository,
    { credentials, signal }: RequestOptions,
    question: Pick<Question, 'what' | 'headers' | 'expect'> & { path: string; method?: 'GET' | 'HEAD' },
    use: (answer: Answer, endpoint: Endpoint) => Promise<T>,
  ): Promise<T> {
    return fromSources(endpointsOf(registry), limits, signal, async (endpoint) => {
      const whole = {
        method: 'GET' as const,
        ...question,
        to: `${repository}/${question.path}`,
        scopes: [`repository:${endpoint.prefix}${repository}:pull`],
        credentials,
        signal,
      }
      return use(await ask(endpoint, whole, limits), endpoint)
    })
  }

  const accept = Object.values(mediaTypes).join(', ')

  return {
    async resolve(reference, options = {}) {
      if (reference.digest !== null) return reference.digest
      const what = `image ${formatReference(reference)}`
      const path = `manifests/${reference.tag}`
      const head = { method: 'HEAD' as const, path, what, headers: { accept }, expect: [405] }
      const digest = await get(reference, options, head, async ({ headers, body }) => {
        await discard(body)
        return String(headers['docker-content-digest'] ?? '')
      })
      return isDigest(digest) ? digest : (await this.fetchManifest(reference, options)).digest
    },

    listTags(repository, options = {}) {
      return listTags(own(endpointsOf(repository.registry)), repository, options, limits)
    },

    fetchManifest(reference, options = {}) {
      const what = `image ${formatReference(reference)}`
      const question = { path: `manifests/${reference.digest ?? reference.tag}`, what, headers: { accept } }
      return get(reference, options, question, async ({ headers, body, host }) => {
        const mediaType = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? null
        const bytes = await readBody(body, maxDocumentBytes, what, host, limits)
        if (mediaType === 'text/html')
          throw new EngineError('invalid', `${host} answers with a web page for ${what}: it is no registry`)
        const digest = digestOf(bytes)
        if (reference.digest !== null && reference.digest !== digest)
          throw new EngineError('corrupt', `${host} answered ${digest} for ${what}`)
        return { digest, mediaType, bytes }
      })
    },

    fetchDocument(repository, blob, options = {}) {
      const what = `blob ${blob.digest} of ${nameOf(repository)}`
      if (blob.size > maxDocumentBytes)
        throw new EngineError('limit-exceeded', `${what} is larger than ${maxDocumentBytes} bytes`)
      return get(repository, options, { path: `blobs/${blob.digest}`, what }, async ({ body, host }) => {
        const bytes = await readBody(body, maxDocumentBytes, what, host, limits)
        if (digestOf(bytes) !== blob.digest)
          throw new EngineError('corrupt', `what ${host} has as ${what} is not what its digest says`)
        return bytes
      })
    },

    openBlob(repository, blob, { offset = 0, ...options } = {}) {
      const what = `layer ${blob.digest} of ${nameOf(repository)}`
      const path = `blobs/${blob.digest}`
      const isNear = endpointsOf(repository.registry).every(({ allowLoopback }) => allowLoopback)
      const rangesAtOnce = limits.rangesAtOnce === 'auto' ? (isNear ? 1 : 3) : limits.rangesAtOnce
      return openBlobStream({
        blob,
        what,
        offset,
        limits,
        rangesAtOnce,
        signal: options.signal,
        open(range, span, signal) {
          const headers: Record<string, string> = range === null ? {} : { range }
          const question = { path, what, headers, expect: [416] }
          return get(repository, { ...options, signal }, question, async (answer, endpoint) => {
            try {
              return { answer, endpoint, start: startOf(answer, span, blob, what) }
            } catch (error) {
              answer.body.destroy()
              throw error
            }
          })
        },
      })
    },
  }
}

function nameOf({ registry, repository }: Repository): string {
  return `${registry}/${repository}`
}
