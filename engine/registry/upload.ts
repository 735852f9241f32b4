/** The half of the client that writes. Source: OCI distribution specification, "Pushing". */
import { type Readable, Transform } from 'node:stream'
import { EngineError, isEngineError } from '../errors.ts'
import { type Digest, digestOf } from '../oci/digest.ts'
import { maxDocumentBytes } from '../oci/manifest.ts'
import { discard } from './body.ts'
import type { Endpoint } from './endpoint.ts'
import { type Answer, ask, follow, type Question } from './exchange.ts'
import type { Limits } from './limits.ts'
import type { BlobSource, RegistryWriter, Repository, RequestOptions, UploadOptions } from './registry.ts'
import { retrying, waitToRetry } from './retry.ts'

export function createWriter(endpointOf: (registry: string) => Endpoint, limits: Limits): RegistryWriter {
  type Asked = Pick<Question, 'method' | 'to' | 'what' | 'headers' | 'expect' | 'body' | 'answerMs'> & {
    alsoRead?: string
  }

  async function put(
    { registry, repository }: Repository,
    { credentials, signal }: RequestOptions,
    { alsoRead, ...question }: Asked,
  ): Promise<Answer> {
    const endpoint = endpointOf(registry)
    const scopes = [`repository:${endpoint.prefix}${repository}:pull,push`]
    if (alsoRead !== undefined) scopes.push(`repository:${endpoint.prefix}${alsoRead}:pull`)
    const answer = await ask(endpoint, { ...question, scopes, credentials, signal }, limits)
    await discard(answer.body)
    return answer
  }

  /** Where an upload goes on, as the last answer says. */
  function next(repository: Repository, answer: Answer, what: string): URL {
    const { location } = answer.headers
    if (location === undefined)
      throw new EngineError('invalid', `${answer.host} does not say where ${what} is to be sent`)
    return follow(answer.url, location, endpointOf(repository.registry), what)
  }

  async function blobExists(
    repository: Repository,
    digest: Digest,
    options: RequestOptions = {},
  ): Promise<boolean> {
    const what = blobOf(repository, digest)
    const to = `${repository.repository}/blobs/${digest}`
    return retrying(
      options.signal,
      async () =>
        (await put(repository, options, { method: 'HEAD', to, what, expect: [404] })).status !== 404,
      limits,
    )
  }

  return {
    blobExists,

    async mountBlob(repository, digest, fromRepository, options = {}) {
      const what = blobOf(repository, digest)
      const query = new URLSearchParams({ mount: digest, from: fromRepository })
      const to = `${repository.repository}/blobs/uploads/?${query}`
      const question: Asked = { method: 'POST', to, what, headers: empty, alsoRead: fromRepository }
      const answer = await retrying(options.signal, () => put(repository, options, question), limits).catch(
        (error: unknown) => {
          // Not allowed to read there: no reason not to upload here.
          if (isEngineError(error, 'access-denied') || isEngineError(error, 'not-found')) return null
          throw error
        },
      )
      if (answer === null) return false
      if (answer.status === 201) return true
      // The registry began an upload instead, which nobody will go on with.
      await put(repository, options, { method: 'DELETE', to: next(repository, answer, what), what }).catch(
        () => {},
      )
      return false
    },

    async uploadBlob(repository, blob, options = {}) {
      await upload(repository, blob, options)
    },

    async putManifest(reference, { mediaType, bytes }, options = {}) {
      const digest = digestOf(bytes)
      const name = reference.tag ?? digest
      const what = `manifest ${name} of ${reference.registry}/${reference.repository}`
      if (bytes.length > maxDocumentBytes)
        throw new EngineError('limit-exceeded', `${what} is larger than ${maxDocumentBytes} bytes`)
      const question: Asked = {
        method: 'PUT',
        to: `${reference.repository}/manifests/${name}`,
        what,
        headers: { 'content-type': mediaType, 'content-length': String(bytes.length) },
        body: bytes,
        answerMs: limits.commitMs,
      }
      const { headers, host } = await retrying(
        options.signal,
        () => put(reference, options, question),
        limits,
      )
      const said = headers['docker-content-digest']
      if (said !== undefined && said !== digest)
        throw new EngineError('corrupt', `${host} stored ${digest} as ${said}`)
      return digest
    },
  }

  /** An upload of its own session; one that breaks off is gone on with, or begun again when its session is lost. */
  async function upload(repository: Repository, blob: BlobSource, options: UploadOptions): Promise<void> {
    const what = blobOf(repository, blob.digest)
    const send = (question: Omit<Asked, 'what'>) => put(repository, options, { ...question, what })
    let session: URL | null = null
    let done = 0
    let farthest = 0
    const setDone = (bytes: number) => {
      done = bytes
      options.onBytes?.(bytes)
    }

    /** How much the registry has after a cut; without a session when it knows it no more. */
    const look = async (known: URL) => {
      const answer = await send({ method: 'GET', to: known, expect: [400, 404, 416] })
      const has = answer.status === 204 ? storedBytes(answer) : null
      if (has === null || has > blob.size) {
        session = null
        setDone(0)
        return
      }
      if (answer.headers.location !== undefined) session = next(repository, answer, what)
      setDone(has)
    }

    const goOn = async () => {
      if (session !== null) await look(session)
      if (session === null) {
        const to = `${repository.repository}/blobs/uploads/`
        session = next(repository, await send({ method: 'POST', to, headers: empty }), what)
        setDone(0)
      }
      // What fits into one request needs no other.
      const isSmall = done === 0 && blob.size <= limits.uploadChunkBytes
      while (!isSmall && done < blob.size) {
        const end = Math.min(done + limits.uploadChunkBytes, blob.size)
        const answer: Answer = await send({
          method: 'PATCH',
          to: session,
          headers: { ...chunkHeaders(end - done), 'content-range': `${done}-${end - 1}` },
          body: bodyOf(blob, done, end, options.onBytes),
        })
        session = next(repository, answer, what)
        const has = storedBytes(answer) ?? end
        if (has <= done || has > end)
          throw new EngineError('unavailable', `${answer.host} says that it has ${has} bytes of ${what}`)
        setDone(has)
      }
      const to = new URL(session)
      to.searchParams.set('digest', blob.digest)
      await send({
        method: 'PUT',
        to,
        headers: chunkHeaders(blob.size - done),
        body: bodyOf(blob, done, blob.size, options.onBytes),
        answerMs: limits.commitMs,
      })
      setDone(blob.size)
    }

    for (let failures = 1; ; failures++) {
      try {
        return await goOn()
      } catch (error) {
        if (done > farthest) failures = 1
        farthest = Math.max(farthest, done)
        await waitToRetry(error, failures, limits, options.signal)
        // The answer may have been lost after all had arrived.
        if (await blobExists(repository, blob.digest, options)) return setDone(blob.size)
      }
    }
  }
}

const empty = { 'content-length': '0' }

function chunkHeaders(bytes: number): Record<string, string> {
  return { 'content-type': 'application/octet-stream', 'content-length': String(bytes) }
}

/** Opened anew each time that it is sent. Fails when the source gives less; gives no more than was said. */
function bodyOf(
  blob: BlobSource,
  start: number,
  end: number,
  onBytes?: (done: number) => void,
): (() => Promise<Readable>) | Buffer {
  if (start === end) return Buffer.alloc(0)
  return async () => {
    const source = await blob.open(start)
    let at = start
    const span = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        const rest = chunk.subarray(0, end - at)
        at += rest.length
        onBytes?.(at)
        done(null, rest)
        if (at < end) return
        source.unpipe(span).destroy()
        span.end()
      },
      flush(done) {
        if (at === end) return done()
        const words = `blob ${blob.digest} ended after ${at} of ${blob.size} bytes on this host`
        done(new EngineError('corrupt', words))
      },
      destroy(error, done) {
        source.destroy()
        done(error)
      },
    })
    source.once('error', (error) => span.destroy(error))
    return source.pipe(span)
  }
}

/** What the registry has by now. Its `Range` is inclusive, and says 0-0 for nothing. */
function storedBytes({ headers }: Answer): number | null {
  const [, last] = /^(?:bytes=)?0-(\d+)$/.exec(headers.range ?? '') ?? []
  if (last === undefined) return null
  return last === '0' ? 0 : Number(last) + 1
}

function blobOf({ registry, repository }: Repository, digest: Digest): string {
  return `blob ${digest} of ${registry}/${repository}`
}
