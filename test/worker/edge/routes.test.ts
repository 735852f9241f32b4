import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { DesiredRoute } from '../../../platform/worker/desired-routes.ts'
import { get, makeTestEdge, serveApp, type TestApp, type TestEdge } from '../../support/edge.ts'

let edge: TestEdge
let shop: TestApp
let api: TestApp

beforeAll(async () => {
  edge = await makeTestEdge()
  const says = (name: string) =>
    serveApp(name, (request, response) =>
      response.end(`${name} ${request.url} ${request.headers['x-forwarded-prefix'] ?? '-'}`),
    )
  ;[shop, api] = await Promise.all([says('shop'), says('api')])
  await edge.edge.sync()
  await edge.start()
})
afterAll(() => Promise.all([edge?.close(), shop?.close(), api?.close()]))

const to = (app: 'shop' | 'api', hostname: string, more: Partial<DesiredRoute> = {}): DesiredRoute => ({
  ...{ hostname, appId: `app_${app}`, state: 'running' },
  servers: [{ containerId: `${app}-0`, address: '127.0.0.1', port: (app === 'shop' ? shop : api).port }],
  ...more,
})
const ask = async (host: string, path = '/', headers: Record<string, string> = {}) => {
  const { status, body, headers: answered } = await get(edge.settings.port, host, { path, headers })
  return status === 200 ? body : `${status} ${answered.location ?? ''}`.trim()
}
async function serve(...routes: DesiredRoute[]): Promise<void> {
  edge.routes = routes
  await edge.edge.sync()
  await edge.checkConfiguration()
}

test('the longest path prefix decides, at a slash, and is taken away where that is asked', async () => {
  const below = to('api', 'shop.example', { pathPrefix: '/api' })
  await serve(to('shop', 'shop.example'), below)
  expect(await ask('shop.example', '/x?y=1')).toBe('shop /x?y=1 -')
  expect(await ask('shop.example', '/api')).toBe('api /api -')
  expect(await ask('shop.example', '/api/x?y=1')).toBe('api /api/x?y=1 -')
  expect(await ask('shop.example', '/apix', { 'x-forwarded-prefix': '/forged' })).toBe('shop /apix -')
  expect(await ask('SHOP.example.', '/api/')).toBe('api /api/ -')

  await serve(to('shop', 'shop.example'), { ...below, stripPrefix: true })
  expect(await ask('shop.example', '/api')).toBe('api / /api')
  expect(await ask('shop.example', '/api/x?y=1')).toBe('api /x?y=1 /api')
  expect(await ask('shop.example', '/apix')).toBe('shop /apix -')

  await serve(below)
  expect(await ask('shop.example', '/api')).toBe('api /api -')
  expect(await ask('shop.example', '/')).toBe('404')
})

test('what one prefix does to a path, no longer one below it and no redirect suffers', async () => {
  const below = to('api', 'shop.example', { pathPrefix: '/api', stripPrefix: true })
  const whole = to('shop', 'shop.example', { pathPrefix: '/api/v2' })
  const sentOn = to('shop', 'shop.example', { pathPrefix: '/api/old', redirectTo: 'https://old.example' })
  await serve(to('shop', 'shop.example'), below)
  expect(await ask('shop.example', '/api/v2/x')).toBe('api /v2/x /api')

  // The longer ones come while HAProxy runs.
  await serve(to('shop', 'shop.example'), below, whole, sentOn)
  expect(await ask('shop.example', '/api/v2')).toBe('shop /api/v2 -')
  expect(await ask('shop.example', '/api/v2/x?y=/api/z')).toBe('shop /api/v2/x?y=/api/z -')
  expect(await ask('shop.example', '/api/v2x')).toBe('api /v2x /api')
  expect(await ask('shop.example', '/api/old/x?y=1')).toBe('308 https://old.example/api/old/x?y=1')
  expect(await ask('shop.example', '/api?y=1')).toBe('api /?y=1 /api')
  expect(await ask('shop.example', '/api/')).toBe('api / /api')
  expect(await ask('shop.example', '/apix/api/y')).toBe('shop /apix/api/y -')
  expect(await ask('shop.example', '/api/api/x')).toBe('api /api/x /api')

  await serve(to('shop', 'shop.example'), below, { ...whole, stripPrefix: true })
  expect(await ask('shop.example', '/api/v2')).toBe('shop / /api/v2')
  expect(await ask('shop.example', '/api/v2/api/x')).toBe('shop /api/x /api/v2')
  expect(await ask('shop.example', '/api/x')).toBe('api /x /api')

  // The root of a name beside a wildcard's prefix: the name's own routes count.
  await serve(
    to('shop', 'a.shop.example'),
    to('api', '*.shop.example', { pathPrefix: '/api', stripPrefix: true }),
  )
  expect(await ask('a.shop.example', '/api/x')).toBe('shop /api/x -')
  expect(await ask('b.shop.example', '/api/x')).toBe('api /x /api')
})

test('a wildcard takes the names one below it that have no route of their own', async () => {
  await serve(to('shop', '*.shop.example'), to('api', 'api.shop.example'))
  expect(await ask('blue.shop.example')).toBe('shop / -')
  expect(await ask('api.shop.example')).toBe('api / -')
  expect(await ask('shop.example')).toBe('404')
  expect(await ask('a.b.shop.example')).toBe('404')
  expect(await ask('*.shop.example')).toBe('shop / -')
})

test('visitors are sent on with their path and query, and the change needs no reload', async () => {
  const redirected = to('shop', 'www.shop.example', { redirectTo: 'https://shop.example' })
  await serve(
    to('shop', 'shop.example'),
    redirected,
    to('shop', '*.old.example', { redirectTo: 'http://a.example:81' }),
  )
  expect(await ask('www.shop.example', '/a%20b?c=d')).toBe('308 https://shop.example/a%20b?c=d')
  expect(await ask('x.old.example', '/')).toBe('308 http://a.example:81/')
  await serve(to('shop', 'shop.example'), { ...redirected, redirectTo: 'https://other.example' })
  expect(await ask('www.shop.example')).toBe('308 https://other.example/')
  expect(await ask('x.old.example')).toBe('404')
})

test('what shows that a name leads here, to Berth or to an authority, is answered by Berth, whatever the name; nothing else is', async () => {
  const web = await serveApp('web', (request, response) => response.end(`web ${request.url}`))
  const settled = await makeTestEdge({ webPort: web.port })
  onTestFinished(() => Promise.all([settled.close(), web.close()]).then(() => undefined))
  settled.routes = [to('shop', 'shop.example')]
  await settled.edge.sync()
  await settled.start()
  const asked = async (host: string, path: string) => (await get(settled.settings.port, host, { path })).body
  expect(await asked('shop.example', '/.well-known/berth-challenge/dom_1')).toBe(
    'web /.well-known/berth-challenge/dom_1',
  )
  expect(await asked('new.example', '/.well-known/berth-challenge/dom_1')).toContain('web /')
  expect(await asked('shop.example', '/.well-known/berth-challenge/../../api/v1/me')).toMatch(/^shop /)
  expect(await asked('shop.example', '/.well-known/acme-challenge/x')).toBe(
    'web /.well-known/acme-challenge/x',
  )
  expect(await asked('shop.example', '/.well-known/acme-challenge/../../x')).toMatch(/^shop /)
  expect(await asked('shop.example', '/.well-known/security.txt')).toMatch(/^shop /)
})

test.each([
  [{ pathPrefix: 'api' }],
  [{ pathPrefix: '/a b' }],
  [{ pathPrefix: '/a\n' }],
  [{ pathPrefix: '/(.*)' }],
  [{ redirectTo: 'https://a.example/x' }],
  [{ redirectTo: 'https://a.example\nfrontend' }],
])('what is no path or address never reaches the configuration (%#)', async (more) => {
  edge.routes = [to('shop', 'shop.example', more)]
  await expect(edge.edge.sync()).rejects.toThrow(/The edge can't/)
})
