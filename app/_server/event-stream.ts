import type { Entry } from '../../platform/event-log.ts'
import { closingSignal } from './closing.ts'

export interface EventStreamOptions {
  /** Of the request: aborts when the client leaves. */
  signal: AbortSignal
  /** Opens the source. It must end soon after its signal aborts. Throws before anything is answered. */
  open: (signal: AbortSignal) => Promise<AsyncIterable<Entry<unknown>>>
  /** How often a silent stream says that it lives, so that nothing on the way takes it for dead. */
  heartbeatMs?: number
  onError: (error: unknown) => void
}

const reconnectMs = 2_000
const batchChars = 64 * 1024

/**
 * Answers with server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), one `data` of JSON
 * each with its id. Reads the source only as fast as the client takes what it is sent.
 */
export async function eventStream(options: EventStreamOptions): Promise<Response> {
  const left = new AbortController()
  const signal = AbortSignal.any([left.signal, options.signal, closingSignal()])
  const source = (await options.open(signal))[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  let next: Promise<IteratorResult<Entry<unknown>>> | null = null

  /** What comes within `wait`; asking again later misses nothing. */
  async function take(wait: Promise<null>): Promise<IteratorResult<Entry<unknown>> | null> {
    next ??= source.next()
    const result = await Promise.race([next, wait])
    if (result !== null) next = null
    return result
  }

  async function pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const heartbeat = timeout(options.heartbeatMs ?? 15_000)
    const first = await take(heartbeat.passed).finally(heartbeat.cancel)
    // The client left meanwhile: there is nobody to tell, and nothing to close.
    if (left.signal.aborted) return
    if (first === null) {
      controller.enqueue(encoder.encode(': still here\n\n'))
      return
    }
    let text = ''
    let result: typeof first | null = first
    // Whatever is there already goes out in one piece: a line of its own for each of 10,000 a second costs too much.
    while (result !== null && !result.done) {
      text += show(result.value)
      result = text.length < batchChars ? await take(immediately()) : null
    }
    if (left.signal.aborted) return
    if (text !== '') controller.enqueue(encoder.encode(text))
    if (result?.done) controller.close()
  }

  const body = new ReadableStream<Uint8Array>(
    {
      // Sent at once, so that the client knows that it is connected.
      start: (controller) => controller.enqueue(encoder.encode(`: connected\nretry: ${reconnectMs}\n\n`)),
      async pull(controller) {
        try {
          await pull(controller)
        } catch (error) {
          if (left.signal.aborted) return
          options.onError(error)
          left.abort()
          // An end, not an error: the client comes back by itself and goes on after the last event it has.
          controller.close()
        }
      },
      async cancel() {
        left.abort()
        await source.return?.()
      },
    },
    { highWaterMark: 1 },
  )
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      // Compression would hold events back.
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    },
  })
}

/** JSON has no line ends outside its escapes, so one `data:` line holds it. */
function show({ id, event }: Entry<unknown>): string {
  return `id: ${id}\ndata: ${JSON.stringify(event)}\n\n`
}

function timeout(ms: number): { passed: Promise<null>; cancel: () => void } {
  const { promise, resolve } = Promise.withResolvers<null>()
  const timer = setTimeout(resolve, ms, null)
  return { passed: promise, cancel: () => clearTimeout(timer) }
}

function immediately(): Promise<null> {
  return new Promise((resolve) => setImmediate(resolve, null))
}
