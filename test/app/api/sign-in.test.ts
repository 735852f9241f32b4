import type { NextApiRequest, NextApiResponse } from 'next'
import NextAuth from 'next-auth'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { authOptions } from '../../../app/_server/auth.ts'
import { cookieName, viewerFromCookie } from '../../../app/_server/session-cookie.ts'
import { createExchange } from '../../../app/_server/sign-in-exchange.ts'
import { beginTwoFactor, confirmTwoFactor } from '../../../platform/two-factor.ts'
import type { TestUser } from '../../support/platform.ts'
import { codeOf } from '../../support/totp.ts'
import { type ApiUnderTest, openApi } from './client.ts'

let berth: ApiUnderTest
let user: TestUser

beforeAll(async () => {
  berth = await openApi()
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
  const exchange = createExchange(berth.config, new Headers(headers), (name) => jar[name])
  const options = authOptions(berth.platform, exchange)
  await NextAuth(request as unknown as NextApiRequest, response as unknown as NextApiResponse, options)
  for (const cookie of [...set, ...exchange.setCookies]) {
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
  const { email } = await berth.makeUser()
  for (let i = 0; i < 6; i++) outcomes.push((await signIn({}, 'a wrong guess', { email })).redirect)
  expect(outcomes[4]).toContain('error=CredentialsSignin')
  const error = new URL(outcomes[5] ?? '').searchParams.get('error')
  const seconds = Number(/^rate-limited:(\d+)$/.exec(error ?? '')?.[1])
  expect(seconds).toBeGreaterThan(20)
  expect(seconds).toBeLessThanOrEqual(30)
})

test('who was signed in before is not any more, and a planted cookie does not become somebody', async () => {
  const planted: Jar = {}
  const other = await berth.makeUser()
  await signIn(planted, other.password, { email: other.email })
  const before = { ...planted }
  const key = cookieName(berth.config, 'session')
  await signIn(planted, user.password)
  expect(planted[key]).not.toBe(before[key])
  expect(await viewer(planted)).toMatchObject({ userId: user.id })
  expect(await viewer(before)).toBeNull()
})

test('nobody is signed in or out, and no code is taken, without the csrf token of the same browser', async () => {
  const jar: Jar = {}
  await signIn(jar, user.password)
  const foreign = await csrf({})
  for (const csrfToken of ['', 'guessed', foreign]) {
    await ask(jar, 'POST', 'signout', { csrfToken })
    expect(await viewer(jar)).toMatchObject({ userId: user.id })
    const victim: Jar = {}
    await csrf(victim)
    const answer = await ask(victim, 'POST', 'callback/credentials', {
      ...{ csrfToken, email: user.email, password: user.password },
    })
    expect(answer.redirect).toContain('csrf=true')
    expect((await ask(victim, 'POST', 'callback/code', { csrfToken, code: '000000' })).redirect).toContain(
      'csrf=true',
    )
    expect(await viewer(victim)).toBeNull()
  }
  await ask(jar, 'GET', 'signout')
  expect(await viewer(jar)).toMatchObject({ userId: user.id })
})

test('with a second factor the password alone makes nobody; its ticket works once, in that browser', async () => {
  const person = await berth.makeUser()
  const { secret } = await beginTwoFactor(berth.platform, person.viewer, { password: person.password })
  await confirmTwoFactor(berth.platform, person.viewer, { code: codeOf(secret) })
  const jar: Jar = {}
  const first = await signIn(jar, person.password, { email: person.email })
  expect(first.redirect).toContain('error=second-step')
  expect(await viewer(jar)).toBeNull()
  const step = jar[cookieName(berth.config, 'step')]
  const withCode = async (target: Jar, code: string) =>
    (await ask(target, 'POST', 'callback/code', { csrfToken: await csrf(target), code })).redirect
  expect(await withCode({}, codeOf(secret, { ahead: true }))).toContain('error=step-gone')
  expect(await withCode(jar, '000000')).toContain('error=CredentialsSignin')
  const copy = { ...jar }
  expect(await withCode(jar, codeOf(secret, { ahead: true }))).toBe('http://localhost:7080/')
  expect(await viewer(jar)).toMatchObject({ userId: person.id })
  expect(jar).not.toHaveProperty([cookieName(berth.config, 'step')])
  await berth.platform.db.twoFactor.update({ where: { userId: person.id }, data: { lastStep: 0 } })
  expect(copy[cookieName(berth.config, 'step')]).toBe(step)
  expect(await withCode(copy, codeOf(secret))).toContain('error=step-gone')
})

test('where Berth’s own links are by HTTPS, all its cookies go by HTTPS alone', () => {
  const config = { ...berth.config, publicUrl: 'https://berth.example.org' }
  const exchange = createExchange(config, new Headers(), () => undefined)
  exchange.setCookie('device', 'x', 60)
  expect(exchange.setCookies).toEqual([expect.stringMatching(/; HttpOnly; SameSite=Lax; Secure$/)])
  const { cookies = {} } = authOptions({ ...berth.platform, config }, exchange)
  for (const cookie of Object.values(cookies)) expect(cookie?.options.secure).toBe(true)
})
