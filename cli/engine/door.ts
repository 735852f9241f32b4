/** The engine's door, from outside: asks the worker of this host over its Unix socket. */
import { closeSync, openSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { json, text } from 'node:stream/consumers'
import { type DoorError, type DoorLine, engineSocket } from '../../platform/model/engine-door.ts'
import { CommandError } from '../say.ts'
import { type HomeOptions, homeFolder, mustHaveSettings } from '../settings.ts'

export interface Ask {
  query?: Record<string, string | number | boolean | string[] | undefined>
  body?: unknown
  /** Instead of `body`: bytes, such as an archive. */
  upload?: Readable
  signal?: AbortSignal
}

export interface Door {
  /** The `data` of the answer. */
  ask<T>(method: string, path: string, options?: Ask): Promise<T>
  /** Each line of an answer that goes on for a while. */
  lines<T>(method: string, path: string, options?: Ask): AsyncGenerator<T>
  /** The result of work that reports while it goes on. */
  work<Progress, Result>(
    method: string,
    path: string,
    options: Ask & { onProgress?: (progress: Progress) => void },
  ): Promise<Result>
  /** An answer's bytes. */
  download(method: string, path: string, options?: Ask): Promise<IncomingMessage>
}

/** What the engine refused: its kind, and its sentence as the message. */
export class EngineRefusal extends CommandError {
  readonly kind: string

  constructor({ kind, message }: DoorError) {
    super(message)
    this.kind = kind
  }
}

export function openDoor(options: HomeOptions): Door {
  const home = homeFolder(options)
  const socket = join(home, engineSocket)

  async function download(method: string, path: string, ask: Ask = {}): Promise<IncomingMessage> {
    const response = await send(socket, method, path, ask).catch((error: NodeJS.ErrnoException) => {
      if (ask.signal?.aborted) throw error
      if (error.code === 'EACCES')
        throw new CommandError(`The engine of ${home} is root's alone: run this command as root (sudo).`)
      if (error.code === 'ENOENT') mustHaveSettings(home)
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED')
        throw new CommandError(
          `The engine of ${home} does not answer: its worker does not run. \`berth status\` says more; \`berth up\` starts it.`,
        )
      throw new CommandError(`The engine of ${home} does not answer (${error.message}).`)
    })
    if ((response.statusCode ?? 500) < 400) return response
    const said = await text(response)
    throw new EngineRefusal(
      errorIn(said) ?? { kind: 'internal', message: `The worker answered ${response.statusCode}.` },
    )
  }

  async function* lines<T>(method: string, path: string, ask?: Ask): AsyncGenerator<T> {
    const response = await download(method, path, ask)
    try {
      for await (const line of createInterface({ input: response, crlfDelay: Infinity })) {
        const value = JSON.parse(line) as T | { error: DoorError }
        if (typeof value === 'object' && value !== null && 'error' in value)
          throw new EngineRefusal(value.error)
        yield value as T
      }
      if (!response.complete) throw new CommandError('The worker stopped in the middle of its answer.')
    } finally {
      response.destroy()
    }
  }

  return {
    download,
    lines,
    async ask<T>(method: string, path: string, ask?: Ask): Promise<T> {
      const { data } = (await json(await download(method, path, ask))) as { data: T }
      return data
    },
    async work<Progress, Result>(
      method: string,
      path: string,
      ask: Ask & { onProgress?: (progress: Progress) => void },
    ): Promise<Result> {
      for await (const line of lines<DoorLine<Progress, Result>>(method, path, ask)) {
        if ('result' in line) return line.result
        if ('progress' in line) ask.onProgress?.(line.progress)
      }
      throw new CommandError('The worker stopped in the middle of its work.')
    },
  }
}

async function send(socket: string, method: string, path: string, ask: Ask): Promise<IncomingMessage> {
  const { query = {}, body, upload, signal } = ask
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [value].flat().map((each) => [key, String(each)]),
  )
  const search = given.length === 0 ? '' : `?${new URLSearchParams(given)}`
  // Through the folder's descriptor, because the address of a Unix socket has 107 bytes at most.
  const folder = openSync(dirname(socket), 'r')
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest(
      {
        socketPath: `/proc/self/fd/${folder}/${basename(socket)}`,
        method,
        path: `${path}${search}`,
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
        ...(signal === undefined ? {} : { signal }),
      },
      resolve,
    )
    request.once('error', reject)
    if (upload === undefined) request.end(body === undefined ? undefined : JSON.stringify(body))
    else upload.on('error', (error) => request.destroy(error)).pipe(request)
  })
  return answered.finally(() => closeSync(folder))
}

function errorIn(said: string): DoorError | null {
  try {
    return (JSON.parse(said) as { error?: DoorError }).error ?? null
  } catch {
    return null
  }
}
