/** A blob's bytes in order, however they come: over one connection or several, in one go or in parts after cuts. */
import { Readable } from 'node:stream'
import { EngineError } from '../errors.ts'
import { chunksOf } from './body.ts'
import type { Endpoint } from './endpoint.ts'
import type { Answer } from './exchange.ts'
import type { Limits } from './limits.ts'
import { prefetch } from './prefetch.ts'
import type { BlobStream, RemoteBlob } from './registry.ts'
import { waitToRetry } from './retry.ts'
import { leaveOut } from './sources.ts'

export interface Span {
  /** First byte. */
  start: number
  /** One after the last byte. */
  end: number
}

/** An answer that holds bytes of the blob from `start` on. */
export interface Part {
  answer: Answer
  endpoint: Endpoint
  start: number
}

export interface BlobRequest {
  blob: RemoteBlob
  /** For messages: the layer and its image. */
  what: string
  offset: number
  limits: Limits
  /** Pieces that are on their way at once. */
  rangesAtOnce: number
  signal?: AbortSignal
  /** Asks for bytes from `span.start` on, at each source with its retries. `range` is null where it is the whole blob. */
  open(range: string | null, span: Span, signal: AbortSignal): Promise<Part>
}

interface Reading extends BlobRequest {
  signal: AbortSignal
  /** Bytes that came and were not asked for, from registries that know no ranges. */
  skipped: number
}

/**
 * Opens the blob at `offset`. The stream ends after exactly `blob.size - offset` bytes or fails; destroying it ends all
 * of its requests.
 */
export async function openBlobStream(request: BlobRequest): Promise<BlobStream> {
  const { blob, offset, limits } = request
  if (offset >= blob.size) return { stream: Readable.from([]), from: '' }
  const stop = new AbortController()
  const signal = request.signal ? AbortSignal.any([request.signal, stop.signal]) : stop.signal
  const reading: Reading = { ...request, signal, skipped: 0 }
  const isLarge = request.rangesAtOnce > 1 && blob.size - offset > 2 * limits.rangeBytes
  const span = { start: offset, end: isLarge ? offset + limits.rangeBytes : blob.size }
  const part = await openPart(reading, span)
  const chunks =
    isLarge && part.answer.status === 206
      ? inPieces(reading, span, part)
      : spanOf(reading, { start: offset, end: blob.size }, part)
  return { stream: readableOf(chunks, stop), from: part.answer.host }
}

/** A mebibyte, where they come from a socket. */
const chunksAhead = 16

/** Unlike Readable.from, it can be destroyed while its source waits for the registry. */
function readableOf(chunks: AsyncGenerator<Buffer>, stop: AbortController): Readable {
  return new Readable({
    // Chunks as they come: bytes would be copied together whenever some of them wait.
    objectMode: true,
    highWaterMark: chunksAhead,
    read() {
      chunks.next().then(
        ({ done, value }) => this.push(done ? null : value),
        (error: Error) => this.destroy(error),
      )
    },
    destroy(error, callback) {
      stop.abort(error ?? new EngineError('canceled', 'nobody reads on'))
      chunks.return(undefined).catch(() => {})
      callback(error)
    },
  })
}

/** Pieces of a blob, some of them on their way at once; those that are ahead of the reader wait in memory. */
async function* inPieces(reading: Reading, first: Span, part: Part): AsyncGenerator<Buffer> {
  const { blob, limits, rangesAtOnce } = reading
  const ahead = [prefetch(spanOf(reading, first, part))]
  let next = first.end
  for (;;) {
    while (ahead.length < rangesAtOnce && next < blob.size) {
      const end = Math.min(next + limits.rangeBytes, blob.size)
      ahead.push(prefetch(spanOf(reading, { start: next, end })))
      next = end
    }
    const [head] = ahead
    if (!head) return
    yield* head
    ahead.shift()
  }
}

/** All bytes of a span; what breaks off is gone on with. */
async function* spanOf(reading: Reading, { start, end }: Span, first?: Part): AsyncGenerator<Buffer> {
  const { signal, limits } = reading
  let part = first
  let at = start
  let countedFrom = start
  for (let failures = 0; at < end; ) {
    part ??= await openPart(reading, { start: at, end })
    const { endpoint } = part
    try {
      for await (const chunk of bytesOf(reading, part, { start: at, end })) {
        at += chunk.length
        yield chunk
      }
    } catch (error) {
      if (at - countedFrom >= limits.progressBytes) failures = 0
      countedFrom = at
      failures++
      if (endpoint.isMirror && failures > 1) leaveOut(endpoint)
      await waitToRetry(error, failures, limits, signal)
    }
    part = undefined
  }
}

/** What of a part lies in the span, as it comes. Throws unavailable when it ends early, corrupt when it never ends. */
async function* bytesOf(reading: Reading, part: Part, { start, end }: Span): AsyncGenerator<Buffer> {
  const { blob, what, limits } = reading
  const { body, status, host } = part.answer
  let at = part.start
  const last = status === 206 ? end : blob.size
  for await (const chunk of chunksOf(body, what, host, limits)) {
    const from = Math.max(0, start - at)
    if (from > 0) reading.skipped += Math.min(from, chunk.length)
    if (reading.skipped > 2 * blob.size)
      throw new EngineError('invalid', `${host} sends ${what} from its start again and again`)
    const to = Math.min(chunk.length, end - at)
    at += chunk.length
    if (at > last && status !== 206)
      throw new EngineError('corrupt', `${host} sends more of ${what} than its ${blob.size} bytes`)
    if (to > from) yield chunk.subarray(from, to)
    if (at >= end && last > end) return
  }
  // A 206 may be shorter than was asked for; whoever sends nothing at all would be asked for ever.
  if (at >= end || (status === 206 && at > start)) return
  throw new EngineError('unavailable', `${host} ended ${what} after ${at} of ${blob.size} bytes`)
}

async function openPart(reading: Reading, span: Span): Promise<Part> {
  const { blob, signal } = reading
  const isWhole = span.start === 0 && span.end === blob.size
  const range = isWhole ? null : `bytes=${span.start}-${span.end === blob.size ? '' : span.end - 1}`
  return reading.open(range, span, signal)
}

/** Where the bytes of an answer lie in the blob. Throws corrupt when it is not the blob that was asked for. */
export function startOf(answer: Answer, { start }: Span, { size }: RemoteBlob, what: string): number {
  const { status, headers, host } = answer
  const wrong = (found: number) =>
    new EngineError('corrupt', `${host} has ${found} bytes as ${what}, and its manifest says ${size}`)
  if (status !== 206 && status !== 416) {
    const length = headers['content-length']
    if (length !== undefined && Number(length) !== size) throw wrong(Number(length))
    return 0
  }
  const [, from, total] = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? []
  if (total !== undefined && total !== '*' && Number(total) !== size) throw wrong(Number(total))
  if (status === 206 && Number(from) === start) return start
  throw new EngineError(
    'corrupt',
    `${host} answers ${JSON.stringify(headers['content-range'] ?? 'no range')} for ${what} from byte ${start} on`,
  )
}
