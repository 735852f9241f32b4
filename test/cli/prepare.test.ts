import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { findings, kernelIsAtLeast } from '../../cli/commands/doctor.ts'
import { installCommand, missingPackages, platformPackages } from '../../cli/prepare/packages.ts'
import { partEnvironment, prepareHome, readSettings } from '../../cli/settings.ts'
import { loadConfig } from '../../platform/config.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function newHome(): string {
  const folder = mkdtempSync(join(tmpdir(), 'berth-cli-'))
  folders.push(folder)
  return folder
}

test('only what is missing is installed, by one exact command', () => {
  const missing = missingPackages(platformPackages, (path) => !/haproxy|conmon$/.test(path))
  expect(installCommand(missing)).toEqual([
    'apt-get',
    'install',
    '-y',
    '--no-install-recommends',
    'haproxy',
    'conmon',
  ])
})

test('a home is made once: secrets and settings stay, options change what they name', async () => {
  const home = newHome()
  const first = await prepareHome(home, { port: 7999 })
  const secret = readFileSync(join(home, 'secrets/operator.token'), 'utf8')
  const second = await prepareHome(home, { domain: 'apps.example.org' })
  expect(second).toMatchObject({
    port: 7999,
    hostId: first.hostId,
    webPort: first.webPort,
    domain: 'apps.example.org',
  })
  expect(readFileSync(join(home, 'secrets/operator.token'), 'utf8')).toBe(secret)
  expect(statSync(join(home, 'secrets')).mode & 0o077).toBe(0)
  expect(statSync(join(home, 'secrets/registry.key.pem')).mode & 0o077).toBe(0)
  expect(loadConfig(partEnvironment(home, second))).toMatchObject({
    publicUrl: 'http://apps.example.org:7999',
    httpsPort: first.httpsPort,
  })
  expect(first.httpsPort).toBeGreaterThan(0)
  expect(loadConfig(partEnvironment(home, await prepareHome(home, { httpsPort: 0 }))).httpsPort).toBeNull()
  expect((await prepareHome(newHome(), { port: 80 })).httpsPort).toBe(443)
  const other = newHome()
  const secure = await prepareHome(other, { port: 80, domain: 'berth.example.org', ownHttps: true })
  expect(loadConfig(partEnvironment(other, secure)).publicUrl).toBe('https://berth.example.org')
  // It stays so until it is taken back.
  expect((await prepareHome(other, {})).ownHttps).toBe(true)
  expect((await prepareHome(other, { ownHttps: false })).ownHttps).toBe(false)
  await expect(prepareHome(newHome(), { httpsPort: 0, ownHttps: true })).rejects.toThrow(
    'needs a port for HTTPS',
  )
})

test('an inner port that somebody took is given up for another', async () => {
  const home = newHome()
  const { webPort } = await prepareHome(home, {})
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(webPort, '127.0.0.1', resolve))
  const again = await prepareHome(home, {})
  await new Promise((resolve) => server.close(resolve))
  expect(again.webPort).not.toBe(webPort)
  expect(readSettings(home)?.webPort).toBe(again.webPort)
})

test.each([
  ['6.1.0-13-amd64', true],
  ['5.19.0', true],
  ['5.18.19', false],
  ['4.19.0-26', false],
])('kernel %s is new enough: %s', (version, isEnough) => {
  expect(kernelIsAtLeast(version, 5, 19)).toBe(isEnough)
})

test('whatever is not good comes with what to do', async () => {
  const list = await findings(newHome())
  expect(list.length).toBeGreaterThan(8)
  expect(list.filter(({ state, mend }) => state !== 'good' && mend === '')).toEqual([])
  expect(list.find(({ what }) => what === 'overlayfs')?.state).toBe('good')
})
