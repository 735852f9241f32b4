import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { getApp } from '../../platform/apps.ts'
import {
  addDomain,
  challengeAnswer,
  checkDomainNow,
  listDomains,
  removeDomain,
} from '../../platform/domains/domains.ts'
import { checkDueDomains } from '../../platform/domains/verify.ts'
import type { AddDomainInput, Domain } from '../../platform/model/domains.ts'
import type { App } from '../../platform/model/resources.ts'
import type { Platform } from '../../platform/open.ts'
import { listTimeline } from '../../platform/timeline.ts'
import { desiredRoutes } from '../../platform/worker/desired-routes.ts'
import { type NameServer, startNameServer } from '../support/name-server.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'
import { freePort } from '../support/registry.ts'

let berth: TestPlatform
let platform: Platform
let names: NameServer
let edge: Server
let acme: App
let other: App
let number = 0
let base: string

beforeAll(async () => {
  const port = await freePort()
  berth = await openTestPlatform(
    { postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') },
    { port },
  )
  names = await startNameServer()
  await names.say({})
  const config = { ...berth.config, dnsServers: [names.address], privateHosts: ['127.0.0.1'] }
  platform = { ...berth.platform, config }
  acme = await berth.makeApp((await berth.makeTeam('Acme')).id)
  other = await berth.makeApp((await berth.makeTeam('Other')).id)
  // As the edge and the dashboard answer.
  edge = createServer(async (request, response) => {
    const [, id] = /^\/\.well-known\/berth-challenge\/(.+)$/.exec(request.url ?? '') ?? []
    const answer = id === undefined ? null : await challengeAnswer(platform, id)
    response.writeHead(answer === null ? 404 : 200).end(answer)
  }).listen(port, '127.0.0.1')
})
afterAll(async () => {
  await Promise.all([berth?.close(), names?.close()])
  edge?.close()
})
beforeEach(() => {
  base = `shop-${++number}.example`
})

const add = (app: App, name: string, more: Partial<AddDomainInput> = {}) =>
  addDomain(platform, operator, app.id, { name, ...more })
const check = ({ id }: Domain) => checkDomainNow(platform, operator, id)
const provable = ({ record }: Domain) => ({ [record?.name ?? '']: record?.value ?? '' })
const refused = (message: string | RegExp, path = 'name') => ({
  fields: [{ path, message: typeof message === 'string' ? message : expect.stringMatching(message) }],
})
const routes = async () =>
  (await desiredRoutes(platform, platform.config.hostId)).map(
    ({ hostname, pathPrefix, appId }) => `${hostname}${pathPrefix} ${appId}`,
  )

test('a name leads to the app when its record is there, and every look says what it found', async () => {
  const domain = await add(acme, base.toUpperCase())
  expect(domain).toMatchObject({ name: base, verifiedAt: null })
  expect(domain.record).toEqual({
    name: `_berth-challenge.${base}`,
    value: expect.stringMatching(/^berth-verification=[0-9a-f]{40}$/),
  })
  expect((await check(domain)).checks).toEqual([
    { step: 'record', status: 'missing', found: '' },
    { step: 'address', status: 'missing', found: '' },
  ])
  await names.say({
    txt: { [domain.record?.name ?? '']: 'berth-verification=0' },
    a: { [base]: '127.0.0.9' },
  })
  expect((await check(domain)).checks).toEqual([
    { step: 'record', status: 'wrong', found: 'berth-verification=0' },
    { step: 'address', status: 'ok', found: '127.0.0.9' },
    { step: 'answer', status: 'failed', found: expect.stringMatching(/^127\.0\.0\.9 is at an address/) },
  ])
  expect(await routes()).not.toContain(`${base}/ ${acme.id}`)
  expect((await getApp(platform, operator, acme.id)).urls).toHaveLength(1)

  await names.say({ txt: provable(domain) })
  const done = await check(domain)
  expect(done).toMatchObject({ verifiedBy: 'record', record: null, nextCheckAt: null })
  expect(done.checks.at(-1)).toEqual({ step: 'claim', status: 'ok', found: '' })
  expect(await routes()).toContain(`${base}/ ${acme.id}`)
  expect((await getApp(platform, operator, acme.id)).urls[0]).toBe(done.url)
  const { data } = await listTimeline(platform, operator, acme.id)
  expect(data[0]).toMatchObject({
    actor: null,
    event: { kind: 'configuration.changed', changes: [{ field: `domains.${base}`, after: 'verified' }] },
  })
})

test('a name that leads to this Berth needs no record, and a worker finds that by itself', async () => {
  const domain = await add(acme, base)
  await names.say({ a: { [base]: '127.0.0.1' } })
  await Promise.all([checkDueDomains(platform), checkDueDomains(platform)])
  const [found] = (await listDomains(platform, operator, acme.id)).filter(({ id }) => id === domain.id)
  expect(found).toMatchObject({ verifiedBy: 'answer' })
  // What is verified is asked for no more.
  expect(await challengeAnswer(platform, domain.id)).toBeNull()
})

test('a wildcard wants the record, and with it the team has all names below', async () => {
  const domain = await add(acme, `*.${base}`)
  // That all its names lead here is no proof: whoever asks first would have them.
  await names.say({ a: { [base]: '127.0.0.1', [`*.${base}`]: '127.0.0.1', [`a.${base}`]: '127.0.0.1' } })
  expect((await check(domain)).verifiedAt).toBeNull()
  await names.say({ txt: provable(domain) })
  expect((await check(domain)).verifiedBy).toBe('record')
  expect((await add(acme, `a.${base}`)).verifiedBy).toBe('team')
  const below = refused(`is below *.${base}, which another team uses`)
  await expect(add(other, `b.${base}`)).rejects.toMatchObject({ code: 'conflict', ...below })
  await expect(add(other, `*.b.${base}`)).rejects.toMatchObject({ code: 'conflict', ...below })
  await expect(add(other, `*.${base}`)).rejects.toMatchObject(refused('is used by another team'))
  expect((await add(other, base)).verifiedAt).toBeNull()
})

test('a claim that nobody has shown blocks nobody, and comes too late afterwards', async () => {
  const stale = await add(other, base)
  const domain = await add(acme, base)
  await names.say({ txt: provable(domain) })
  expect((await check(domain)).verifiedBy).toBe('record')
  await names.say({ txt: provable(stale) })
  const late = await check(stale)
  expect(late.verifiedAt).toBeNull()
  expect(late.checks.at(-1)).toEqual({ step: 'claim', status: 'wrong', found: 'is used by another team' })
  await removeDomain(platform, operator, domain.id)
  expect((await check(stale)).verifiedBy).toBe('record')
})

test('two that show a name at one moment: one has it', async () => {
  const both = [await add(acme, base), await add(other, base)]
  await names.say({ a: { [base]: '127.0.0.1' } })
  const after = await Promise.all(both.map(check))
  expect(after.filter(({ verifiedAt }) => verifiedAt !== null)).toHaveLength(1)
})

test('apps of one team share a name by path, and never the same path', async () => {
  const second = await berth.makeApp(acme.teamId)
  await add(acme, `${base}.test`)
  expect(await add(second, `${base}.test`, { pathPrefix: '/api/', stripPrefix: true })).toMatchObject({
    verifiedBy: 'team',
    pathPrefix: '/api',
  })
  await expect(add(second, `${base}.test`)).rejects.toMatchObject({
    code: 'conflict',
    ...refused(`leads to the app ${acme.name}; remove it there first`),
  })
  await expect(add(second, `${base}.test`, { pathPrefix: '/api' })).rejects.toMatchObject(
    refused('is there already, with this path'),
  )
  await expect(add(other, `${base}.test`, { pathPrefix: '/x' })).rejects.toMatchObject(
    refused('is used by another team'),
  )
})

test('names below a public suffix, and those that no list knows, are taken as before', async () => {
  const label = `shop-${number}`
  for (const name of [
    `${label}.co.uk`,
    `*.${label}.github.io`,
    `${label}.city.kawasaki.jp`,
    `${label}.公司.cn`,
  ])
    expect((await add(acme, name)).verifiedAt).toBeNull()
  expect((await add(acme, `${label}.test`)).verifiedBy).toBe('local')
})

test.each<[AddDomainInput, string | RegExp, string?]>([
  [{ name: 'localhost' }, /must have a dot/],
  [{ name: 'com' }, /must have a dot/],
  [{ name: 'http://shop.example' }, /must be a name alone/],
  [{ name: 'shop.example/api' }, /must be a name alone/],
  [{ name: 'shop.example:80' }, 'must be a name without a port'],
  [{ name: '192.0.2.1' }, 'must be a name, not an address'],
  [{ name: 'a.*.example' }, /may have a \* only/],
  [{ name: '*.*.example' }, /may have a \* only/],
  [{ name: 'a b.example' }, 'must be a domain name such as shop.example.com'],
  [{ name: 'a_b.example' }, 'must be a domain name such as shop.example.com'],
  [{ name: '-a.example' }, 'must be a domain name such as shop.example.com'],
  [{ name: `${'a'.repeat(64)}.example` }, /must be a domain name/],
  [{ name: '*.localhost' }, /is the name of Berth itself|must have a dot/],
  [{ name: 'a.example', pathPrefix: 'api' }, /must be a path/, 'pathPrefix'],
  [{ name: 'a.example', pathPrefix: '/a/../b' }, /must not have/, 'pathPrefix'],
  [{ name: 'a.example', pathPrefix: '/a?b' }, /must be a path/, 'pathPrefix'],
  [{ name: 'a.example', stripPrefix: true }, /needs a path prefix/, 'stripPrefix'],
  [{ name: 'a.example', redirectTo: 'https://b.example/x' }, /must not have a path/, 'redirectTo'],
  [{ name: 'a.example', redirectTo: 'a.example' }, /must be another name/, 'redirectTo'],
  [{ name: 'a.example', redirectTo: 'javascript:alert(1)' }, /must be a name/, 'redirectTo'],
  ...['co.uk', '*.co.uk', 'GitHub.io', '*.github.io', 'any.kawasaki.jp', '公司.cn', '*.公司.cn'].map(
    (name): [AddDomainInput, RegExp] => [{ name }, /^is a public suffix: names below it belong to many/],
  ),
])('%j is refused at its field', async (input, message, path) => {
  await expect(addDomain(platform, operator, acme.id, input)).rejects.toMatchObject({
    code: 'invalid',
    ...refused(message, path),
  })
})

test('Berth itself, and names deeper below its domain, can be nobody’s; one part below is whose it is first', async () => {
  const ours: Platform = { ...platform, config: { ...platform.config, domain: 'berth.example' } }
  const to = (name: string) => addDomain(ours, operator, acme.id, { name })
  await expect(to('berth.example')).rejects.toMatchObject(refused(/is the name of Berth itself/))
  await expect(to('*.berth.example')).rejects.toMatchObject(refused(/is the name of Berth itself/))
  await expect(to('a.b.berth.example')).rejects.toMatchObject(refused(/may be one part below berth\.example/))
  expect(await to('blue.berth.example')).toMatchObject({ verifiedBy: 'local' })
})

test('names in other scripts are kept as the name service has them', async () => {
  expect(await add(acme, 'Bücher.Test')).toMatchObject({
    name: 'xn--bcher-kva.test',
    displayName: 'bücher.test',
    redirectTo: null,
  })
})

test('the name that Berth made stays', async () => {
  const [made] = await listDomains(platform, operator, acme.id)
  expect(made).toMatchObject({ isGenerated: true, verifiedBy: 'generated' })
  await expect(removeDomain(platform, operator, made?.id ?? '')).rejects.toMatchObject({ code: 'conflict' })
})
