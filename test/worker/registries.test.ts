import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadConfig } from '../../platform/config.ts'
import { readRegistries } from '../../worker/registries.ts'

const home = mkdtempSync(join(tmpdir(), 'berth-registries-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const config = loadConfig({
  BERTH_HOME: home,
  BERTH_DOMAIN: 'berth.example',
  BERTH_WEB_PORT: '7081',
  BERTH_HOST_ID: 'hst_1',
  DATABASE_URL: 'postgresql://berth@127.0.0.1/berth',
  REDIS_URL: 'redis://127.0.0.1',
})
const own = {
  'berth.example:7080': {
    url: 'http://localhost',
    socketPath: `\0${config.registrySocket}`,
    tokenServers: ['http://berth.example:7080'],
  },
}
const write = (content: unknown) =>
  writeFileSync(
    join(home, 'registries.json'),
    typeof content === 'string' ? content : JSON.stringify(content),
  )

test("without a file there is Berth's own registry, and with one the others besides", () => {
  expect(readRegistries(config)).toEqual(own)
  writeFileSync(join(home, 'ca.pem'), 'PEM')
  write({
    'docker.io': { mirrors: [{ url: 'https://cache.example', username: 'u', password: 'p' }] },
    'registry.internal:5000': { url: 'http://registry.internal:5000', caFile: join(home, 'ca.pem') },
    'berth.example:7080': { url: 'http://elsewhere.example' },
  })
  expect(readRegistries(config)).toEqual({
    'docker.io': {
      mirrors: [
        { url: 'https://cache.example', credentials: { kind: 'basic', username: 'u', password: 'p' } },
      ],
    },
    'registry.internal:5000': { url: 'http://registry.internal:5000', ca: 'PEM' },
    ...own,
  })
})

test('every problem is told at once with its place, and no password with it', () => {
  write({
    'docker.io': { mirrors: [{ url: 'nowhere', username: 'u', passwort: 'hunter2' }] },
    other: { caFile: 'relative', url: 'ftp://x' },
  })
  let message = ''
  try {
    readRegistries(config)
  } catch (error) {
    message = (error as Error).message
  }
  for (const place of ['docker.io.mirrors.0.url', 'docker.io.mirrors.0', 'other.caFile', 'other.url'])
    expect(message).toContain(place)
  expect(message).not.toContain('hunter2')
  write('{')
  expect(() => readRegistries(config)).toThrow(/is not JSON/)
  write({ other: { caFile: join(home, 'none.pem') } })
  expect(() => readRegistries(config)).toThrow(/none\.pem does not exist/)
})
