import { Agent, get as askNode, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { acmeChallengePath } from '../../../platform/model/certificates.ts'
import { challengePath } from '../../../platform/model/domains.ts'
import { sha512Crypt } from '../../../platform/sha512-crypt.ts'
import type { DesiredRoute } from '../../../platform/worker/desired-routes.ts'
import { planEdge } from '../../../worker/edge/plan.ts'
import { get, makeTestEdge, serveApp, type TestApp, type TestEdge } from '../../support/edge.ts'

let edge: TestEdge
let web: TestApp
let shop: TestApp

beforeEach(async () => {
  web = await serveApp('web')
  shop = await serveApp('shop', (request, response) => response.end(JSON.stringify(request.headers)))
  edge = await makeTestEdge({ webPort: web.port })
})
afterEach(async () => {
  await edge.close()
  await Promise.all([web.close(), shop.close()])
})

function route(access?: DesiredRoute['access']): DesiredRoute {
  return {
    ...{ hostname: 'shop.localhost', appId: 'app_shop', state: 'running' },
    servers: [{ containerId: 'dep_1-0', address: '127.0.0.1', port: shop.port }],
    ...(access === undefined ? {} : { access }),
  }
}

const users = [{ name: 'ada', hash: sha512Crypt('correct horse') }]
const ask = (login?: string, path = '/') =>
  get(edge.settings.port, 'shop.localhost', {
    path,
    headers: login === undefined ? {} : { authorization: `Basic ${btoa(login)}` },
  })

const statusOf = async (path: string) => (await ask(undefined, path)).status

test('whoever gives no password, a wrong one or another name is asked for it; the app never sees the right one', async () => {
  edge.routes = [route({ users, addresses: [] })]
  await edge.edge.sync()
  await edge.checkConfiguration()
  await edge.start()
  const asked = await ask()
  expect([asked.status, asked.headers['www-authenticate']]).toEqual([401, 'Basic realm="Restricted"'])
  for (const login of ['ada:wrong', 'eve:correct horse', 'ada:', ':', 'ada'])
    expect([login, (await ask(login)).status]).toEqual([login, 401])
  const answer = await ask('ada:correct horse')
  expect(answer.status).toBe(200)
  expect(JSON.parse(answer.body)).not.toHaveProperty('authorization')
  // What shows that a name leads here, to Berth or to an authority, is asked by those who have no password.
  for (const path of [challengePath, acmeChallengePath]) {
    expect((await ask(undefined, `${path}abc123`)).body).toBe('web')
    for (const around of ['', 'a/b', '../../', '%2e%2e/x', 'a?b', '..;/'])
      expect([around, await statusOf(`${path}${around}`)]).toEqual([around, around === 'a?b' ? 200 : 401])
  }
  // An app of its own gets what it is sent.
  edge.routes = [route()]
  await edge.edge.sync()
  expect(JSON.parse((await ask('ada:mine')).body)).toHaveProperty('authorization')
})

test('only visitors from the networks are let in, whatever address they claim', async () => {
  edge.routes = [route({ users: [], addresses: ['203.0.113.0/24', '2001:db8::/32'] })]
  await edge.edge.sync()
  await edge.checkConfiguration()
  await edge.start()
  expect((await ask()).status).toBe(403)
  const claimed = {
    'x-forwarded-for': '203.0.113.7',
    'x-real-ip': '203.0.113.7',
    forwarded: 'for=203.0.113.7',
  }
  expect((await get(edge.settings.port, 'shop.localhost', { headers: claimed })).status).toBe(403)
  for (const path of [challengePath, acmeChallengePath]) {
    expect((await ask(undefined, `${path}abc123`)).body).toBe('web')
    expect(await statusOf(`${path}../../`)).toBe(403)
  }
  edge.routes = [route({ users, addresses: ['127.0.0.0/8'] })]
  await edge.edge.sync()
  expect((await ask()).status).toBe(401)
  expect((await ask('ada:correct horse')).status).toBe(200)
})

test('what is no name, hash or network never reaches the configuration', () => {
  const [ada] = users
  const tried = (access: DesiredRoute['access']) => () => planEdge(edge.settings, [route(access)])
  expect(tried({ users, addresses: [] })).not.toThrow()
  for (const user of [
    { name: 'a b', hash: ada?.hash ?? '' },
    { name: 'a\n    user b insecure-password c', hash: ada?.hash ?? '' },
    { name: 'ada', hash: 'insecure' },
  ])
    expect(tried({ users: [user], addresses: [] })).toThrow(/The edge can't/)
  for (const address of ['0.0.0.0/0 }\n', 'all', '-f /etc/passwd'])
    expect(tried({ users: [], addresses: [address] })).toThrow(/The edge can't/)
})

test('another list of networks cuts nothing that is under way; whoever it leaves out is refused from the next request on', async () => {
  const open: ServerResponse[] = []
  const slow = await serveApp('slow', (request, response) => {
    if (request.url !== '/slow') return void response.end('quick')
    response.write('begun')
    open.push(response)
  })
  onTestFinished(() => slow.close())
  const to = (addresses: string[]): DesiredRoute => ({
    ...route({ users: [], addresses }),
    servers: [{ containerId: 'dep_1-0', address: '127.0.0.1', port: slow.port }],
  })
  edge.routes = [to(['127.0.0.0/8'])]
  await edge.edge.sync()
  await edge.start()
  const [stays, goes] = ['127.0.0.1', '127.0.0.2'].map(
    (localAddress) => new Agent({ keepAlive: true, localAddress }),
  )
  const ask = (agent: Agent | undefined, path = '/') =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const { port } = edge.settings
      askNode({ host: '127.0.0.1', port, path, agent, headers: { host: 'shop.localhost' } }, resolve).on(
        'error',
        reject,
      )
    })
  const quick = async (agent: Agent | undefined) => {
    const response = await ask(agent)
    return [response.statusCode, response.statusCode === 200 ? await text(response) : response.resume() && '']
  }
  for (const agent of [stays, goes]) expect(await quick(agent)).toEqual([200, 'quick'])
  const downloads = await Promise.all([ask(stays, '/slow'), ask(goes, '/slow')])
  edge.routes = [to(['127.0.0.1/32'])]
  await edge.edge.sync()
  expect(await quick(stays)).toEqual([200, 'quick'])
  // On the connection that is open since before, and on another.
  for (const agent of [goes, new Agent({ localAddress: '127.0.0.2' })])
    expect((await quick(agent))[0]).toBe(403)
  for (const response of open) response.end(' and done')
  expect(await Promise.all(downloads.map((each) => text(each)))).toEqual(['begun and done', 'begun and done'])
  for (const agent of [stays, goes]) agent?.destroy()
})
