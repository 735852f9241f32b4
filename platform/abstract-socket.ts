import { createHash } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

/**
 * Name of a Unix socket in the abstract namespace, by which parts of one Berth find each other: HAProxy as nobody need
 * not reach the state folder, and containers, which have a network namespace of their own, can't see it. HAProxy fills
 * such names up to their full length with zeros, which count: so this one has the full length itself (unix(7): 107
 * characters behind the zero). Programs write that zero as `@`, Node as `\0`.
 *
 * @param what of this Berth is reached there, in a word. @param folder one that no other Berth has.
 */
export function abstractSocketName(what: string, folder: string): string {
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 16)
  return `berth-${what}-${hash}`.padEnd(107, '-')
}

export interface SocketRequest {
  method?: string
  headers?: Record<string, string>
  body?: string | Buffer
  signal: AbortSignal
}

/** The answer of who listens by this name, whatever its status; redirects are not followed. Throws when there is none. */
export async function askSocket(
  name: string,
  /** Such as /v2/, with its query. */
  path: string,
  { method = 'GET', headers = {}, body, signal }: SocketRequest,
): Promise<Response> {
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest({
      socketPath: `\0${name}`,
      // A connection costs next to nothing here; one that is kept may be of a process that has ended.
      ...{ path, method, signal, agent: false, headers: { host: 'localhost', ...headers, ...length } },
    })
    // There may be more than one, and after the answer, too.
    request.on('error', reject)
    request.once('response', resolve)
    request.end(body)
  })
  const status = answer.statusCode ?? 502
  const isEmpty = method === 'HEAD' || [204, 205, 304].includes(status)
  if (isEmpty) answer.resume()
  const fields = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  )
  return new Response(isEmpty ? null : (Readable.toWeb(answer) as ReadableStream), {
    status,
    headers: fields,
  })
}
