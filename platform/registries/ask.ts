/**
 * Questions to a registry elsewhere: whether a login is right, which tags there are, what a tag names. What is pulled the
 * engine pulls. Source: the OCI distribution specification, and Distribution's docs/spec/auth/token.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import type { Platform } from '../open.ts'
import { askOutside, type OutgoingAnswer, type OutgoingRequest } from '../outgoing.ts'
import { OutgoingError } from '../outgoing-agent.ts'
import { retryAfterMs } from '../retry-after.ts'
import { RegistryProblem } from './problem.ts'
import { checkRealm, type Reach, reachOf } from './reach.ts'

export interface Login {
  username: string
  password: string
}

export interface RegistryQuestion {
  /** As image names write it. */
  host: string
  /** Under /v2/, such as acme/shop/tags/list; empty: whether it lets us in. */
  path: string
  /** What the token is to be for; null: nothing. */
  repository: string | null
  login: Login | null
  method?: 'GET' | 'HEAD'
  accept?: string
  signal?: AbortSignal
}

const answerWithinMs = 10_000
const maxAnswerBytes = 4 * 2 ** 20

/** The answer, which is a success. Throws RegistryProblem, and what `signal` was aborted with. */
export async function askRegistry(platform: Platform, question: RegistryQuestion): Promise<OutgoingAnswer> {
  const reach = reachOf(platform, question.host)
  const url = `${reach.origin}/v2/${question.path}`
  const { method = 'GET', accept, login, signal } = question
  const ask = (authorization?: string) =>
    send(platform, reach, url, {
      ...{ method, signal },
      headers: { ...(accept ? { accept } : {}), ...(authorization ? { authorization } : {}) },
    })
  const first = await ask()
  // A registry that lets everybody in still knows a wrong password when it sees one.
  const isTest = question.path === '' && login !== null
  if (first.status !== 401) {
    if (!isTest) return expectSuccess(first, reach, login)
    return expectSuccess(await ask(basic(login)), reach, login)
  }
  const authorization = await authorize(platform, reach, first.headers, question)
  if (authorization === null) throw denied(reach, login)
  return expectSuccess(await ask(authorization), reach, login)
}

async function authorize(
  platform: Platform,
  reach: Reach,
  headers: IncomingHttpHeaders,
  { repository, login, signal }: RegistryQuestion,
): Promise<string | null> {
  const challenge = String(headers['www-authenticate'] ?? '')
  const bearer = /(?:^|,\s*)bearer\s+(.*)/i.exec(challenge)?.[1]
  if (bearer === undefined)
    return /(?:^|,\s*)basic\b/i.test(challenge) && login !== null ? basic(login) : null
  const { realm, service } = Object.fromEntries(
    [...bearer.matchAll(/([a-z]+)="([^"]*)"/gi)].map(([, name = '', value]) => [name.toLowerCase(), value]),
  )
  const url = checkRealm(realm ?? '', reach)
  if (service) url.searchParams.set('service', service)
  if (repository !== null) url.searchParams.append('scope', `repository:${repository}:pull`)
  if (login !== null) url.searchParams.set('account', login.username)
  const answer = await send(platform, reach, url, {
    headers: login === null ? {} : { authorization: basic(login) },
    signal,
  })
  const parsed = tokenSchema.safeParse(readJson(expectSuccess(answer, reach, login).text))
  const token = parsed.data?.token || parsed.data?.access_token
  if (!token) throw new RegistryProblem('invalid', `${reach.host} answered without a token.`)
  return `Bearer ${token}`
}

const printable = z.string().regex(/^[\x21-\x7e]*$/)
const tokenSchema = z.object({ token: printable.optional(), access_token: printable.optional() })

async function send(
  platform: Platform,
  { host, origin, ca, isListed, tokenServers }: Reach,
  address: string | URL,
  request: OutgoingRequest,
): Promise<OutgoingAnswer> {
  const url = new URL(address)
  const isKnown = url.hostname === new URL(origin).hostname || tokenServers.includes(url.origin)
  try {
    return await askOutside(platform.config, url, {
      ...{ ca, timeoutMs: answerWithinMs, maxBytes: maxAnswerBytes, ...request },
      isTrusted: isListed && isKnown,
    })
  } catch (error) {
    if (!(error instanceof OutgoingError)) throw error
    const who = url.origin === origin ? host : url.host
    throw new RegistryProblem('unavailable', `${who} ${error.message}.`, { cause: error })
  }
}

function expectSuccess(answer: OutgoingAnswer, reach: Reach, login: Login | null): OutgoingAnswer {
  const { status, headers } = answer
  const { host } = reach
  if (status >= 200 && status < 300) {
    if (/^text\/html/i.test(String(headers['content-type'] ?? '')))
      throw new RegistryProblem('invalid', `${host} answers with a web page: it is no registry.`)
    return answer
  }
  if (status === 401 || status === 403) throw denied(reach, login)
  if (status === 404)
    throw new RegistryProblem(
      'not-found',
      `${host} has nothing of that name. Check the image's name and tag.`,
    )
  if (status === 429) throw limited(host, headers, login)
  const waitMs = retryAfterMs(headers)
  if (status >= 500)
    throw new RegistryProblem('unavailable', `${host} failed with ${status}.`, { retryAfterMs: waitMs })
  throw new RegistryProblem('invalid', `${host} answers ${status}, which no registry should here.`)
}

function denied({ host }: Reach, login: Login | null): RegistryProblem {
  const why =
    login === null
      ? 'it is private, or not there. Keep a login for it in the team’s settings'
      : `the login ${login.username} is not right, or may not do this`
  return new RegistryProblem('denied', `${host} refuses access: ${why}.`)
}

function limited(host: string, headers: IncomingHttpHeaders, login: Login | null): RegistryProblem {
  const waitMs = retryAfterMs(headers)
  // `100;w=21600`: so many in so many seconds.
  const [, most, seconds] = /^(\d+);w=(\d+)/.exec(String(headers['ratelimit-limit'] ?? '')) ?? []
  const limit = most === undefined ? '' : `: ${most} pulls in ${Math.round(Number(seconds) / 3_600)} hours`
  const wait = waitMs === null ? 'Wait a while' : `Wait ${Math.max(1, Math.ceil(waitMs / 60_000))} minutes`
  const advice =
    login === null ? `${wait}, or keep a login for ${host} in the team's settings: it is allowed more` : wait
  return new RegistryProblem('limited', `${host} limits how often it is asked${limit}. ${advice}.`, {
    retryAfterMs: waitMs,
  })
}

function basic({ username, password }: Login): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

export function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
