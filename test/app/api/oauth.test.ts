import { SignJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { cookieName } from '../../../app/_server/session-cookie.ts'
import { requireTeam } from '../../../platform/access.ts'
import { invite } from '../../../platform/invitations.ts'
import { beginLink, listIdentities, unlinkIdentity } from '../../../platform/sign-in/identities.ts'
import { updateProvider } from '../../../platform/sign-in/providers.ts'
import { requireTwoFactorIn } from '../../../platform/team-two-factor.ts'
import { beginTwoFactor, confirmTwoFactor } from '../../../platform/two-factor.ts'
import type { OidcIssuer } from '../../support/oidc-issuer.ts'
import { operator } from '../../support/platform.ts'
import { codeOf } from '../../support/totp.ts'
import { base, type Jar, type OAuthSite, openOAuthSite } from './oauth-site.ts'

let site: OAuthSite

beforeAll(async () => {
  site = await openOAuthSite()
})
afterAll(() => site?.close())
beforeEach(() => site.reset())

test('somebody signs in by an OpenID provider: an account at the first time, the same one ever after', async () => {
  const person = site.newPerson()
  const jar: Jar = {}
  expect(await site.signIn(jar, person)).toBe('/')
  const account = await site.accountOf(person.email)
  expect(account).toMatchObject({ name: person.name, passwordHash: null, isAdmin: false })
  expect(await site.viewer(jar)).toMatchObject({ kind: 'user', userId: account?.id })
  const again: Jar = {}
  // Another address there is no other person, and changes nothing here.
  expect(await site.signIn(again, { ...person, email: 'moved@corp.example' })).toBe('/')
  expect(await site.viewer(again)).toMatchObject({ userId: account?.id })
  expect(await site.accountOf('moved@corp.example')).toBeNull()
})

test('state, nonce and PKCE go to the provider, and after signing in one stays on this site', async () => {
  const asked = new URL(await site.begin({})).searchParams
  expect(asked.get('code_challenge_method')).toBe('S256')
  for (const name of ['state', 'nonce', 'code_challenge']) expect(asked.get(name)).toMatch(/^[\w-]{43}$/)
  const leads = [
    ['https://evil.example/x', '/'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    [`${base}.evil.example/`, '/'],
    ['/acme/shop?tab=logs', '/acme/shop?tab=logs'],
  ] as const
  for (const [callbackUrl, end] of leads)
    expect(await site.signIn({}, site.newPerson(), site.issuer, callbackUrl)).toBe(end)
})

test('an address that nobody verified opens and makes no account, unless the provider is trusted with that', async () => {
  const { platform } = site.berth
  const victim = await site.berth.makeUser()
  for (const claims of [{ email_verified: false }, { email_verified: undefined }, { email: undefined }]) {
    const jar: Jar = {}
    const person = { ...site.newPerson(), ...claims }
    expect(await site.signIn(jar, person)).toBe('/sign-in?error=email-unverified')
    expect(await site.viewer(jar)).toBeNull()
  }
  await updateProvider(platform, operator, 'corp', { linksByEmail: true })
  const forged = { ...site.newPerson(), email: victim.email, email_verified: false }
  expect(await site.signIn({}, forged)).toBe('/sign-in?error=email-unverified')
  expect(await platform.db.identity.count({ where: { userId: victim.id } })).toBe(0)
  await updateProvider(platform, operator, 'corp', { trustsEmail: true, linksByEmail: false })
  expect(await site.signIn({}, { ...site.newPerson(), email_verified: false })).toBe('/')
})

test('an equal address links nothing by itself; it does where the administrator said so of the provider', async () => {
  const { platform } = site.berth
  const user = await site.berth.makeUser()
  const person = { ...site.newPerson(), email: user.email }
  const jar: Jar = {}
  expect(await site.signIn(jar, person)).toBe('/sign-in?error=account-exists')
  expect(await site.viewer(jar)).toBeNull()
  await updateProvider(platform, operator, 'corp', { linksByEmail: true })
  expect(await site.signIn(jar, person)).toBe('/')
  expect(await site.viewer(jar)).toMatchObject({ userId: user.id })
})

test('whoever is signed in links an identity with his password, and never removes the last way to sign in', async () => {
  const { platform } = site.berth
  const user = await site.berth.makeUser()
  const jar = await site.signedIn(user)
  const self = await site.viewer(jar)
  if (self === null) throw new Error('not signed in')
  await expect(beginLink(platform, self, 'corp', { password: 'wrong' })).rejects.toMatchObject({
    fields: [{ path: 'password' }],
  })
  const link = cookieName(site.berth.config, 'link')
  const ticket = async () => (await beginLink(platform, self, 'corp', { password: user.password })).ticket
  const person = { ...site.newPerson(), email: 'private@elsewhere.example', email_verified: false }
  jar[link] = await ticket()
  expect(await site.signIn(jar, person)).toBe('/account?linked=done')
  expect(jar).not.toHaveProperty([link])
  expect(await site.viewer(jar)).toEqual(self)
  const elsewhere: Jar = {}
  expect(await site.signIn(elsewhere, person)).toBe('/')
  expect(await site.viewer(elsewhere)).toMatchObject({ userId: user.id })

  // A ticket of this session in another browser is worth nothing; nor is one for another provider, or one used before.
  const used = await ticket()
  expect(await site.signIn({ ...jar, [link]: used }, person)).toBe('/account?linked=done')
  for (const [cookies, at] of [
    [{ [link]: await ticket() }, site.issuer],
    [{ ...jar, [link]: await ticket() }, site.other],
    [{ ...jar, [link]: used }, site.issuer],
  ] as const)
    expect(await site.signIn({ ...cookies }, site.newPerson(), at)).toBe('/account?linked=expired')
  // An identity of somebody else stays his.
  const theirs = site.newPerson()
  await site.signIn({}, theirs)
  expect(await site.signIn({ ...jar, [link]: await ticket() }, theirs)).toBe('/account?error=identity-taken')

  const [identity, ...more] = await listIdentities(platform, self)
  expect([identity, more]).toMatchObject([{ provider: 'corp', email: person.email }, []])
  const hash = await platform.db.user.findUniqueOrThrow({ where: { id: user.id } })
  await platform.db.user.update({ where: { id: user.id }, data: { passwordHash: null } })
  await expect(unlinkIdentity(platform, self, identity?.id ?? '')).rejects.toMatchObject({ code: 'conflict' })
  await expect(
    unlinkIdentity(platform, (await site.berth.makeUser()).viewer, identity?.id ?? ''),
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
  const { platform } = site.berth
  const team = await site.berth.makeTeam()
  const user = await site.berth.makeUser({ teamId: team.id, role: 'owner' })
  await updateProvider(platform, operator, 'corp', { linksByEmail: true })
  const person = { ...site.newPerson(), email: user.email }
  const { secret } = await beginTwoFactor(platform, user.viewer, { password: user.password })
  await confirmTwoFactor(platform, user.viewer, { code: codeOf(secret) })
  const jar: Jar = {}
  expect(await site.signIn(jar, person, site.issuer, '/acme')).toBe('/sign-in?step=code&next=%2Facme')
  expect(await site.viewer(jar)).toBeNull()
  const csrfToken = await site.ask(jar, 'GET', 'csrf')
  const code = codeOf(secret, { ahead: true })
  await site.ask(jar, 'POST', 'callback/code', {}, { csrfToken, code, json: 'true' })
  expect(await site.viewer(jar)).toMatchObject({ userId: user.id })

  await requireTwoFactorIn(platform, user.viewer, team.id, true)
  const guest = site.newPerson()
  const guests: Jar = {}
  await site.signIn(guests, guest)
  const account = await site.accountOf(guest.email)
  await platform.db.membership.create({
    data: { teamId: team.id, userId: account?.id ?? '', role: 'viewer' },
  })
  const them = await site.viewer(guests)
  await expect(requireTeam(platform, them ?? operator, team.id, 'team.read')).rejects.toMatchObject({
    code: 'second-factor-needed',
  })
})

test('ID tokens for others, of others, expired, with another nonce or signed by others open nothing', async () => {
  const forgeries: [string, OidcIssuer['tamper'], OidcIssuer['replace']][] = [
    ['wrong audience', (claims) => ({ ...claims, aud: 'another-client' }), null],
    ['several audiences', (claims) => ({ ...claims, aud: ['berth', 'another-client'] }), null],
    ['issuer mix-up', (claims) => ({ ...claims, iss: site.other.url }), null],
    ['nonce of another sign-in', (claims) => ({ ...claims, nonce: 'n'.repeat(43) }), null],
    ['no nonce', ({ nonce: _, ...claims }) => claims, null],
    ['expired', (claims) => ({ ...claims, exp: Math.floor(Date.now() / 1_000) - 60 }), null],
    [
      'signed by another provider',
      null,
      async () => site.other.sign({ iss: site.issuer.url, aud: 'berth', sub: 'x' }),
    ],
    [
      'signed with the client’s secret',
      null,
      async () =>
        new SignJWT({ iss: site.issuer.url, aud: 'berth', sub: 'x' })
          .setProtectedHeader({ alg: 'HS256' })
          .setIssuedAt()
          .setExpirationTime('5m')
          .sign(new TextEncoder().encode(site.issuer.client.secret)),
    ],
    [
      'not signed',
      null,
      async (token) => `${btoa('{"alg":"none"}').replace(/=+$/, '')}.${token.split('.')[1]}.`,
    ],
  ]
  for (const [what, tamper, replace] of forgeries) {
    Object.assign(site.issuer, { tamper, replace })
    const jar: Jar = {}
    const person = site.newPerson()
    expect([what, await site.signIn(jar, person)]).toEqual([what, '/api/auth/error?error=OAuthCallback'])
    expect([what, await site.viewer(jar), await site.accountOf(person.email)]).toEqual([what, null, null])
  }
  site.issuer.tamper = site.issuer.replace = null
  expect(await site.signIn({}, site.newPerson())).toBe('/')
})

test('a code works once, in the browser and for the provider that it was asked for', async () => {
  site.issuer.person = site.newPerson()
  const failed = '/api/auth/error?error=OAuthCallback'
  const jar: Jar = {}
  const back = await site.issuer.visit(await site.begin(jar))
  const copy = { ...jar }
  // Another browser: no state of its own, or another one.
  expect(await site.comeBack({}, back)).toBe(failed)
  const stranger: Jar = {}
  await site.begin(stranger)
  expect(await site.comeBack(stranger, back)).toBe(failed)
  // The state was changed on the way, or names another issuer (RFC 9207).
  for (const [name, value] of [
    ['state', 'forged'],
    ['iss', site.other.url],
  ] as const) {
    const forged = new URL(back)
    forged.searchParams.set(name, value)
    expect([name, await site.comeBack({ ...copy }, forged)]).toEqual([name, failed])
  }
  const silent = new URL(back)
  silent.searchParams.delete('iss')
  expect(await site.comeBack({ ...copy }, silent)).toBe(failed)
  // Mixed up: the code and the cookies of one provider at the other's address.
  const mixed = new URL(back)
  mixed.pathname = '/api/auth/callback/other'
  expect(await site.comeBack({ ...copy }, mixed)).toBe(failed)
  expect(await site.accountOf(site.issuer.person.email ?? '')).toBeNull()
  expect(await site.comeBack(jar, back)).toBe('/')
  // Again, with the cookies of before.
  const replayed = { ...copy }
  expect(await site.comeBack(replayed, back)).toBe(failed)
  expect(await site.viewer(replayed)).toBeNull()
})

test('a session that was planted in the browser does not become somebody, and the one before ends', async () => {
  const planter = await site.berth.makeUser()
  const jar = await site.signedIn(planter)
  const planted = { ...jar }
  const person = site.newPerson()
  expect(await site.signIn(jar, person)).toBe('/')
  expect(await site.viewer(jar)).toMatchObject({ userId: (await site.accountOf(person.email))?.id })
  expect(await site.viewer(planted)).toBeNull()
})

test('nobody makes an account where registration is closed, but for who was invited; the suspended stay out', async () => {
  const { platform } = site.berth
  await updateProvider(platform, operator, 'corp', { letsRegister: false })
  const person = site.newPerson()
  expect(await site.signIn({}, person)).toBe('/sign-in?error=registration-closed')
  const team = await site.berth.makeTeam()
  await invite(platform, operator, team.id, { email: person.email })
  const jar: Jar = {}
  expect(await site.signIn(jar, person)).toBe('/')
  const account = await site.accountOf(person.email)
  await platform.db.user.update({ where: { id: account?.id }, data: { disabledAt: new Date() } })
  const again: Jar = {}
  expect(await site.signIn(again, person)).toBe('/sign-in?error=suspended')
  expect([await site.viewer(again), await site.viewer(jar)]).toEqual([null, null])
})
