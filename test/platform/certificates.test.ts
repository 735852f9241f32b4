import { X509Certificate } from 'node:crypto'
import { createServer } from 'node:https'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { getApp } from '../../platform/apps.ts'
import { rootCertificate, signLeaf } from '../../platform/certificates/authority.ts'
import { desiredCertificates } from '../../platform/certificates/desired.ts'
import { renewalOf } from '../../platform/certificates/keep.ts'
import { changeDomain } from '../../platform/domains/change.ts'
import { addDomain, listDomains, removeDomain } from '../../platform/domains/domains.ts'
import type { App } from '../../platform/model/resources.ts'
import type { Platform } from '../../platform/open.ts'
import { desiredRoutes } from '../../platform/worker/desired-routes.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'
import { getSecurely } from '../support/tls-edge.ts'

let berth: TestPlatform
let platform: Platform
let app: App
let other: App
let number = 0

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  platform = { ...berth.platform, config: { ...berth.config, httpsPort: 7443 } }
  app = await berth.makeApp((await berth.makeTeam('Acme')).id)
  other = await berth.makeApp((await berth.makeTeam('Other')).id)
})
afterAll(() => berth?.close())

const host = () => platform.config.hostId
const desired = () => desiredCertificates(platform, host())
const find = async (name: string) => (await desired()).others.find((each) => each.name === name)
const add = (name: string, to = app) => addDomain(platform, operator, to.id, { name })
const nextName = () => `shop-${++number}.test`

async function routeOf(name: string) {
  return (await desiredRoutes(platform, host())).find(({ hostname }) => hostname === name)
}

test('local names have a certificate at once, of one root, with a key that is sealed', async () => {
  const domain = await add(nextName())
  const generated = (await listDomains(platform, operator, app.id)).find(({ isGenerated }) => isGenerated)
  const [all, again] = await Promise.all([desired(), desired()])
  expect(new Set([...all.others, ...again.others].map(({ name }) => name))).toContain(generated?.name)
  const { own, readPem } = await desired()
  const found = await find(domain.name)
  if (found === undefined || own === null) throw new Error('no certificate')
  const pem = (await readPem(found)) ?? ''
  const root = new X509Certificate(await rootCertificate(platform))
  const leaf = new X509Certificate(pem)
  expect(leaf.verify(root.publicKey)).toBe(true)
  expect(leaf.checkIssued(root)).toBe(true)
  expect(leaf.checkHost(domain.name)).toBe(domain.name)
  expect(leaf.validToDate.getTime() - Date.now()).toBeLessThan(8 * 86_400_000)
  expect(new X509Certificate((await readPem(own)) ?? '').checkIP('127.0.0.1')).toBe('127.0.0.1')
  const row = await platform.db.certificate.findUniqueOrThrow({ where: { name: domain.name } })
  expect(JSON.stringify(row)).not.toContain('PRIVATE KEY')
  expect(await platform.db.certificateAuthority.count()).toBe(1)

  const [shown] = (await listDomains(platform, operator, app.id)).filter(({ id }) => id === domain.id)
  expect(shown).toMatchObject({
    url: `http://${domain.name}:7080`,
    secureUrl: `https://${domain.name}:7443`,
    sendsToHttps: false,
    certificate: { source: 'internal', name: domain.name, expiresAt: leaf.validToDate.toISOString() },
  })
})

test('a client that trusts the root, and nothing else, is content with a leaf', async () => {
  const { chain, key } = await signLeaf(platform, ['*.shop.internal'])
  const server = createServer({ cert: chain, key }, (_, response) => response.end('fine'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const ca = await rootCertificate(platform)
  try {
    expect((await getSecurely(port, 'a.shop.internal', { ca })).body).toBe('fine')
    await expect(getSecurely(port, 'a.b.shop.internal', { ca })).rejects.toThrow()
  } finally {
    server.close()
  }
})

test('a leaf is renewed when its time has come, and not before', async () => {
  const { name } = await add(nextName())
  const before = await find(name)
  expect(await find(name)).toEqual(before)
  await platform.db.certificate.update({ where: { name }, data: { dueAt: new Date(Date.now() - 1) } })
  const after = await find(name)
  expect(after?.fingerprint).not.toBe(before?.fingerprint)
  const { dueAt, expiresAt } = await platform.db.certificate.findUniqueOrThrow({ where: { name } })
  expect(dueAt?.getTime()).toBeLessThan(expiresAt?.getTime() ?? 0)
  const from = new Date(0)
  const to = new Date(90_000)
  expect(renewalOf(from, to, () => 0)).toEqual(new Date(60_000))
  expect(renewalOf(from, to, () => 1)).toEqual(new Date(51_000))
})

test('a name that goes to another team never comes with what the team before had for it', async () => {
  const domain = await add(nextName())
  const before = await find(domain.name)
  await removeDomain(platform, operator, domain.id)
  expect(await find(domain.name)).toBeUndefined()
  await add(domain.name, other)
  const after = await find(domain.name)
  expect(after?.fingerprint).not.toBe(before?.fingerprint)
  const row = await platform.db.certificate.findUniqueOrThrow({ where: { name: domain.name } })
  expect(row.teamId).toBe(other.teamId)
})

test('what another team left for a name that no authority of ours signs is not served, nor anything for a name not shown', async () => {
  const { db } = platform
  const name = 'shop.example'
  const local = await add(nextName())
  const { fingerprint, chain, sealedKey, expiresAt } = await find(local.name).then(() =>
    db.certificate.findUniqueOrThrow({ where: { name: local.name } }),
  )
  const domain = await add(name, other)
  const leave = (teamId: string) =>
    db.certificate.create({
      data: {
        ...{ id: `crt_${teamId}`, name, teamId, source: 'custom', status: 'active' },
        ...{ fingerprint, chain, sealedKey, expiresAt },
      },
    })
  await leave(app.teamId)
  await db.domain.update({ where: { id: domain.id }, data: { verifiedAt: new Date(), route: name } })
  expect(await find(name)).toBeUndefined()
  await db.certificate.deleteMany({ where: { name } })
  await leave(other.teamId)
  expect((await find(name))?.fingerprint).toBe(fingerprint)
  await db.domain.update({ where: { id: domain.id }, data: { verifiedAt: null, route: null } })
  expect(await find(name)).toBeUndefined()
})

test('visitors are sent to HTTPS when that is asked for, and addresses say so', async () => {
  const domain = await add(nextName())
  await desired()
  expect(await routeOf(domain.name)).toMatchObject({ toHttps: false, hstsSeconds: null })
  const changed = await changeDomain(platform, operator, domain.id, {
    httpsRedirect: true,
    hstsSeconds: 86_400,
  })
  expect(changed).toMatchObject({
    url: `https://${domain.name}:7443`,
    sendsToHttps: true,
    hstsSeconds: 86_400,
  })
  expect(await routeOf(domain.name)).toMatchObject({ toHttps: true, hstsSeconds: 86_400 })
  expect((await getApp(platform, operator, app.id)).urls).toContain(`https://${domain.name}:7443`)
  // What is left out stays.
  const later = await changeDomain(platform, operator, domain.id, { redirectTo: 'https://www.example.com' })
  expect(later).toMatchObject({ httpsRedirect: true, redirectTo: 'https://www.example.com' })
})

test('where there is no certificate nobody is sent to HTTPS', async () => {
  const domain = await add(nextName())
  await changeDomain(platform, operator, domain.id, { httpsRedirect: true })
  await platform.db.certificate.deleteMany({ where: { name: domain.name } })
  expect(await routeOf(domain.name)).toMatchObject({ toHttps: false })
})

test.each([
  [{ hstsSeconds: 60 }, 'hstsSeconds', /sent to HTTPS/],
  [{ hstsSeconds: -1 }, 'hstsSeconds', /at least 0/],
  [{ hstsSeconds: 1e9 }, 'hstsSeconds', /two years/],
  [{ hstsSeconds: 1.5 }, 'hstsSeconds', /whole number/],
  [{ stripPrefix: true }, 'stripPrefix', /path prefix/],
  [{ redirectTo: 'https://a.example/path' }, 'redirectTo', /must not have a path/],
])(
  'a change that means nothing is refused at its field, and changes nothing (%#)',
  async (input, path, message) => {
    const domain = await add(nextName())
    await expect(changeDomain(platform, operator, domain.id, input)).rejects.toMatchObject({
      fields: [{ path, message: expect.stringMatching(message) }],
    })
    const [shown] = (await listDomains(platform, operator, app.id)).filter(({ id }) => id === domain.id)
    expect(shown).toMatchObject({
      httpsRedirect: null,
      hstsSeconds: null,
      redirectTo: null,
      stripPrefix: false,
    })
  },
)
