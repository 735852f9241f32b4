/** Certificates by records that nobody sets by hand: a real authority, a real name server that takes updates. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest'
import { changeAcme } from '../../platform/certificates/acme/settings.ts'
import { orderCertificates } from '../../platform/certificates/acme/work.ts'
import { signLeaf } from '../../platform/certificates/authority.ts'
import { removeCertificate, setCertificate } from '../../platform/domains/certificate.ts'
import { addDomain, checkDomainNow, listDomains, removeDomain } from '../../platform/domains/domains.ts'
import { removeRecordsBy, setRecordsBy } from '../../platform/domains/records.ts'
import type { Domain } from '../../platform/model/domains.ts'
import type { RecordSetterInput } from '../../platform/model/record-setter.ts'
import type { App } from '../../platform/model/resources.ts'
import type { Platform } from '../../platform/open.ts'
import { listTimeline } from '../../platform/timeline.ts'
import { type Pebble, startPebble } from '../support/pebble.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'
import { freePort } from '../support/registry.ts'
import { startReceiver } from '../support/webhook-receiver.ts'
import { startZoneServer, type ZoneServer } from '../support/zone-server.ts'

const zone = 'shop.example'
const wildcard = `*.${zone}`
const challenge = `_acme-challenge.${zone}`
let berth: TestPlatform
let platform: Platform
let app: App
let domain: Domain
let names: ZoneServer
let pebble: Pebble

beforeAll(async () => {
  berth = await openTestPlatform(
    { postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') },
    { privateHosts: '127.0.0.1' },
  )
  app = await berth.makeApp((await berth.makeTeam('Acme')).id)
  domain = await addDomain(berth.platform, operator, app.id, { name: wildcard })
  names = await startZoneServer(zone, {
    records: [`${domain.record?.name}. 60 TXT "${domain.record?.value}"`],
  })
  platform = { ...berth.platform, config: { ...berth.config, dnsServers: [names.address] } }
  pebble = await startPebble({ httpPort: await freePort(), dnsServer: names.address, asksAgain: true })
})
afterAll(() => Promise.all([pebble?.close(), names?.close(), berth?.close()]))

const update = (more: object = {}): RecordSetterInput => ({
  ...{ kind: 'rfc2136', server: names.address, ...names.key },
  ...more,
})
const shown = async (id = domain.id) => {
  const found = (await listDomains(platform, operator, app.id)).find((each) => each.id === id)
  if (found === undefined) throw new Error('no domain')
  return found
}
const makeDue = (name = wildcard) =>
  platform.db.certificate.update({ where: { name }, data: { dueAt: new Date(0) } })
const stepsOf = ({ issuance }: Domain) => issuance?.steps.map(({ step, status }) => `${step} ${status}`)
const allOk = ['account', 'order', 'challenge', 'record', 'answer', 'certificate'].map((step) => `${step} ok`)

test('a name that nobody has shown, and a local one, are not to be set records for', async () => {
  await expect(setRecordsBy(platform, operator, domain.id, update())).rejects.toMatchObject({
    code: 'conflict',
  })
  const local = await addDomain(platform, operator, app.id, { name: '*.shop.test' })
  await expect(setRecordsBy(platform, operator, local.id, update())).rejects.toMatchObject({
    code: 'conflict',
  })
  expect((await checkDomainNow(platform, operator, domain.id)).verifiedAt).not.toBeNull()
})

test.each([
  ['keyName', () => ({ keyName: 'other.example' }), /knows no key other\.example/],
  ['keyName', () => ({ algorithm: 'hmac-sha512' }), /knows no key/],
  ['secret', () => ({ secret: randomBytes(32).toString('base64') }), /finds the secret of the key .* wrong/],
  ['zone', () => ({ zone: 'other.example' }), /does not look after the zone other\.example/],
  ['server', async () => ({ server: `127.0.0.1:${await freePort()}` }), /ECONNREFUSED/],
  ['server', () => ({ server: '10.255.255.1' }), /private network/],
  ['server', () => ({ server: 'a b' }), /must be a name or an address/],
  ['server', () => ({ server: 'ns1.example.com/path' }), /must be a name or an address/],
  ['secret', () => ({ secret: 'too short' }), /base64/],
  ['keyName', () => ({ keyName: 'a\nb' }), /must be the name of a key/],
] as const)('what would not work is said at its field: %s (%#)', async (path, more, message) => {
  await expect(setRecordsBy(platform, operator, domain.id, update(await more()))).rejects.toMatchObject({
    code: 'invalid',
    fields: [{ path, message: expect.stringMatching(message) }],
  })
  expect((await shown()).issuance).toBeNull()
})

test('a key that may change another name alone is refused, and what is an alias is set where it leads', async () => {
  const elsewhere = `${zone.replace('.', '-')}.records.example`
  const records = await startZoneServer('records.example', { only: elsewhere, algorithm: 'hmac-sha512' })
  const aliased = await startZoneServer(zone, { records: [`_acme-challenge 60 CNAME ${elsewhere}.`] })
  onTestFinished(() => Promise.all([records.close(), aliased.close()]).then(() => undefined))
  const input = { kind: 'rfc2136', server: records.address, ...records.key } as const
  await expect(setRecordsBy(platform, operator, domain.id, { ...input, zone })).rejects.toMatchObject({
    fields: [{ path: 'zone' }],
  })
  await expect(
    setRecordsBy(platform, operator, domain.id, { ...input, zone: 'records.example' }),
  ).rejects.toMatchObject({ fields: [{ path: expect.stringMatching(/zone|keyName/) }] })
  const config = { ...platform.config, dnsServers: [aliased.address] }
  const there = { ...platform, config }
  expect((await setRecordsBy(there, operator, domain.id, input)).issuance?.recordsBy).toEqual({
    kind: 'rfc2136',
    where: records.address,
  })
  expect(await records.texts(elsewhere)).toEqual([])
  await removeRecordsBy(platform, operator, domain.id)
  expect((await shown()).issuance?.recordsBy).toBeNull()
})

test('a wildcard gets its certificate and is renewed without a person; its records are cleared, its key is told nobody', async () => {
  const settings = {
    directoryUrl: pebble.directoryUrl,
    authority: pebble.authority,
    termsAgreed: true,
  } as const
  await changeAcme(platform, operator, settings)
  await setRecordsBy(platform, operator, domain.id, update())
  await orderCertificates(platform)
  const first = await shown()
  expect(stepsOf(first)).toEqual(allOk)
  expect(first).toMatchObject({
    certificate: { source: 'acme', name: wildcard },
    issuance: { status: 'active', record: null, recordsBy: { kind: 'rfc2136', where: names.address } },
  })
  expect(await names.texts(challenge)).toEqual([])

  await makeDue()
  await orderCertificates(platform)
  const renewed = await shown()
  expect(renewed.certificate?.fingerprint).not.toBe(first.certificate?.fingerprint)
  expect([pebble.issued(), await names.texts(challenge)]).toEqual([2, []])
  const { data } = await listTimeline(platform, operator, app.id)
  const kinds = data.map(({ event }) => event.kind).filter((kind) => kind.startsWith('certificate.'))
  expect(kinds).toEqual(['certificate.issued', 'certificate.issued'])

  const { secret } = names.key
  const rows = [await platform.db.certificate.findMany(), await platform.db.auditEvent.findMany(), renewed]
  expect(JSON.stringify(rows)).not.toContain(secret)
}, 60_000)

test('a record that is not seen yet is looked for again, with nobody alarmed; a server that is away fails the attempt and says so', async () => {
  const blind = await startZoneServer(zone)
  onTestFinished(() => blind.close())
  // What is asked for the record has not heard of it.
  const elsewhere = { ...platform, config: { ...platform.config, dnsServers: [blind.address] } }
  await makeDue()
  await orderCertificates(elsewhere)
  const waiting = await shown()
  expect(stepsOf(waiting)?.at(-1)).toBe('record working')
  expect(waiting.issuance).toMatchObject({ status: 'active', failures: 0 })
  expect(await names.texts(challenge)).toEqual([waiting.issuance?.record?.value])
  const { data } = await listTimeline(platform, operator, app.id)
  expect(data.map(({ event }) => event.kind)).not.toContain('certificate.failed')
  await makeDue()
  await orderCertificates(platform)
  expect([stepsOf(await shown()), await names.texts(challenge)]).toEqual([allOk, []])

  // One that is waited for goes with what it was set for.
  const { id } = await addDomain(platform, operator, app.id, { name: `*.left.${zone}` })
  const left = `_acme-challenge.left.${zone}`
  await setRecordsBy(platform, operator, id, update())
  await orderCertificates(elsewhere)
  const value = (await shown(id)).issuance?.record?.value ?? ''
  expect(await names.texts(left)).toEqual([value])
  await removeRecordsBy(platform, operator, id)
  expect(await names.texts(left)).toEqual([])

  const { updateText } = await import('../../platform/certificates/records/dynamic-update.ts')
  const waitAgain = async () => {
    await setRecordsBy(platform, operator, id, update())
    const record = { name: left, value }
    const setter = { kind: 'rfc2136', server: names.address, zone: null, ...names.key } as const
    await updateText(platform.config, setter, 'set', record)
    const order = { url: pebble.directoryUrl, record, since: new Date().toISOString() }
    await platform.db.certificate.update({ where: { name: `*.left.${zone}` }, data: { order } })
    expect(await names.texts(left)).toEqual([value])
  }
  await waitAgain()
  const { chain, key } = await signLeaf(platform, [`*.left.${zone}`])
  await setCertificate(platform, operator, id, { chain, key })
  expect(await names.texts(left)).toEqual([])
  await removeCertificate(platform, operator, id)
  await waitAgain()
  await removeDomain(platform, operator, id)
  await orderCertificates(platform)
  expect(await names.texts(left)).toEqual([])

  await names.close()
  await makeDue()
  await orderCertificates(platform)
  const failed = await shown()
  expect(failed.issuance?.steps.at(-1)).toMatchObject({
    ...{ step: 'record', status: 'failed', found: expect.stringMatching(/ECONNREFUSED/) },
  })
  expect(failed.issuance).toMatchObject({ status: 'active', failures: 1 })
}, 120_000)

test('a webhook sets and clears records, with its token; its refusal is said', async () => {
  const name = 'blog.example'
  const other = await startZoneServer(name)
  const receiver = await startReceiver()
  onTestFinished(() => Promise.all([other.close(), receiver.close()]).then(() => undefined))
  const { updateText } = await import('../../platform/certificates/records/dynamic-update.ts')
  receiver.respond(async ({ body }, response) => {
    const { action, ...record } = JSON.parse(body)
    const setter = { kind: 'rfc2136', server: other.address, zone: null, ...other.key } as const
    await updateText(platform.config, setter, action, record)
    response.writeHead(204).end()
  })
  const theirs = await startPebble({ httpPort: await freePort(), dnsServer: other.address, asksAgain: true })
  onTestFinished(() => theirs.close())
  const there = { ...platform, config: { ...platform.config, dnsServers: [other.address] } }
  const settings = {
    directoryUrl: theirs.directoryUrl,
    authority: theirs.authority,
    termsAgreed: true,
  } as const
  await changeAcme(there, operator, settings)
  // No wildcard: then it need not be reached from the world either.
  const added = await addDomain(there, operator, app.id, { name })
  const record = { name: added.record?.name ?? '', value: added.record?.value ?? '' }
  await updateText(
    platform.config,
    { kind: 'rfc2136', server: other.address, zone: name, ...other.key },
    'set',
    record,
  )
  await checkDomainNow(there, operator, added.id)
  const hook = { kind: 'webhook', url: `${receiver.url}/records?key=in-the-path`, token: 'a-token' } as const
  const set = await setRecordsBy(there, operator, added.id, hook)
  expect(set.issuance?.recordsBy).toEqual({ kind: 'webhook', where: receiver.url })
  await orderCertificates(there)
  expect(stepsOf(await shown(added.id))).toEqual(allOk)
  const sent = receiver.received.map(({ body }) => JSON.parse(body).action)
  expect(sent).toEqual(['set', 'clear', 'set', 'clear'])
  expect(receiver.received.map(({ headers }) => headers.authorization)).toEqual(
    Array(4).fill('Bearer a-token'),
  )
  expect(await other.texts(`_acme-challenge.${name}`)).toEqual([])
  const rows = [await platform.db.certificate.findMany(), await platform.db.auditEvent.findMany()]
  expect(JSON.stringify(rows)).not.toMatch(/a-token|in-the-path/)

  receiver.respond((_, response) => response.writeHead(403).end('no such zone'))
  await expect(setRecordsBy(there, operator, added.id, hook)).rejects.toMatchObject({
    fields: [{ path: 'url', message: expect.stringMatching(/answered with status 403: no such zone/) }],
  })
  await removeDomain(there, operator, added.id)
}, 60_000)
