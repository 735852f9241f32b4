import { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Duplex } from 'node:stream'
import { json, text } from 'node:stream/consumers'
import { type DoorError, type DoorLine, engineSocket } from '../../platform/model/engine-door.ts'
import { type ExecRequest, execHeader, execProtocol } from '../../platform/model/exec-frames.ts'
import { CommandError } from '../say.ts'
import { type HomeOptions, homeFolder, mustHaveSettings } from '../settings.ts'
import { type Ask, send, upgrade } from './connection.ts'

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
  /** A connection on which frames of a process go both ways. */
  exec(path: string, request: ExecRequest): Promise<Duplex>
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

/** What is asked for; where the engine has no such thing, what `otherwise` gives. */
export async function orWithout<T>(asked: Promise<T>, otherwise: () => Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    if (!(error instanceof EngineRefusal) || error.kind !== 'not-found') throw error
    return otherwise()
  }
}

export function openDoor(options: HomeOptions): Door {
  const home = homeFolder(options)
  const socket = join(home, engineSocket)

  async function exec(path: string, spec: ExecRequest): Promise<Duplex> {
    const headers = {
      connection: 'Upgrade',
      upgrade: execProtocol,
      [execHeader]: Buffer.from(JSON.stringify(spec)).toString('base64url'),
    }
    const answer = await reach(upgrade(socket, path, headers))
    if (answer instanceof IncomingMessage) throw await refusal(answer)
    return answer
  }

  /** What it answers, or a sentence about why it does not. */
  async function reach<T>(answered: Promise<T>, signal?: AbortSignal): Promise<T> {
    return answered.catch((error: NodeJS.ErrnoException) => {
      if (signal?.aborted) throw error
      if (error.code === 'EACCES')
        throw new CommandError(`The engine of ${home} is root's alone: run this command as root (sudo).`)
      if (error.code === 'ENOENT') mustHaveSettings(home)
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED')
        throw new CommandError(
          `The engine of ${home} does not answer: its worker does not run. \`berth status\` says more; \`berth up\` starts it.`,
        )
      throw new CommandError(`The engine of ${home} does not answer (${error.message}).`)
    })
  }

  async function download(method: string, path: string, ask: Ask = {}): Promise<IncomingMessage> {
    const response = await reach(send(socket, method, path, ask), ask.signal)
    if ((response.statusCode ?? 500) < 400) return response
    throw await refusal(response)
  }

  async function refusal(response: IncomingMessage): Promise<EngineRefusal> {
    const said = await text(response)
    return new EngineRefusal(
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
    exec,
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

function errorIn(said: string): DoorError | null {
  try {
    return (JSON.parse(said) as { error?: DoorError }).error ?? null
  } catch {
    return null
  }
}
