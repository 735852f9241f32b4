import { inject } from 'vitest'
import { createApi } from '../../../app/api/v1/_routes/api.ts'
import type { Viewer } from '../../../platform/access.ts'
import type { Role } from '../../../platform/model/roles.ts'
import { createToken } from '../../../platform/tokens.ts'
import { openTestPlatform, type TestPlatform, type TestPlatformOptions } from '../../support/platform.ts'

/** The fields that tests read; what a route really answers is compared as a whole. */
export interface Body {
  id: string
  slug: string
  secret: string
  url: string
  code: string
  detail: string
  requestId: string
  errors: { path: string; message: string }[]
  data: Body[]
  nextCursor: string | null
  links: { self: string; events: string }
  [field: string]: unknown
}

export interface Answer {
  status: number
  headers: Headers
  body: Body
}

/** One caller: `call('POST /teams', {name})`. */
export type Call = (route: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>

export interface ApiUnderTest extends TestPlatform {
  fetch(path: string, init?: RequestInit): Promise<Response>
  nobody: Call
  operator: Call
  /** A person in a team, by a token of hers. */
  member(teamId: string, role: Role): Promise<{ call: Call; viewer: Viewer; token: string; id: string }>
  withToken(token: string): Call
}

export async function openApi(
  options: Pick<TestPlatformOptions, 'privateHosts'> = {},
): Promise<ApiUnderTest> {
  const servers = { postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') }
  const test = await openTestPlatform(servers, { ...options, registryKey: true })
  const api = createApi(test.platform)
  const fetch = async (path: string, init?: RequestInit) =>
    api.fetch(new Request(`http://localhost:7080/api/v1${path}`, init))

  const as =
    (fixed: Record<string, string>): Call =>
    async (route, body, headers = {}) => {
      const [method = 'GET', path = ''] = route.split(' ')
      const json: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
      const response = await fetch(path, {
        method,
        headers: { ...fixed, ...json, ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      return {
        status: response.status,
        headers: response.headers,
        body: text === '' ? null : JSON.parse(text),
      }
    }
  const withToken = (token: string) => as({ authorization: `Bearer ${token}` })

  return {
    ...test,
    fetch,
    withToken,
    nobody: as({}),
    operator: withToken(test.config.readSecret('operator.token')),
    async member(teamId, role) {
      const { id, viewer } = await test.makeUser({ teamId, role })
      const { secret } = await createToken(test.platform, viewer, { name: 'test', role: 'owner' })
      return { call: withToken(secret), viewer, token: secret, id }
    },
  }
}
