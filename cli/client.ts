/** The REST API as a person, or as CI: by the address and the token that `berth login` keeps, or the environment has. */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { ApiError } from './api.ts'
import { CommandError } from './say.ts'

const loginSchema = z.object({ url: z.url(), token: z.string().min(1) })
export type Login = z.infer<typeof loginSchema>

/** Options of every command that speaks for a person. */
export interface LoginOptions {
  url?: string
}

export interface Client {
  /** Of the Berth that is spoken to. */
  readonly url: string
  get<T>(path: string, options?: { signal?: AbortSignal }): Promise<T>
  post<T>(path: string, body?: unknown): Promise<T>
  /** Answers with undefined where the API says nothing. */
  change<T = undefined>(method: 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T>
  /** A request as it is, with the token: for uploads and streams. Throws for what is no success. */
  fetch(path: string, init: RequestInit): Promise<Response>
}

type Environment = Record<string, string | undefined>

export function loginFile(environment: Environment = process.env): string {
  const folder = environment.XDG_CONFIG_HOME || join(homedir(), '.config')
  return join(folder, 'berth', 'login.json')
}

export function keepLogin(login: Login, file = loginFile()): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const fresh = `${file}.new`
  rmSync(fresh, { force: true })
  writeFileSync(fresh, `${JSON.stringify(login, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  chmodSync(fresh, 0o600)
  renameSync(fresh, file)
}

/** Whether there was one. */
export function forgetLogin(file = loginFile()): boolean {
  const was = existsSync(file)
  rmSync(file, { force: true })
  return was
}

/**
 * BERTH_URL and BERTH_TOKEN come before what is kept. A kept token is sent to the address that it was kept for and to no
 * other.
 */
export function findLogin({ url }: LoginOptions, environment: Environment = process.env): Login {
  const kept = readLogin(loginFile(environment))
  const asked = url ?? environment.BERTH_URL
  const address = asked === undefined || asked === '' ? kept?.url : originOf(asked)
  const token = environment.BERTH_TOKEN || (kept !== null && kept.url === address ? kept.token : undefined)
  if (address === undefined)
    throw new CommandError(
      'Which Berth? Sign in once with `berth login ADDRESS`, or set BERTH_URL and BERTH_TOKEN.',
    )
  if (token === undefined)
    throw new CommandError(
      `There is no token for ${address}: sign in with \`berth login ${address}\`, or set BERTH_TOKEN.`,
    )
  return { url: address, token }
}

/** Throws for what is no address of a web server. */
export function originOf(text: string): string {
  const full = /^[a-z]+:\/\//i.test(text) ? text : `https://${text}`
  const found = URL.parse(full)
  if (found === null || !/^https?:$/.test(found.protocol) || found.username !== '')
    throw new CommandError(
      `${JSON.stringify(text)} is no address of a Berth, such as https://berth.example.org`,
    )
  return found.origin
}

function readLogin(file: string): Login | null {
  if (!existsSync(file)) return null
  try {
    return loginSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    throw new CommandError(`${file} can't be read: sign in again with \`berth login ADDRESS\`.`, { cause })
  }
}

const answerWithinMs = 60_000

export function clientOf({ url, token }: Login): Client {
  async function send(path: string, init: RequestInit): Promise<Response> {
    const headers = { ...(init.headers as Record<string, string>), authorization: `Bearer ${token}` }
    // A redirect would take the token along to wherever it leads.
    const response = await fetch(`${url}/api/v1${path}`, { ...init, headers, redirect: 'manual' }).catch(
      (error: Error) => {
        if (init.signal?.aborted) throw init.signal.reason
        const cause = error.cause instanceof Error ? error.cause.message : error.message
        throw new CommandError(`${url} does not answer: ${cause || 'the connection was lost'}.`, {
          cause: error,
        })
      },
    )
    if (response.ok) return response
    const text = await response.text().catch(() => '')
    throw new ApiError(response.status, problemOf(text, response, url))
  }
  async function json<T>(path: string, init: RequestInit): Promise<T> {
    const within = AbortSignal.timeout(answerWithinMs)
    const signal = init.signal ? AbortSignal.any([init.signal, within]) : within
    const text = await (await send(path, { ...init, signal })).text()
    return (text === '' ? undefined : JSON.parse(text)) as T
  }
  return {
    url,
    fetch: send,
    get: (path, { signal } = {}) => json(path, { method: 'GET', signal }),
    post: (path, body = {}) => json(path, { method: 'POST', ...bodyOf(body) }),
    change: (method, path, body) => json(path, { method, ...(body === undefined ? {} : bodyOf(body)) }),
  }
}

function bodyOf(body: unknown): Pick<RequestInit, 'headers' | 'body'> {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

function problemOf(text: string, response: Response, url: string): { code?: string; detail?: string } {
  try {
    const problem: unknown = JSON.parse(text)
    if (typeof problem === 'object' && problem !== null) return problem
  } catch {
    // Then it is none of Berth's answers.
  }
  const to = response.headers.get('location')
  return {
    detail:
      to === null
        ? `${url} answered ${response.status}: is it the address of a Berth?`
        : `${url} leads to ${to}: give that address.`,
  }
}
