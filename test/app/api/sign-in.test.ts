import type { NextApiRequest, NextApiResponse } from 'next'
import NextAuth, { type AuthOptions } from 'next-auth'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { authOptions } from '../../../app/_server/auth.ts'
import { cookieName, viewerFromCookie } from '../../../app/_server/session-cookie.ts'
import type { TestUser } from '../../support/platform.ts'
import { type ApiUnderTest, openApi } from './client.ts'

let berth: ApiUnderTest
let options: AuthOptions
let user: TestUser

beforeAll(async () => {
  berth = await openApi()
  options = authOptions(berth.platform)
  user = await berth.makeUser()
})
afterAll(() => berth?.close())

type Jar = Record<string, string>

interface Answer {
  redirect: string
  body: unknown
}

/** As the browser asks next-auth, with the cookies that it keeps. */
async function ask(
  jar: Jar,
  method: string,
  path: string,
  body: Record<string, string> = {},
): Promise<Answer> {
  const answer: Answer = { redirect: '', body: null }
  const set: string[] = []
  const response = {
    getHeader: () => set.splice(0),
    setHeader(name: string, value: string | string[]) {
      if (name === 'Location') answer.redirect = String(value)
      if (name.toLowerCase() === 'set-cookie') set.push(...[value].flat())
      return response
    },
    status: () => response,
    end: () => {},
    send: (sent: unknown) => {
      answer.body = sent
    },
  }
  const headers = { host: 'localhost:7080', 'user-agent': 'a test', 'x-forwarded-for': '203.0.113.5' }
  const request = { method, query: { nextauth: path.split('/') }, body, cookies: jar, headers }
  await NextAuth(request as unknown as NextApiRequest, response as unknown as NextApiResponse, options)
  for (const cookie of set) {
    expect(cookie).toMatch(/; Path=\/;.*HttpOnly; SameSite=Lax$/)
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
    if (value === '') delete jar[name]
    else jar[name] = decodeURIComponent(value)
  }
  return answer
}

async function csrf(jar: Jar): Promise<string> {
  const { body } = await ask(jar, 'GET', 'csrf')
  return (body as { csrfToken: string }).csrfToken
}

async function signIn(jar: Jar, password: string, more: Record<string, string> = {}) {
  const csrfToken = await csrf(jar)
  return ask(jar, 'POST', 'callback/credentials', { csrfToken, email: user.email, password, ...more })
}

const viewer = (jar: Jar) => viewerFromCookie(berth.platform, jar[cookieName(berth.config, 'session')])

test('signing in makes a session that signing out ends, for copies of the cookie too', async () => {
  const jar: Jar = {}
  await signIn(jar, user.password)
  const signedIn = await viewer(jar)
  expect(signedIn).toMatchObject({ kind: 'user', userId: user.id })
  const session = await ask({ ...jar }, 'GET', 'session')
  expect(session.body).toMatchObject({ user: { email: user.email } })
  const copy = { ...jar }
  await ask(jar, 'POST', 'signout', { csrfToken: await csrf(jar) })
  expect(jar).not.toHaveProperty([cookieName(berth.config, 'session')])
  expect(await viewer(copy)).toBeNull()
  expect((await ask(copy, 'GET', 'session')).body).not.toHaveProperty('user')
})

test('a wrong password, a missing csrf token and a forged cookie make nobody', async () => {
  const wrong: Jar = {}
  expect((await signIn(wrong, 'not the password')).redirect).toContain('error=CredentialsSignin')
  const forged: Jar = {}
  await signIn(forged, user.password, { csrfToken: 'guessed' })
  for (const jar of [wrong, forged, { [cookieName(berth.config, 'session')]: 'nonsense' }]) {
    expect(await viewer(jar)).toBeNull()
  }
})

test('whoever signs in stays on this site, wherever the link wants to lead', async () => {
  const leads = [
    ['https://evil.example/x', 'http://localhost:7080/'],
    ['//evil.example', 'http://localhost:7080/'],
    ['http://localhost:7080.evil.example/', 'http://localhost:7080/'],
    ['/acme/shop?tab=logs', 'http://localhost:7080/acme/shop?tab=logs'],
  ] as const
  for (const [callbackUrl, end] of leads) {
    expect((await signIn({}, user.password, { callbackUrl })).redirect).toBe(end)
  }
})

test('guessing at one account ends with a word of its own, which says when to try again', async () => {
  const outcomes: string[] = []
  for (let i = 0; i < 12; i++) outcomes.push(String((await signIn({}, 'a wrong guess')).redirect))
  expect(outcomes[0]).toContain('error=CredentialsSignin')
  const error = new URL(outcomes.at(-1) ?? '').searchParams.get('error')
  const seconds = Number(/^rate-limited:(\d+)$/.exec(error ?? '')?.[1])
  expect(seconds).toBeGreaterThan(840)
  expect(seconds).toBeLessThanOrEqual(900)
  expect(await viewer({})).toBeNull()
})
