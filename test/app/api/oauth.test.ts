import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT } from 'jose'
import type { NextApiRequest, NextApiResponse } from 'next'
import NextAuth from 'next-auth'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { authOptions } from '../../../app/_server/auth.ts'
import { openOAuth } from '../../../app/_server/open-oauth.ts'
import { cookieName, viewerFromCookie } from '../../../app/_server/session-cookie.ts'
import { createExchange } from '../../../app/_server/sign-in-exchange.ts'
import { requireTeam } from '../../../platform/access.ts'
import { invite } from '../../../platform/invitations.ts'
import { forgetDiscovery } from '../../../platform/sign-in/discovery.ts'
import { beginLink, listIdentities, unlinkIdentity } from '../../../platform/sign-in/identities.ts'
import { refusalOf } from '../../../platform/sign-in/outbound.ts'
import {
  createProvider,
  deleteProvider,
  listProviders,
  updateProvider,
} from '../../../platform/sign-in/providers.ts'
import { requireTwoFactorIn } from '../../../platform/team-two-factor.ts'
import { beginTwoFactor, confirmTwoFactor } from '../../../platform/two-factor.ts'
import { type OidcIssuer, startOidcIssuer } from '../../support/oidc-issuer.ts'
import { operator, type TestUser } from '../../support/platform.ts'
import { codeOf } from '../../support/totp.ts'
import { type ApiUnderTest, openApi } from './client.ts'

let berth: ApiUnderTest
let issuer: OidcIssuer
let other: OidcIssuer
const base = 'http://localhost:7080'
const rules = { letsRegister: true, linksByEmail: false, trustsEmail: false, allowsPrivate: true }

beforeAll(async () => {
  berth = await openApi()
  issuer = await startOidcIssuer({ redirectUris: [`${base}/api/auth/callback/corp`] })
  other = await startOidcIssuer({ redirectUris: [`${base}/api/auth/callback/other`] })
  await add('corp', issuer)
  await add('other', other)
})
afterAll(async () => {
  await issuer?.close()
  await other?.close()
  await berth?.close()
})
beforeEach(async () => {
  issuer.tamper = issuer.replace = null
  await updateProvider(berth.platform, operator, 'corp', rules)
})

const add = (id: string, at: OidcIssuer) =>
  createProvider(berth.platform, operator, {
    ...{ id, kind: 'oidc', name: id, issuer: at.url },
    ...{ clientId: at.client.id, clientSecret: at.client.secret, ...rules },
  })

type Jar = Record<string, string>

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

test('somebody signs in by an OpenID provider: an account at the first time, the same one ever after', async () => {
  const person = newPerson()
  const jar: Jar = {}
  expect(await signIn(jar, person)).toBe('/')
  const account = await accountOf(person.email)
  expect(account).toMatchObject({ name: person.name, passwordHash: null, isAdmin: false })
  expect(await viewer(jar)).toMatchObject({ kind: 'user', userId: account?.id })
  const again: Jar = {}
  // Another address there is no other person, and changes nothing here.
  expect(await signIn(again, { ...person, email: 'moved@corp.example' })).toBe('/')
  expect(await viewer(again)).toMatchObject({ userId: account?.id })
  expect(await accountOf('moved@corp.example')).toBeNull()
})

test('state, nonce and PKCE go to the provider, and after signing in one stays on this site', async () => {
  const asked = new URL(await begin({})).searchParams
  expect(asked.get('code_challenge_method')).toBe('S256')
  for (const name of ['state', 'nonce', 'code_challenge']) expect(asked.get(name)).toMatch(/^[\w-]{43}$/)
  const leads = [
    ['https://evil.example/x', '/'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    [`${base}.evil.example/`, '/'],
    ['/acme/shop?tab=logs', '/acme/shop?tab=logs'],
  ] as const
  for (const [callbackUrl, end] of leads) expect(await signIn({}, newPerson(), issuer, callbackUrl)).toBe(end)
})

test('an address that nobody verified opens and makes no account, unless the provider is trusted with that', async () => {
  const { platform } = berth
  const victim = await berth.makeUser()
  for (const claims of [{ email_verified: false }, { email_verified: undefined }, { email: undefined }]) {
    const jar: Jar = {}
    const person = { ...newPerson(), ...claims }
    expect(await signIn(jar, person)).toBe('/sign-in?error=email-unverified')
    expect(await viewer(jar)).toBeNull()
  }
  await updateProvider(platform, operator, 'corp', { linksByEmail: true })
  const forged = { ...newPerson(), email: victim.email, email_verified: false }
  expect(await signIn({}, forged)).toBe('/sign-in?error=email-unverified')
  expect(await platform.db.identity.count({ where: { userId: victim.id } })).toBe(0)
  await updateProvider(platform, operator, 'corp', { trustsEmail: true, linksByEmail: false })
  expect(await signIn({}, { ...newPerson(), email_verified: false })).toBe('/')
})

test('an equal address links nothing by itself; it does where the administrator said so of the provider', async () => {
  const { platform } = berth
  const user = await berth.makeUser()
  const person = { ...newPerson(), email: user.email }
  const jar: Jar = {}
  expect(await signIn(jar, person)).toBe('/sign-in?error=account-exists')
  expect(await viewer(jar)).toBeNull()
  await updateProvider(platform, operator, 'corp', { linksByEmail: true })
  expect(await signIn(jar, person)).toBe('/')
  expect(await viewer(jar)).toMatchObject({ userId: user.id })
})

test('whoever is signed in links an identity with his password, and never removes the last way to sign in', async () => {
  const { platform } = berth
  const user = await berth.makeUser()
  const jar = await signedIn(user)
  const self = await viewer(jar)
  if (self === null) throw new Error('not signed in')
  await expect(beginLink(platform, self, 'corp', { password: 'wrong' })).rejects.toMatchObject({
    fields: [{ path: 'password' }],
  })
  const link = cookieName(berth.config, 'link')
  const ticket = async () => (await beginLink(platform, self, 'corp', { password: user.password })).ticket
  const person = { ...newPerson(), email: 'private@elsewhere.example', email_verified: false }
  jar[link] = await ticket()
  expect(await signIn(jar, person)).toBe('/account?linked=done')
  expect(jar).not.toHaveProperty([link])
  expect(await viewer(jar)).toEqual(self)
  const elsewhere: Jar = {}
  expect(await signIn(elsewhere, person)).toBe('/')
  expect(await viewer(elsewhere)).toMatchObject({ userId: user.id })

  // A ticket of this session in another browser is worth nothing; nor is one for another provider, or one used before.
  const used = await ticket()
  expect(await signIn({ ...jar, [link]: used }, person)).toBe('/account?linked=done')
  for (const [cookies, at] of [
    [{ [link]: await ticket() }, issuer],
    [{ ...jar, [link]: await ticket() }, other],
    [{ ...jar, [link]: used }, issuer],
  ] as const)
    expect(await signIn({ ...cookies }, newPerson(), at)).toBe('/account?linked=expired')
  // An identity of somebody else stays his.
  const theirs = newPerson()
  await signIn({}, theirs)
  expect(await signIn({ ...jar, [link]: await ticket() }, theirs)).toBe('/account?error=identity-taken')

  const [identity, ...more] = await listIdentities(platform, self)
  expect([identity, more]).toMatchObject([{ provider: 'corp', email: person.email }, []])
  const hash = await platform.db.user.findUniqueOrThrow({ where: { id: user.id } })
  await platform.db.user.update({ where: { id: user.id }, data: { passwordHash: null } })
  await expect(unlinkIdentity(platform, self, identity?.id ?? '')).rejects.toMatchObject({ code: 'conflict' })
  await expect(
    unlinkIdentity(platform, (await berth.makeUser()).viewer, identity?.id ?? ''),
  ).rejects.toMatchObject({
    code: 'not-found',
  })
  await platform.db.user.update({ where: { id: user.id }, data: { passwordHash: hash.passwordHash } })
  await unlinkIdentity(platform, self, identity?.id ?? '')
  expect(await listIdentities(platform, self)).toEqual([])
  const actions = await platform.db.auditEvent.findMany({
    where: { targetId: user.id },
    orderBy: { id: 'asc' },
  })
  expect(actions.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['user.link-identity', 'user.unlink-identity']),
  )
})

test('a second factor and a team’s rule for one hold for those who come from a provider, too', async () => {
  const { platform } = berth
  const team = await berth.makeTeam()
  const user = await berth.makeUser({ teamId: team.id, role: 'owner' })
  await updateProvider(platform, operator, 'corp', { linksByEmail: true })
  const person = { ...newPerson(), email: user.email }
  const { secret } = await beginTwoFactor(platform, user.viewer, { password: user.password })
  await confirmTwoFactor(platform, user.viewer, { code: codeOf(secret) })
  const jar: Jar = {}
  expect(await signIn(jar, person, issuer, '/acme')).toBe('/sign-in?step=code&next=%2Facme')
  expect(await viewer(jar)).toBeNull()
  const csrfToken = await ask(jar, 'GET', 'csrf')
  const code = codeOf(secret, { ahead: true })
  await ask(jar, 'POST', 'callback/code', {}, { csrfToken, code, json: 'true' })
  expect(await viewer(jar)).toMatchObject({ userId: user.id })

  await requireTwoFactorIn(platform, user.viewer, team.id, true)
  const guest = newPerson()
  const guests: Jar = {}
  await signIn(guests, guest)
  const account = await accountOf(guest.email)
  await platform.db.membership.create({
    data: { teamId: team.id, userId: account?.id ?? '', role: 'viewer' },
  })
  const them = await viewer(guests)
  await expect(requireTeam(platform, them ?? operator, team.id, 'team.read')).rejects.toMatchObject({
    code: 'second-factor-needed',
  })
})

test('ID tokens for others, of others, expired, with another nonce or signed by others open nothing', async () => {
  const forgeries: [string, OidcIssuer['tamper'], OidcIssuer['replace']][] = [
    ['wrong audience', (claims) => ({ ...claims, aud: 'another-client' }), null],
    ['several audiences', (claims) => ({ ...claims, aud: ['berth', 'another-client'] }), null],
    ['issuer mix-up', (claims) => ({ ...claims, iss: other.url }), null],
    ['nonce of another sign-in', (claims) => ({ ...claims, nonce: 'n'.repeat(43) }), null],
    ['no nonce', ({ nonce: _, ...claims }) => claims, null],
    ['expired', (claims) => ({ ...claims, exp: Math.floor(Date.now() / 1_000) - 60 }), null],
    ['signed by another provider', null, async () => other.sign({ iss: issuer.url, aud: 'berth', sub: 'x' })],
    [
      'signed with the client’s secret',
      null,
      async () =>
        new SignJWT({ iss: issuer.url, aud: 'berth', sub: 'x' })
          .setProtectedHeader({ alg: 'HS256' })
          .setIssuedAt()
          .setExpirationTime('5m')
          .sign(new TextEncoder().encode(issuer.client.secret)),
    ],
    [
      'not signed',
      null,
      async (token) => `${btoa('{"alg":"none"}').replace(/=+$/, '')}.${token.split('.')[1]}.`,
    ],
  ]
  for (const [what, tamper, replace] of forgeries) {
    Object.assign(issuer, { tamper, replace })
    const jar: Jar = {}
    const person = newPerson()
    expect([what, await signIn(jar, person)]).toEqual([what, '/api/auth/error?error=OAuthCallback'])
    expect([what, await viewer(jar), await accountOf(person.email)]).toEqual([what, null, null])
  }
  issuer.tamper = issuer.replace = null
  expect(await signIn({}, newPerson())).toBe('/')
})

test('a code works once, in the browser and for the provider that it was asked for', async () => {
  issuer.person = newPerson()
  const failed = '/api/auth/error?error=OAuthCallback'
  const jar: Jar = {}
  const back = await issuer.visit(await begin(jar))
  const copy = { ...jar }
  // Another browser: no state of its own, or another one.
  expect(await comeBack({}, back)).toBe(failed)
  const stranger: Jar = {}
  await begin(stranger)
  expect(await comeBack(stranger, back)).toBe(failed)
  // The state was changed on the way, or names another issuer (RFC 9207).
  for (const [name, value] of [
    ['state', 'forged'],
    ['iss', other.url],
  ] as const) {
    const forged = new URL(back)
    forged.searchParams.set(name, value)
    expect([name, await comeBack({ ...copy }, forged)]).toEqual([name, failed])
  }
  const silent = new URL(back)
  silent.searchParams.delete('iss')
  expect(await comeBack({ ...copy }, silent)).toBe(failed)
  // Mixed up: the code and the cookies of one provider at the other's address.
  const mixed = new URL(back)
  mixed.pathname = '/api/auth/callback/other'
  expect(await comeBack({ ...copy }, mixed)).toBe(failed)
  expect(await accountOf(issuer.person.email ?? '')).toBeNull()
  expect(await comeBack(jar, back)).toBe('/')
  // Again, with the cookies of before.
  const replayed = { ...copy }
  expect(await comeBack(replayed, back)).toBe(failed)
  expect(await viewer(replayed)).toBeNull()
})

test('a session that was planted in the browser does not become somebody, and the one before ends', async () => {
  const planter = await berth.makeUser()
  const jar = await signedIn(planter)
  const planted = { ...jar }
  const person = newPerson()
  expect(await signIn(jar, person)).toBe('/')
  expect(await viewer(jar)).toMatchObject({ userId: (await accountOf(person.email))?.id })
  expect(await viewer(planted)).toBeNull()
})

test('nobody makes an account where registration is closed, but for who was invited; the suspended stay out', async () => {
  const { platform } = berth
  await updateProvider(platform, operator, 'corp', { letsRegister: false })
  const person = newPerson()
  expect(await signIn({}, person)).toBe('/sign-in?error=registration-closed')
  const team = await berth.makeTeam()
  await invite(platform, operator, team.id, { email: person.email })
  const jar: Jar = {}
  expect(await signIn(jar, person)).toBe('/')
  const account = await accountOf(person.email)
  await platform.db.user.update({ where: { id: account?.id }, data: { disabledAt: new Date() } })
  const again: Jar = {}
  expect(await signIn(again, person)).toBe('/sign-in?error=suspended')
  expect([await viewer(again), await viewer(jar)]).toEqual([null, null])
})

test('a provider that is away, or lies about who it is, is a sentence on the sign-in page and no more', async () => {
  const { platform } = berth
  const away = await startOidcIssuer({ redirectUris: [`${base}/api/auth/callback/away`] })
  await add('away', away)
  await away.close()
  forgetDiscovery()
  expect(await begin({}, 'away')).toBe('/sign-in?error=provider-unavailable')
  expect(await begin({}, 'unknown')).toBe('/sign-in?error=provider-gone')
  await deleteProvider(platform, operator, 'away')
  expect(await begin({}, 'away')).toBe('/sign-in?error=provider-gone')
})

test('a provider is asked within limits: not inside, not elsewhere, not for ever, not without end', async () => {
  const { platform } = berth
  const metadata = { issuer: '', authorization_endpoint: '', token_endpoint: '', jwks_uri: '' }
  const server: Server = createServer((request, response) => {
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const [, kind = ''] = request.url?.split('/') ?? []
    if (kind === 'elsewhere') return void response.writeHead(302, { location: `${issuer.url}/x` }).end()
    if (kind === 'circle') return void response.writeHead(302, { location: request.url }).end()
    if (kind === 'large') return void response.end(`{"issuer":"${'x'.repeat(1_100_000)}"}`)
    if (kind === 'text') return void response.end('<html>')
    if (kind === 'liar') {
      const whole = { ...metadata, authorization_endpoint: at, token_endpoint: at, jwks_uri: at }
      return void response.end(JSON.stringify({ ...whole, issuer: issuer.url }))
    }
    response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const tries = (at: string, allowsPrivate = true) =>
    createProvider(platform, operator, {
      ...{
        id: 'bad',
        kind: 'oidc',
        name: 'bad',
        issuer: at,
        clientId: 'x',
        clientSecret: 'x',
        allowsPrivate,
      },
    })
  try {
    for (const [at, why, allows] of [
      [`http://127.0.0.1:${port}/elsewhere`, 'leads to another host', true],
      [`http://127.0.0.1:${port}/circle`, 'round in circles', true],
      [`http://127.0.0.1:${port}/large`, 'larger than 1 MiB', true],
      [`http://127.0.0.1:${port}/text`, 'did not answer with JSON', true],
      [`http://127.0.0.1:${port}/liar`, 'speaks for the issuer', true],
      [`http://127.0.0.1:${port}/none`, 'answered 404', true],
      [issuer.url, 'without TLS', false],
      [issuer.url.replace('http:', 'https:'), 'private network', false],
      [`https://localhost:${port}`, 'private network', false],
      [`https://[::1]:${port}`, 'private network', false],
      ['http://169.254.169.254/', 'never asked', true],
      ['http://[::ffff:169.254.169.254]/', 'never asked', true],
    ] as const)
      await expect(tries(at, allows), at).rejects.toMatchObject({
        fields: [{ path: 'issuer', message: expect.stringContaining(why) }],
      })
  } finally {
    server.closeAllConnections()
    server.close()
  }
  const strict = { allowsPrivate: false }
  for (const address of ['10.1.2.3', '172.20.0.1', '192.168.1.1', '100.64.0.1', 'fd12::1', '::ffff:10.0.0.1'])
    expect([address, refusalOf(address, strict)]).toEqual([
      address,
      expect.stringContaining('private network'),
    ])
  for (const address of ['8.8.8.8', '172.32.0.1', '2606:4700::1'])
    expect([address, refusalOf(address, strict)]).toEqual([address, null])
})

test('GitHub’s own field for an address is believed in nothing: the list of verified ones counts', async () => {
  const { platform } = berth
  let emails = [{ email: 'octo@users.example', primary: true, verified: false }]
  const asked: string[] = []
  const github = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`.trim())
    response.setHeader('content-type', 'application/json')
    if (request.url?.endsWith('/access_token') === true)
      return void response.end(JSON.stringify({ access_token: 'gho_test', token_type: 'bearer', scope: '' }))
    if (request.url === '/api/v3/user/emails') return void response.end(JSON.stringify(emails))
    if (request.url === '/api/v3/user')
      return void response.end(
        JSON.stringify({ id: 583231, login: 'octo', name: null, email: 'victim@corp.example' }),
      )
    response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => github.listen(0, '127.0.0.1', resolve))
  const at = `http://127.0.0.1:${(github.address() as AddressInfo).port}`
  await createProvider(platform, operator, {
    ...{
      id: 'github',
      kind: 'github',
      name: 'GitHub',
      issuer: at,
      clientId: 'x',
      clientSecret: 'y',
      ...rules,
    },
  })
  const way = async (jar: Jar) => {
    const to = new URL(await begin(jar, 'github'))
    expect(to.href.startsWith(`${at}/login/oauth/authorize?`)).toBe(true)
    const back = new URL(`${base}/api/auth/callback/github?code=c`)
    back.searchParams.set('state', to.searchParams.get('state') ?? '')
    return comeBack(jar, back)
  }
  try {
    expect(await way({})).toBe('/sign-in?error=email-unverified')
    emails = [
      { email: 'Octo@Users.example', primary: true, verified: true },
      { email: 'other@users.example', primary: false, verified: true },
    ]
    const jar: Jar = {}
    expect(await way(jar)).toBe('/')
    expect(await viewer(jar)).toMatchObject({ userId: (await accountOf('octo@users.example'))?.id })
    expect(asked).toContain('GET /api/v3/user/emails Bearer gho_test')
    expect(await accountOf('victim@corp.example')).toBeNull()
  } finally {
    github.closeAllConnections()
    github.close()
    await platform.db.user.deleteMany({ where: { email: 'octo@users.example' } })
    await deleteProvider(platform, operator, 'github')
  }
})

test('a provider’s secret is told to nobody, is kept sealed, and goes to no other issuer', async () => {
  const { platform } = berth
  const list = await listProviders(platform, operator)
  expect(list.map(({ id, callbackUrl }) => [id, callbackUrl])).toEqual([
    ['corp', `${base}/api/auth/callback/corp`],
    ['other', `${base}/api/auth/callback/other`],
  ])
  const rows = await platform.db.signInProvider.findMany()
  const log = await platform.db.auditEvent.findMany({ where: { action: { contains: 'provider' } } })
  for (const told of [list, rows, log]) expect(JSON.stringify(told)).not.toContain(issuer.client.secret)
  await expect(updateProvider(platform, operator, 'corp', { issuer: other.url })).rejects.toMatchObject({
    fields: [{ path: 'clientSecret' }],
  })
  await expect(add('corp', issuer)).rejects.toMatchObject({ code: 'conflict' })
  // Somebody signs in by it alone.
  await expect(deleteProvider(platform, operator, 'corp')).rejects.toMatchObject({ code: 'conflict' })
})
