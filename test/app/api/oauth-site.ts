/** next-auth as the dashboard uses it, two real OpenID providers, and browsers that are their cookies. */
import type { NextApiRequest, NextApiResponse } from 'next'
import NextAuth from 'next-auth'
import { expect } from 'vitest'
import { authOptions } from '../../../app/_server/auth.ts'
import { openOAuth } from '../../../app/_server/open-oauth.ts'
import { cookieName, viewerFromCookie } from '../../../app/_server/session-cookie.ts'
import { createExchange } from '../../../app/_server/sign-in-exchange.ts'
import { createProvider, updateProvider } from '../../../platform/sign-in/providers.ts'
import { type OidcIssuer, startOidcIssuer } from '../../support/oidc-issuer.ts'
import { operator, type TestUser } from '../../support/platform.ts'
import { openApi } from './client.ts'

export const base = 'http://localhost:7080'
export const rules = { letsRegister: true, linksByEmail: false, trustsEmail: false, allowsPrivate: true }

export type Jar = Record<string, string>
export type OAuthSite = Awaited<ReturnType<typeof openOAuthSite>>

export async function openOAuthSite() {
  const berth = await openApi()
  const issuer = await startOidcIssuer({ redirectUris: [`${base}/api/auth/callback/corp`] })
  const other = await startOidcIssuer({ redirectUris: [`${base}/api/auth/callback/other`] })

  const add = (id: string, at: OidcIssuer) =>
    createProvider(berth.platform, operator, {
      ...{ id, kind: 'oidc', name: id, issuer: at.url },
      ...{ clientId: at.client.id, clientSecret: at.client.secret, ...rules },
    })

  /** As the browser asks next-auth, with the cookies that it keeps; answers where it is led. */
  async function ask(jar: Jar, method: string, path: string, query = {}, body = {}): Promise<string> {
    let led = ''
    const set: string[] = []
    const response = {
      getHeader: () => set.splice(0),
      setHeader(name: string, value: string | string[]) {
        if (name === 'Location') led = String(value)
        if (name.toLowerCase() === 'set-cookie') set.push(...[value].flat())
        return response
      },
      status: () => response,
      end: () => {},
      json: ({ url }: { url: string }) => {
        led = url
      },
      send: (sent: { csrfToken?: string; url?: string }) => {
        led = sent.csrfToken ?? sent.url ?? ''
      },
    }
    const headers = { host: 'localhost:7080', 'user-agent': 'a test', 'x-forwarded-for': '203.0.113.5' }
    const nextauth = path.split('/')
    const request = { method, query: { nextauth, ...query }, body, cookies: jar, headers }
    const exchange = createExchange(berth.config, new Headers(headers), (name) => jar[name])
    const oauth = await openOAuth(berth.platform, nextauth)
    if (typeof oauth === 'string') return `/sign-in?error=${oauth}`
    const options = authOptions(berth.platform, exchange, oauth)
    await NextAuth(request as unknown as NextApiRequest, response as unknown as NextApiResponse, options)
    for (const cookie of [...set, ...exchange.setCookies]) {
      expect(cookie).toMatch(/; Path=\/;.*HttpOnly; SameSite=Lax$/)
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (value === '') delete jar[name]
      else jar[name] = decodeURIComponent(value)
    }
    return led.replace(base, '')
  }

  /** Where the button leads. */
  async function begin(jar: Jar, id = 'corp', callbackUrl = '/'): Promise<string> {
    const csrfToken = await ask(jar, 'GET', 'csrf')
    return ask(jar, 'POST', `signin/${id}`, {}, { csrfToken, callbackUrl, json: 'true' })
  }

  const comeBack = (jar: Jar, to: URL) =>
    ask(jar, 'GET', to.pathname.replace('/api/auth/', ''), Object.fromEntries(to.searchParams))

  /** The whole way. */
  async function signIn(
    jar: Jar,
    person: OidcIssuer['person'],
    at = issuer,
    callbackUrl = '/',
  ): Promise<string> {
    at.person = person
    return comeBack(jar, await at.visit(await begin(jar, at === issuer ? 'corp' : 'other', callbackUrl)))
  }

  const viewer = (jar: Jar) => viewerFromCookie(berth.platform, jar[cookieName(berth.config, 'session')])

  let made = 0
  const newPerson = () => {
    const sub = `person-${++made}`
    return { sub, email: `${sub}@corp.example`, email_verified: true, name: `Person ${made}` }
  }

  const accountOf = (email: string) => berth.platform.db.user.findUnique({ where: { email } })

  async function signedIn(user: TestUser): Promise<Jar> {
    const jar: Jar = {}
    const csrfToken = await ask(jar, 'GET', 'csrf')
    const { email, password } = user
    await ask(jar, 'POST', 'callback/credentials', {}, { csrfToken, email, password, json: 'true' })
    return jar
  }

  await add('corp', issuer)
  await add('other', other)
  return {
    ...{ berth, issuer, other, add, ask, begin, comeBack, signIn, viewer, newPerson, accountOf, signedIn },
    /** As at the beginning of each test. */
    async reset() {
      issuer.tamper = issuer.replace = null
      await updateProvider(berth.platform, operator, 'corp', rules)
    },
    async close() {
      await issuer.close()
      await other.close()
      await berth.close()
    },
  }
}
