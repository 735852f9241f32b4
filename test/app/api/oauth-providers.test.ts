import { createServer, get, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { discover, forgetDiscovery } from '../../../platform/sign-in/discovery.ts'
import { guardedAgent, requireAllowed } from '../../../platform/sign-in/outbound.ts'
import {
  createProvider,
  deleteProvider,
  listProviders,
  updateProvider,
} from '../../../platform/sign-in/providers.ts'
import { startOidcIssuer } from '../../support/oidc-issuer.ts'
import { operator } from '../../support/platform.ts'
import { base, type Jar, type OAuthSite, openOAuthSite, rules } from './oauth-site.ts'

let site: OAuthSite

beforeAll(async () => {
  site = await openOAuthSite()
})
afterAll(() => site?.close())
beforeEach(() => site.reset())

test('a provider that is away, or lies about who it is, is a sentence on the sign-in page and no more', async () => {
  const { platform } = site.berth
  const away = await startOidcIssuer({ redirectUris: [`${base}/api/auth/callback/away`] })
  await site.add('away', away)
  await away.close()
  forgetDiscovery()
  expect(await site.begin({}, 'away')).toBe('/sign-in?error=provider-unavailable')
  expect(await site.begin({}, 'unknown')).toBe('/sign-in?error=provider-gone')
  await deleteProvider(platform, operator, 'away')
  expect(await site.begin({}, 'away')).toBe('/sign-in?error=provider-gone')
})

test('a provider is asked within limits: not inside, not elsewhere, not for ever, not without end', async () => {
  const { platform } = site.berth
  const metadata = { issuer: '', authorization_endpoint: '', token_endpoint: '', jwks_uri: '' }
  const server: Server = createServer((request, response) => {
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const [, kind = ''] = request.url?.split('/') ?? []
    if (kind === 'elsewhere') return void response.writeHead(302, { location: `${site.issuer.url}/x` }).end()
    if (kind === 'circle') return void response.writeHead(302, { location: request.url }).end()
    if (kind === 'large') return void response.end(`{"issuer":"${'x'.repeat(1_100_000)}"}`)
    if (kind === 'text') return void response.end('<html>')
    if (kind === 'liar') {
      const whole = { ...metadata, authorization_endpoint: at, token_endpoint: at, jwks_uri: at }
      return void response.end(JSON.stringify({ ...whole, issuer: site.issuer.url }))
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
      [`http://127.0.0.1:${port}/large`, 'more than 1048576 bytes', true],
      [`http://127.0.0.1:${port}/text`, 'did not answer with JSON', true],
      [`http://127.0.0.1:${port}/liar`, 'speaks for the issuer', true],
      [`http://127.0.0.1:${port}/none`, 'answered 404', true],
      [site.issuer.url, 'without TLS', false],
      [site.issuer.url.replace('http:', 'https:'), 'private network', false],
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
  const strict = { config: platform.config, allowsPrivate: false }
  for (const address of [
    '10.1.2.3',
    '172.20.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '[fd12::1]',
    '[::ffff:10.0.0.1]',
  ])
    await expect(requireAllowed(`https://${address}/`, strict), address).rejects.toThrow('private network')
  for (const address of ['8.8.8.8', '172.32.0.1', '[2606:4700::1]'])
    await requireAllowed(`https://${address}/`, strict)
})

test('a provider is asked through the proxy of the installation, and its connections have the same limits', async () => {
  const asked: string[] = []
  const at = 'http://sign-in.invalid'
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (request.url?.endsWith('/endless') === true) return void response.end('x'.repeat(1_100_000))
    const endpoints = { authorization_endpoint: at, token_endpoint: at, jwks_uri: at }
    response.end(JSON.stringify({ issuer: at, ...endpoints }))
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const http = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const rules = { config: { proxy: { http }, privateHosts: [] }, allowsPrivate: true }
  try {
    forgetDiscovery()
    expect(await discover(at, rules)).toMatchObject({ issuer: at, token_endpoint: at })
    const agent = guardedAgent(new URL(at), rules)
    const whole = new Promise((resolve, reject) => {
      get(`${at}/endless`, { agent }, (response) =>
        response.on('error', reject).on('end', resolve).resume(),
      ).on('error', reject)
    })
    await expect(whole).rejects.toThrow(/larger than 1 MiB|aborted/)
    agent.destroy()
    expect(asked).toEqual([`${at}/.well-known/openid-configuration`, `${at}/endless`])
    for (const inside of ['http://169.254.169.254/', 'http://localhost/'])
      expect(() => guardedAgent(new URL(inside), { ...rules, allowsPrivate: false })).toThrow('without TLS')
    await expect(requireAllowed('http://169.254.169.254/', rules)).rejects.toThrow('never asked')
  } finally {
    proxy.closeAllConnections()
    proxy.close()
  }
})

test('GitHub’s own field for an address is believed in nothing: the list of verified ones counts', async () => {
  const { platform } = site.berth
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
    const to = new URL(await site.begin(jar, 'github'))
    expect(to.href.startsWith(`${at}/login/oauth/authorize?`)).toBe(true)
    const back = new URL(`${base}/api/auth/callback/github?code=c`)
    back.searchParams.set('state', to.searchParams.get('state') ?? '')
    return site.comeBack(jar, back)
  }
  try {
    expect(await way({})).toBe('/sign-in?error=email-unverified')
    emails = [
      { email: 'Octo@Users.example', primary: true, verified: true },
      { email: 'other@users.example', primary: false, verified: true },
    ]
    const jar: Jar = {}
    expect(await way(jar)).toBe('/')
    expect(await site.viewer(jar)).toMatchObject({ userId: (await site.accountOf('octo@users.example'))?.id })
    expect(asked).toContain('GET /api/v3/user/emails Bearer gho_test')
    expect(await site.accountOf('victim@corp.example')).toBeNull()
  } finally {
    github.closeAllConnections()
    github.close()
    await platform.db.user.deleteMany({ where: { email: 'octo@users.example' } })
    await deleteProvider(platform, operator, 'github')
  }
})

test('a provider’s secret is told to nobody, is kept sealed, and goes to no other issuer', async () => {
  const { platform } = site.berth
  const list = await listProviders(platform, operator)
  expect(list.map(({ id, callbackUrl }) => [id, callbackUrl])).toEqual([
    ['corp', `${base}/api/auth/callback/corp`],
    ['other', `${base}/api/auth/callback/other`],
  ])
  const rows = await platform.db.signInProvider.findMany()
  const log = await platform.db.auditEvent.findMany({ where: { action: { contains: 'provider' } } })
  for (const told of [list, rows, log]) expect(JSON.stringify(told)).not.toContain(site.issuer.client.secret)
  await expect(updateProvider(platform, operator, 'corp', { issuer: site.other.url })).rejects.toMatchObject({
    fields: [{ path: 'clientSecret' }],
  })
  await expect(site.add('corp', site.issuer)).rejects.toMatchObject({ code: 'conflict' })
  // Somebody signs in by it alone.
  expect(await site.signIn({}, site.newPerson())).toBe('/')
  await expect(deleteProvider(platform, operator, 'corp')).rejects.toMatchObject({ code: 'conflict' })
})
