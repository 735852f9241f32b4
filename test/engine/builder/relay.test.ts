import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { relayCommand } from '../../../engine/builder/commands.ts'
import { freePort } from '../../support/registry.ts'
import { until } from '../../support/until.ts'

test('what connects to the registry all at once finds room, however slow the relay is', async () => {
  const port = await freePort()
  const command = relayCommand(`localhost:${port}/acme/shop:1`, '127.0.0.1') ?? []
  const relay = spawn('busybox', command, { stdio: 'ignore' })
  onTestFinished(() => void relay.kill('SIGKILL'))
  await until('it listens', () => listens(port))
  // From here on it takes none: what it has no room for is dropped, and would be tried again a second later.
  relay.kill('SIGSTOP')
  const clients = Array.from({ length: 48 }, () => connect(port, '127.0.0.1'))
  onTestFinished(() => clients.forEach((client) => void client.destroy()))
  const all = Promise.all(clients.map((client) => once(client, 'connect'))).then(() => 'all have room')
  expect(await Promise.race([all, sleep(900, 'some wait')])).toBe('all have room')
})

test('only names of this machine are relayed, each at its port', () => {
  expect(relayCommand('registry.example/acme/shop:1', '10.0.0.1')).toBeNull()
  expect(relayCommand('localhost/acme/shop:1', '10.0.0.1')?.slice(2)).toEqual([
    '-p',
    '80',
    '-e',
    '/bin/nc',
    '10.0.0.1',
    '80',
  ])
})

/** State 0A of proc(5), /proc/net/tcp. */
function listens(port: number): boolean {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return ['/proc/net/tcp', '/proc/net/tcp6'].some((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .some((line) => {
        const [, local, , state] = line.trim().split(/\s+/)
        return local?.endsWith(wanted) === true && state === '0A'
      }),
  )
}
