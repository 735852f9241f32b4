/** HTTP over the engine's Unix socket. */
import { closeSync, openSync } from 'node:fs'
import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import { basename, dirname } from 'node:path'
import type { Duplex, Readable } from 'node:stream'

export interface Ask {
  query?: Record<string, string | number | boolean | string[] | undefined>
  body?: unknown
  /** Instead of `body`: bytes, such as an archive. */
  upload?: Readable
  signal?: AbortSignal
}

/** Answers with what the socket's owner answers, whatever its status. */
export function send(socket: string, method: string, path: string, ask: Ask): Promise<IncomingMessage> {
  const { query = {}, body, upload, signal } = ask
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [value].flat().map((each) => [key, String(each)]),
  )
  const search = given.length === 0 ? '' : `?${new URLSearchParams(given)}`
  const headers = body === undefined ? {} : { 'content-type': 'application/json' }
  const options = { method, path: `${path}${search}`, headers, ...(signal === undefined ? {} : { signal }) }
  return connected(socket, options, (request, resolve) => {
    request.once('response', resolve)
    if (upload === undefined) request.end(body === undefined ? undefined : JSON.stringify(body))
    else upload.on('error', (error) => request.destroy(error)).pipe(request)
  })
}

/** The connection itself, once the owner has agreed; its answer when it has not. */
export function upgrade(
  socket: string,
  path: string,
  headers: Record<string, string>,
): Promise<Duplex | IncomingMessage> {
  return connected<Duplex | IncomingMessage>(socket, { path, headers }, (request, resolve) => {
    request.once('response', resolve)
    request.once('upgrade', (_answer, connection, head) => {
      connection.unshift(head)
      resolve(connection)
    })
    request.end()
  })
}

function connected<T>(
  socket: string,
  options: RequestOptions,
  ask: (request: ClientRequest, resolve: (value: T) => void) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    // Through the folder's descriptor, because the address of a Unix socket has 107 bytes at most.
    const folder = openSync(dirname(socket), 'r')
    const request = httpRequest({ ...options, socketPath: `/proc/self/fd/${folder}/${basename(socket)}` })
    request.once('error', reject)
    request.once('close', () => closeSync(folder))
    ask(request, resolve)
  })
}
