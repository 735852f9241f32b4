/** Certificates of a real authority (pebble), which asks the real edge, for names of a real name server. */
import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { acmeAnswer } from '../../platform/certificates/acme/challenges.ts'
import { changeAcme, readAcme, removeAcme } from '../../platform/certificates/acme/settings.ts'
import { orderCertificates, waitAfter } from '../../platform/certificates/acme/work.ts'
import { desiredCertificates } from '../../platform/certificates/desired.ts'
import { tryCertificateNow } from '../../platform/domains/certificate.ts'
import { addDomain, checkDomainNow, listDomains, removeDomain } from '../../platform/domains/domains.ts'
import { streams } from '../../platform/event-log.ts'
import type { Domain } from '../../platform/model/domains.ts'
import type { App } from '../../platform/model/resources.ts'
import type { Platform } from '../../platform/open.ts'
import { listTimeline } from '../../platform/timeline.ts'
import { desiredRoutes } from '../../platform/worker/desired-routes.ts'
import { get, makeTestEdge, type TestEdge } from '../support/edge.ts'
import { type NameServer, startNameServer } from '../support/name-server.ts'
import { type Pebble, startPebble } from '../support/pebble.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'
import { freePort } from '../support/registry.ts'
import { getSecurely } from '../support/tls-edge.ts'

let berth: TestPlatform
let platform: Platform
let names: NameServer
let theirNames: NameServer
let pebble: Pebble
let edge: TestEdge
let web: Server
let app: App
let isOurs = true
let number = 0
let name: string

beforeAll(async () => {
  edge = await makeTestEdge({ httpsPort: await freePort() })
  const { port, httpsPort, webPort } = edge.settings
  berth = await openTestPlatform(
    { postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') },
    { port },
  )
  names = await startNameServer()
  theirNames = await startNameServer()
  const config = { ...berth.config, httpsPort, dnsServers: [names.address], privateHosts: ['127.0.0.1'] }
  platform = { ...berth.platform, config }
  // As the dashboard answers.
  web = createServer(async (request, response) => {
    const [, token = ''] = /^\/\.well-known\/acme-challenge\/(.+)$/.exec(request.url ?? '') ?? []
    const answer = isOurs ? await acmeAnswer(platform, token) : null
    response.writeHead(answer === null ? 404 : 200).end(answer ?? 'nothing')
  }).listen(webPort, '127.0.0.1')
  pebble = await startPebble({ httpPort: port, dnsServer: theirNames.address })
  app = await berth.makeApp((await berth.makeTeam('Acme')).id)
  await syncEdge()
  await edge.start()
})
afterAll(async () => {
  await edge?.close()
  await Promise.all([pebble?.close(), berth?.close(), names?.close(), theirNames?.close()])
  web?.close()
})
beforeEach(async () => {
  name = `shop-${++number}.example`
  isOurs = true
})

const settings = () => ({
  ...{ directoryUrl: pebble.directoryUrl, authority: pebble.authority },
  ...{ email: 'ops@berth.example', termsAgreed: true as const },
})

async function syncEdge(): Promise<void> {
  edge.routes = await desiredRoutes(platform, platform.config.hostId)
  edge.certificates = await desiredCertificates(platform, platform.config.hostId)
  await edge.edge.sync()
}

/** The name leads here, for Berth and for the authority. */
async function addHere(): Promise<Domain> {
  const domain = await addDomain(platform, operator, app.id, { name })
  const txt = { [domain.record?.name ?? '']: domain.record?.value ?? '' }
  await names.say({ txt, a: { [name]: '127.0.0.1' } })
  await theirNames.say({ a: { [name]: '127.0.0.1' } })
  expect((await checkDomainNow(platform, operator, domain.id)).verifiedAt).not.toBeNull()
  return domain
}

async function shown(): Promise<Domain> {
  const found = (await listDomains(platform, operator, app.id)).find((each) => each.name === name)
  if (found === undefined) throw new Error(`no ${name}`)
  return found
}

/** How often those who look at the team were told that something about the app's names is different. */
async function toldOf(appId: string): Promise<number> {
  const entries = await platform.redis.xrange(streams.team(app.teamId).name, '-', '+')
  const events = entries.map(([, [, event = '']]) => JSON.parse(event))
  return events.filter((event) => event.type === 'domain' && event.appId === appId).length
}

const stepsOf = ({ issuance }: Domain) => issuance?.steps.map(({ step, status }) => `${step} ${status}`)
const makeDue = () =>
  platform.db.certificate.update({ where: { name }, data: { dueAt: new Date(Date.now() - 1_000) } })

test('a shown name gets a certificate that a browser would trust, every step is told, and it is renewed with HTTPS on', async () => {
  await addHere()
  await orderCertificates(platform)
  expect(await shown()).toMatchObject({ certificate: null, issuance: null })
  await changeAcme(platform, operator, settings())
  expect(await shown()).toMatchObject({ issuance: { status: 'waiting', steps: [] } })
  await addDomain(platform, operator, app.id, { name: `unshown.${name}` })
  const told = await toldOf(app.id)
  await Promise.all([orderCertificates(platform), orderCertificates(platform)])

  const domain = await shown()
  const steps = ['address', 'account', 'order', 'challenge', 'reach', 'answer', 'certificate']
  expect(stepsOf(domain)).toEqual(steps.map((step) => `${step} ok`))
  // Whoever looks at the page sees that it is asked for, each step begin and end, and the end.
  expect((await toldOf(app.id)) - told).toBeGreaterThanOrEqual(2 * steps.length)
  expect(domain).toMatchObject({
    url: `https://${name}:${edge.settings.httpsPort}`,
    sendsToHttps: true,
    certificate: { source: 'acme' },
    issuance: { status: 'active', failures: 0 },
  })
  // Two workers: one order. And none for what was not shown.
  expect([pebble.orders(), pebble.issued()]).toEqual([1, 1])
  expect(await platform.db.certificate.count({ where: { name: `unshown.${name}` } })).toBe(0)
  expect(await platform.db.acmeChallenge.count()).toBe(0)
  expect(await readAcme(platform, operator)).toMatchObject({ hasAccount: true, problem: null, issued: 1 })

  await syncEdge()
  const ca = await pebble.root()
  const port = edge.settings.httpsPort ?? 0
  expect((await getSecurely(port, name, { ca })).status).toBe(503)
  expect((await get(edge.settings.port, name)).headers.location).toBe(`https://${name}:${port}/`)
  const row = await platform.db.certificate.findUniqueOrThrow({ where: { name } })
  const lifetime = (row.expiresAt?.getTime() ?? 0) - (row.notBefore?.getTime() ?? 0)
  expect((row.expiresAt?.getTime() ?? 0) - (row.dueAt?.getTime() ?? 0)).toBeGreaterThanOrEqual(
    lifetime / 3 - 1,
  )
  expect(JSON.stringify(row)).not.toContain('PRIVATE KEY')

  await makeDue()
  await orderCertificates(platform)
  const renewed = await shown()
  expect(renewed.certificate?.fingerprint).not.toBe(domain.certificate?.fingerprint)
  await syncEdge()
  expect((await getSecurely(port, name, { ca })).status).toBe(503)
  const { data } = await listTimeline(platform, operator, app.id)
  const events = data.filter(({ event }) => event.kind === 'certificate.issued')
  expect(events.map(({ event }) => event)).toMatchObject([{ isRenewal: true }, { isRenewal: false }])

  await removeDomain(platform, operator, domain.id)
  await orderCertificates(platform)
  expect(await platform.db.certificate.count({ where: { name } })).toBe(0)
})

test('a name that leads nowhere, or elsewhere, is not put before the authority, and is tried later and later', async () => {
  await addHere()
  await names.say({})
  const before = pebble.orders()
  await orderCertificates(platform)
  const first = await shown()
  expect(stepsOf(first)).toEqual(['address failed'])
  expect(first.issuance).toMatchObject({ status: 'failed', failures: 1 })
  const waits = (domain: Domain) => Date.parse(domain.issuance?.nextAt ?? '') - Date.now()
  expect(waits(first)).toBeGreaterThan(50_000)
  // Before it is due nothing happens.
  await orderCertificates(platform)
  expect((await shown()).issuance?.failures).toBe(1)
  await makeDue()
  await orderCertificates(platform)
  expect(waits(await shown())).toBeGreaterThan(290_000)
  expect(pebble.orders()).toBe(before)
  const { data } = await listTimeline(platform, operator, app.id)
  expect(data.filter(({ event }) => event.kind === 'certificate.failed')).toHaveLength(1)

  isOurs = false
  await names.say({ a: { [name]: '127.0.0.1' } })
  const asked = await tryCertificateNow(platform, operator, first.id)
  await orderCertificates(platform)
  const second = await shown()
  expect(stepsOf(second)?.at(-1)).toBe('reach wrong')
  expect(second.issuance?.steps.at(-1)?.found).toBe(
    `127.0.0.1, port ${edge.settings.port} answers with status 404, and is not this Berth`,
  )
  expect(pebble.issued()).toBe(2)
  expect(asked.issuance?.status).toBe('failed')
})

test('what the authority finds wrong is told in its own words, and once that is mended it goes on', async () => {
  const domain = await addHere()
  await theirNames.say({})
  await orderCertificates(platform)
  const failed = await shown()
  expect(stepsOf(failed)?.at(-1)).toBe('answer failed')
  expect(failed.issuance?.steps.at(-1)?.found).toContain(name)
  await theirNames.say({ a: { [name]: '127.0.0.1' } })
  await tryCertificateNow(platform, operator, domain.id)
  await orderCertificates(platform)
  expect(await shown()).toMatchObject({ issuance: { status: 'active', failures: 0 } })
  await expect(tryCertificateNow(platform, operator, domain.id)).rejects.toMatchObject({ code: 'conflict' })
})

test('an attempt that was cut off is taken up when its time is over, not before', async () => {
  await addHere()
  const claim = { workingHost: 'hst_gone', workingUntil: new Date(Date.now() + 60_000) }
  const { teamId } = app
  await platform.db.certificate.create({
    data: {
      id: `crt_${name}`,
      name,
      teamId,
      source: 'acme',
      status: 'waiting',
      dueAt: new Date(0),
      ...claim,
    },
  })
  await orderCertificates(platform)
  expect((await shown()).issuance?.status).toBe('working')
  await platform.db.certificate.update({ where: { name }, data: { workingUntil: new Date(0) } })
  await orderCertificates(platform)
  expect((await shown()).issuance?.status).toBe('active')
})

test('a wildcard waits for its record, then its certificate is good for all names one below', async () => {
  const wildcard = `*.${name}`
  const domain = await addDomain(platform, operator, app.id, { name: wildcard })
  const txt = { [domain.record?.name ?? '']: domain.record?.value ?? '' }
  await names.say({ txt })
  await checkDomainNow(platform, operator, domain.id)
  const find = async () => {
    const found = (await listDomains(platform, operator, app.id)).find(({ id }) => id === domain.id)
    if (found === undefined) throw new Error('no domain')
    return found
  }
  const makeWildcardDue = () =>
    platform.db.certificate.update({ where: { name: wildcard }, data: { dueAt: new Date(0) } })
  await orderCertificates(platform)
  const waiting = await find()
  expect(waiting.issuance).toMatchObject({
    ...{ status: 'waiting', failures: 0 },
    record: { name: `_acme-challenge.${name}`, value: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) },
  })
  expect(stepsOf(waiting)?.at(-1)).toBe('record working')
  const before = pebble.orders()
  await makeWildcardDue()
  await orderCertificates(platform)
  // The same order, so the record stays what it is.
  expect((await find()).issuance?.record).toEqual(waiting.issuance?.record)
  expect(pebble.orders()).toBe(before)

  const { record } = waiting.issuance ?? {}
  const both = { [record?.name ?? '']: record?.value ?? '' }
  await names.say({ txt: both })
  await theirNames.say({ txt: both })
  await makeWildcardDue()
  await orderCertificates(platform)
  const done = await find()
  expect(stepsOf(done)).toEqual(
    ['account', 'order', 'challenge', 'record', 'answer', 'certificate'].map((step) => `${step} ok`),
  )
  expect(done).toMatchObject({
    certificate: { source: 'acme' },
    issuance: { status: 'active', record: null },
  })
  await syncEdge()
  const port = edge.settings.httpsPort ?? 0
  expect((await getSecurely(port, `a.${name}`, { ca: await pebble.root() })).status).toBe(503)
})

test('an authority that is not trusted, or none any more, is said so', async () => {
  await addHere()
  await changeAcme(platform, operator, { ...settings(), authority: '', email: 'other@berth.example' })
  await orderCertificates(platform)
  expect(stepsOf(await shown())?.at(-1)).toBe('account failed')
  const state = await readAcme(platform, operator)
  expect(state).toMatchObject({ hasAccount: false, problem: expect.stringMatching(/certificate/) })
  await changeAcme(platform, operator, settings())
  await orderCertificates(platform)
  expect((await shown()).issuance?.status).toBe('active')
  await removeAcme(platform, operator)
  await makeDue()
  const before = pebble.orders()
  await orderCertificates(platform)
  expect(pebble.orders()).toBe(before)
  expect((await shown()).certificate?.source).toBe('acme')
})

test.each([
  [{ directoryUrl: 'http://acme.example/dir' }, 'directoryUrl'],
  [{ directoryUrl: 'acme' }, 'directoryUrl'],
  [{ email: 'nobody' }, 'email'],
  [{ authority: 'hello' }, 'authority'],
  [{ termsAgreed: false }, 'termsAgreed'],
])('settings that can not be are refused at their field (%#)', async (wrong, path) => {
  const input = { ...settings(), ...wrong } as Parameters<typeof changeAcme>[2]
  await expect(changeAcme(platform, operator, input)).rejects.toMatchObject({ fields: [{ path }] })
})

test('waits grow from a minute to a day', () => {
  expect([1, 2, 3, 4, 9].map((failures) => waitAfter(failures, () => 0) / 60_000)).toEqual([
    1, 5, 25, 125, 1_440,
  ])
  expect(waitAfter(1, () => 1)).toBe(72_000)
})
