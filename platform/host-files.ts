/** The web app's side of the socket on which a host's worker serves files. */
import { closeSync, openSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { basename, dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { json } from 'node:stream/consumers'
import { z } from 'zod'
import { PlatformError, type ProblemCode } from './errors.ts'
import { filesSocket } from './model/files.ts'
import type { Platform } from './open.ts'

export interface FileRequest {
  hostId: string
  method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** Such as volumes/vol_1/list. */
  path: string
  query: Record<string, string | undefined>
  /** By whom what is under way is counted. */
  person: string
  body?: Readable
  signal?: AbortSignal
}

const errorSchema = z.object({ error: z.object({ kind: z.string(), message: z.string() }) })

/** What the engine's kinds of error are to whoever asks; every other one is none of theirs. */
const codes: Record<string, ProblemCode> = {
  invalid: 'invalid',
  'not-found': 'not-found',
  'already-exists': 'conflict',
  'failed-precondition': 'conflict',
  'disk-full': 'conflict',
  unsupported: 'conflict',
  'rate-limited': 'rate-limited',
}

/**
 * Asks the worker of a host. Throws a PlatformError with its sentence, and `unavailable` where it does not answer.
 * @param tooMuch what limit-exceeded means here: too large to be sent, or no space.
 */
export async function askFiles(
  platform: Platform,
  asked: FileRequest,
  tooMuch: 'too-large' | 'conflict' = 'conflict',
): Promise<IncomingMessage> {
  if (asked.hostId !== platform.config.hostId) throw elsewhere()
  const answer = await send(join(platform.config.home, filesSocket), asked).catch((cause) => {
    const reason = asked.signal?.reason
    if (reason instanceof PlatformError) throw reason
    if (asked.signal?.aborted) throw new PlatformError('bad-request', 'The transfer was given up.', { cause })
    throw noAnswer(cause)
  })
  if (answer.statusCode === 200) return answer
  const parsed = errorSchema.safeParse(await json(answer).catch(() => null))
  if (!parsed.success) throw noAnswer()
  const { kind, message } = parsed.data.error
  const code = kind === 'limit-exceeded' ? tooMuch : codes[kind]
  if (code !== undefined) throw new PlatformError(code, sentence(message))
  throw new PlatformError('unavailable', 'The host could not work on these files. Its log says why.')
}

function send(
  socket: string,
  { method, path, query, person, body, signal }: FileRequest,
): Promise<IncomingMessage> {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return new Promise((resolve, reject) => {
    // Through the folder's descriptor, because the address of a Unix socket has 107 bytes at most.
    const folder = openSync(dirname(socket), 'r')
    const request = httpRequest({
      ...{ method, path: `/${path}?${new URLSearchParams(given)}`, agent: false },
      socketPath: `/proc/self/fd/${folder}/${basename(socket)}`,
      headers: { 'x-berth-person': encodeURIComponent(person) },
      ...(signal === undefined ? {} : { signal }),
    })
    // There may be more than one, and after the answer, too.
    request.on('error', reject)
    request.once('close', () => closeSync(folder))
    request.once('response', resolve)
    if (body === undefined) request.end()
    else body.on('error', (error) => request.destroy(error)).pipe(request)
  })
}

const sentence = (message: string) => (/[.?!]$/.test(message) ? message : `${message}.`)

/** The socket is no way to another host; with one's own, everything is as it should be. */
function elsewhere(): PlatformError {
  return new PlatformError(
    'unavailable',
    'These files are on another host. Ask the Berth that runs on that host: files do not travel between hosts.',
  )
}

function noAnswer(cause?: unknown): PlatformError {
  return new PlatformError(
    'unavailable',
    'The host that has these files does not answer at the moment. Try again in a while.',
    { cause },
  )
}
