import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { appUrl, loadConfig, secureUrl } from '../../platform/config.ts'

const complete = {
  BERTH_WEB_PORT: '7081',
  BERTH_HOST_ID: 'hst_01jd3k',
  DATABASE_URL: 'postgresql://berth:hunter2@127.0.0.1:5432/berth',
  REDIS_URL: 'unix:///var/lib/berth/redis/redis.sock?password=hunter3',
}

test('every problem is listed at once, with its variable and without its value', () => {
  const broken = {
    BERTH_HOME: 'relative',
    BERTH_PORT: '99999',
    BERTH_DOMAIN: 'not a domain',
    BERTH_WEB_PORT: 'x',
    DATABASE_URL: 'mysql://root:hunter2@localhost',
    BERTH_LOG_LEVEL: 'loud',
    BERTH_PRIVATE_HOSTS: 'http://registry.internal',
    BERTH_DNS_SERVERS: '1.1.1.1, ns.example:53',
    BERTH_BUILD_IMAGES: 'node=registry.internal/node:{version}, cobol=x',
    BERTH_PORTS: '30000-20000',
  }
  expect(() => loadConfig(broken)).toThrow(Error)
  let message = ''
  try {
    loadConfig(broken)
  } catch (error) {
    message = (error as Error).message
  }
  for (const name of [...Object.keys(broken), 'BERTH_HOST_ID', 'REDIS_URL']) {
    expect(message).toContain(`  ${name} `)
  }
  expect(message).not.toContain('hunter2')
})

test('apps have ports of the host from 20000 to 29999, from another range, or none', () => {
  const given = (BERTH_PORTS: string) => loadConfig({ ...complete, BERTH_PORTS }).publishedPorts
  expect(loadConfig(complete).publishedPorts).toEqual({ first: 20_000, last: 29_999 })
  expect(given('')).toEqual({ first: 20_000, last: 29_999 })
  expect(given('5000-5000')).toEqual({ first: 5_000, last: 5_000 })
  expect(given('none')).toBeNull()
  for (const text of ['0-10', '1-65536', '20000', 'all', '1-2,4-5'])
    expect(() => given(text)).toThrow('BERTH_PORTS must be a range of ports such as 20000-29999, or none')
})

test('without a domain names end in .localhost, and the port is part of them unless it is 80', () => {
  const config = loadConfig(complete)
  expect(config).toMatchObject({
    home: '/var/lib/berth',
    port: 7080,
    domain: null,
    publicUrl: 'http://localhost:7080',
    registryHost: 'localhost:7080',
    redis: { path: '/var/lib/berth/redis/redis.sock', password: 'hunter3', db: 0 },
  })
  expect(appUrl(config, 'shop-acme.localhost')).toBe('http://shop-acme.localhost:7080')
  expect(secureUrl(config, 'shop-acme.localhost')).toBeNull()
  expect(secureUrl(loadConfig({ ...complete, BERTH_HTTPS_PORT: '7443' }), 'a.test')).toBe(
    'https://a.test:7443',
  )
  expect(secureUrl(loadConfig({ ...complete, BERTH_HTTPS_PORT: '443' }), 'a.test')).toBe('https://a.test')
  expect(loadConfig({ ...complete, BERTH_HTTPS_PORT: '' }).httpsPort).toBeNull()
  const own = { ...complete, BERTH_OWN_HTTPS: 'yes', BERTH_DOMAIN: 'berth.example.com' }
  expect(loadConfig({ ...own, BERTH_HTTPS_PORT: '443' }).publicUrl).toBe('https://berth.example.com')
  expect(loadConfig({ ...own, BERTH_HTTPS_PORT: '7443' })).toMatchObject({
    publicUrl: 'https://berth.example.com:7443',
    // Images are called what they were called before.
    registryHost: 'berth.example.com:7080',
  })
  expect(() => loadConfig(own)).toThrow('BERTH_OWN_HTTPS needs BERTH_HTTPS_PORT')
  const public_ = loadConfig({ ...complete, BERTH_DOMAIN: 'berth.example.com', BERTH_PORT: '80' })
  expect(public_.publicUrl).toBe('http://berth.example.com')
  expect(public_.registryHost).toBe('berth.example.com')
  expect(appUrl(public_, 'shop.berth.example.com')).toBe('http://shop.berth.example.com')
})

test('printing the configuration in any way shows no secret', () => {
  const config = loadConfig({ ...complete, REDIS_URL: 'redis://:hunter3@127.0.0.1:6379/4' })
  expect(config.redis).toEqual({ host: '127.0.0.1', port: 6379, db: 4, password: 'hunter3' })
  for (const text of [JSON.stringify(config), inspect(config), `${inspect({ config }, { depth: 9 })}`]) {
    expect(text).toContain('hst_01jd3k')
    expect(text).not.toMatch(/hunter/)
  }
})

test('a secret is read without its line end; a missing one is named by its file', () => {
  const home = mkdtempSync(join(tmpdir(), 'berth-config-'))
  onTestFinished(() => rmSync(home, { recursive: true }))
  mkdirSync(join(home, 'secrets'))
  writeFileSync(join(home, 'secrets', 'auth.secret'), 'abc\n')
  const config = loadConfig({ ...complete, BERTH_HOME: home })
  expect(config.readSecret('auth.secret')).toBe('abc')
  expect(() => config.readSecret('other')).toThrow(`${home}/secrets/other`)
})

test('proxies are taken from their usual names, small letters first, and are not printed', () => {
  const config = loadConfig({
    ...complete,
    HTTP_PROXY: 'http://a.example:3128',
    https_proxy: 'http://u:hunter2@b.example',
    HTTPS_PROXY: 'http://c.example',
    NO_PROXY: 'internal.example',
  })
  expect(config.proxy).toEqual({
    http: 'http://a.example:3128',
    https: 'http://u:hunter2@b.example',
    noProxy: 'internal.example',
  })
  expect(inspect(config)).not.toContain('hunter2')
  expect(loadConfig({ ...complete, HTTP_PROXY: '' }).proxy).toEqual({})
  expect(() => loadConfig({ ...complete, HTTPS_PROXY: 'socks5://x' })).toThrow(/HTTPS_PROXY must be/)
})
