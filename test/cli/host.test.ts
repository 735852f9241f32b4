import { chmodSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { closedFolder, mustBeReachable, nearestFolder } from '../../cli/prepare/place.ts'
import { listeningInodes, portHolder } from '../../cli/prepare/port-holder.ts'
import { partEnvironment, prepareHome, readSettings } from '../../cli/settings.ts'
import { loadConfig } from '../../platform/config.ts'
import { signRegistryToken } from '../../platform/registry/sign-token.ts'
import { loadKeyring } from '../../platform/secrets.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-host-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('who listens on a port is named', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  expect(portHolder(port)).toContain(`(process ${process.pid})`)
  await new Promise((resolve) => server.close(resolve))
  expect(portHolder(port)).toBeNull()
})

test('only listening sockets of exactly this port count', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 00000000:1BA8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0',
    '   1: 0100007F:1BA8 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0',
    '   2: 00000000:01BA 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0',
  ].join('\n')
  expect(listeningInodes(table, 7_080)).toEqual(['4711'])
})

test('a home below a closed folder is refused before anything is made', async () => {
  const closed = join(folder, 'closed')
  await mkdir(closed, { mode: 0o700 })
  chmodSync(folder, 0o755)
  expect(closedFolder(join(closed, 'a/b'))).toBe(closed)
  expect(() => mustBeReachable(join(closed, 'a/b'))).toThrow(`chmod o+x ${closed}`)
  expect(closedFolder(join(folder, 'open'))).toBeNull()
  expect(nearestFolder(join(closed, 'a/b'))).toBe(closed)
})

test('the parts accept what they are told, and the secrets are of the kinds that they need', async () => {
  const home = join(folder, 'home')
  const settings = await prepareHome(home, { port: 7080, domain: '' })
  const config = loadConfig(partEnvironment(home, settings))
  expect(config.publicUrl).toBe('http://localhost:7080')
  expect(config.hostId).toBe(settings.hostId)
  expect(loadKeyring(config).current).toBe('k1')
  expect(await signRegistryToken(config, 'test', [], 60)).toMatch(/^ey/)
})

test('settings that were spoilt are a sentence, not a crash, and stay as they are', async () => {
  const home = join(folder, 'spoilt')
  await mkdir(home)
  await writeFile(join(home, 'settings.json'), '{"port": "eighty"')
  expect(() => readSettings(home)).toThrow(/put it right/)
  await expect(prepareHome(home, {})).rejects.toThrow(/put it right/)
  expect(readFileSync(join(home, 'settings.json'), 'utf8')).toContain('eighty')
})
