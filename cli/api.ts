/** The REST API as the operator: on the loopback port of the web app, with the token in the home folder. */
import { CommandError } from './say.ts'
import { readSecret, type Settings } from './settings.ts'

export interface Api {
  get<T>(path: string): Promise<T>
  post<T>(path: string, body?: unknown): Promise<T>
  patch<T>(path: string, body: unknown): Promise<T>
}

interface Problem {
  code?: string
  detail?: string
  errors?: { path: string; message: string }[]
}

/** A refusal of the API. */
export class ApiError extends CommandError {
  readonly status: number
  readonly code: string

  constructor(status: number, problem: Problem) {
    const fields = (problem.errors ?? []).map(({ path, message }) => `${path} ${message}`)
    super([problem.detail ?? `The API answered ${status}.`, ...fields].join('\n  '))
    this.status = status
    this.code = problem.code ?? 'unknown'
  }
}

export function operatorApi(home: string, settings: Settings): Api {
  const token = readSecret(home, 'operator.token')
  async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${settings.webPort}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    }).catch((error: Error) => {
      throw new CommandError(
        `The API of this Berth does not answer (${error.message}): is it running? \`berth status\` says.`,
      )
    })
    const text = await response.text()
    const json = text === '' ? {} : (JSON.parse(text) as unknown)
    if (!response.ok) throw new ApiError(response.status, json as Problem)
    return json as T
  }
  return {
    get: (path) => ask('GET', path),
    post: (path, body = {}) => ask('POST', path, body),
    patch: (path, body) => ask('PATCH', path, body),
  }
}
