import { expect, test } from 'vitest'
import type { DesiredRoute } from '../../../platform/worker/desired-routes.ts'
import type { EdgeCertificate } from '../../../worker/edge/certificates.ts'
import { changesTo, deletableServers } from '../../../worker/edge/changes.ts'
import { mapFile, planEdge } from '../../../worker/edge/plan.ts'
import { type EdgeSettings, maxConnections } from '../../../worker/edge/settings.ts'

const settings: EdgeSettings = {
  port: 7080,
  httpsPort: 7443,
  dashboardHost: 'berth.example',
  dashboardToHttps: false,
  webPort: 7081,
  registrySocket: 'berth-registry-test',
  registryTokenSocket: 'berth-registry-token-test',
  gitSocket: 'berth-git-test',
  folder: '/berth/edge',
  masterSocket: '/berth/run/edge-master.sock',
  statsSocket: '/berth/run/edge.sock',
  maxConnections: 4_000,
  dropPrivileges: true,
  answerTimeoutMs: 600_000,
}

const certificates = {
  own: { name: 'berth.example', fingerprint: 'a'.repeat(64) },
  others: [{ name: '*.shop.example', fingerprint: 'b'.repeat(64) }],
}

const server = (containerId: string, port = 3000) => ({ containerId, address: '10.89.0.2', port })
const shop: DesiredRoute = {
  hostname: 'shop-acme.localhost',
  appId: 'app_shop',
  state: 'running',
  servers: [server('dep_2-1'), server('dep_2-0')],
}
const blog: DesiredRoute = {
  hostname: 'blog-acme.localhost',
  appId: 'app_blog',
  state: 'stopped',
  servers: [],
}

test('the whole configuration of two apps is as it was read and approved', async () => {
  const plan = planEdge(settings, [{ ...shop, toHttps: true, hstsSeconds: 60 }, blog], certificates)
  const text = plan.configuration.replace(plan.structureId, '<structure>')
  await expect(text).toMatchFileSnapshot('./haproxy.cfg')
  expect(mapFile(plan.transport)).toBe('blog-acme.localhost/ either:-\nshop-acme.localhost/ redirect:60\n')
  expect(plan.certificates).toEqual([`/berth/edge/certificates/${'b'.repeat(64)}.pem *.shop.example`])
  expect(mapFile(plan.hosts)).toBe('blog-acme.localhost/ page-stopped\nshop-acme.localhost/ app_shop\n')
})

test('only what a running HAProxy cannot learn otherwise changes the structure', () => {
  const base = planEdge(settings, [shop, blog])
  const id = (routes: DesiredRoute[], other = settings) => planEdge(other, routes).structureId
  expect(id([blog, shop])).toBe(base.structureId)
  expect(id([blog, { ...shop, servers: [server('dep_3-0')] }])).toBe(base.structureId)
  expect(id([blog, { ...shop, state: 'stopped', servers: [] }])).toBe(base.structureId)
  expect(id([blog, shop, { ...shop, hostname: 'shop.example' }])).toBe(base.structureId)
  expect(id([shop])).not.toBe(base.structureId)
  const withTls = (others: EdgeCertificate[]) =>
    planEdge(settings, [shop, blog], { ...certificates, others }).structureId
  expect(withTls([])).toBe(withTls(certificates.others))
  expect(withTls([])).not.toBe(base.structureId)
  expect(id([shop, blog], { ...settings, webPort: 1 })).not.toBe(base.structureId)
})

test.each([
  [{ ...shop, hostname: 'a b' }],
  [{ ...shop, hostname: 'x\n    http-request deny' }],
  [{ ...shop, appId: 'app\nbackend web' }],
  [{ ...shop, servers: [{ containerId: 'c', address: 'evil.example', port: 80 }] }],
  [{ ...shop, servers: [{ containerId: 'c d', address: '10.0.0.1', port: 80 }] }],
  [{ ...shop, servers: [server('c', 70_000)] }],
])('what is no name, address or port never reaches the configuration (%#)', (route) => {
  expect(() => planEdge(settings, [route])).toThrow(/The edge can't/)
})

test.each([
  { name: 'a.example x.example', fingerprint: 'b'.repeat(64) },
  { name: 'a.example', fingerprint: '../../secrets/master.key' },
])('what is no name or fingerprint is never written into the list of certificates (%#)', (certificate) => {
  expect(() => planEdge(settings, [], { ...certificates, others: [certificate] })).toThrow(/The edge can't/)
})

test('a running HAProxy gets new servers first, then the names, and old servers are drained', () => {
  const plan = planEdge(settings, [
    { ...shop, servers: [server('dep_3-0', 4000), server('dep_2-0', 3001)] },
    blog,
  ])
  const present = (name: string, isReady = true) => ({
    backend: 'app_shop',
    name,
    address: '10.89.0.2',
    port: 3000,
    isReady,
  })
  const servers = [present('dep_2-0', false), present('dep_2-1'), present('dep_1-0', false)]
  const web = { backend: 'web', name: 'web', address: '127.0.0.1', port: 7081, isReady: true }
  const hosts = new Map([
    ['shop-acme.localhost/', 'page-stopped'],
    ['gone.localhost/', 'app_gone'],
  ])
  expect(changesTo(plan, { servers: [...servers, web], hosts }, '/hosts')).toEqual([
    'set server app_shop/dep_2-0 addr 10.89.0.2 port 3001',
    'set server app_shop/dep_2-0 state ready',
    'add server app_shop/dep_3-0 10.89.0.2:4000',
    'enable server app_shop/dep_3-0',
    'set server app_shop/dep_2-1 state drain',
    'add map /hosts blog-acme.localhost/ page-stopped',
    'set map /hosts shop-acme.localhost/ app_shop',
    'del map /hosts gone.localhost/',
  ])
  const open = new Map([
    ['app_shop/dep_2-1', 2],
    ['app_shop/dep_1-0', 0],
  ])
  expect(deletableServers(plan, [...servers, web], open)).toEqual(['app_shop/dep_1-0'])
})

test('HAProxy is never told to serve more connections than it may have descriptors for', () => {
  const limits = (hard: string) =>
    `Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 ${hard}                files\n`
  expect(maxConnections(limits('20000'))).toBe(4_000)
  expect(maxConnections(limits('unlimited'))).toBe(4_000)
  expect(maxConnections(limits('4096'))).toBe(1_770)
})
