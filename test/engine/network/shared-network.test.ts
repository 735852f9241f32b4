import { execFileSync } from 'node:child_process'
import { setImmediate as immediately } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isEngineError } from '../../../engine/index.ts'
import { instanceOf, startEngine, type TestEngine } from '../../support/engine.ts'

let host: TestEngine

beforeAll(async () => {
  host = await startEngine()
})
afterAll(() => host?.close())

/** Of this engine; the host may have others. */
function tables(): string[] {
  const name = `berth_${instanceOf(host.stateDir)}`
  return execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.endsWith(name))
}

async function leave(network: string): Promise<void> {
  await host.engine.networks.remove(network).catch((error) => {
    if (!isEngineError(error, 'failed-precondition')) throw error
  })
}

test('a container finds its network, whoever else leaves it at that moment', async () => {
  const { containers } = host.engine
  const over = new AbortController()
  const leaving = (async () => {
    while (!over.signal.aborted) {
      await leave('shared')
      await immediately()
    }
  })()
  const comeAndGo = async () => {
    for (let time = 0; time < 10; time++) {
      const { id } = await containers.create(host.spec({ network: 'shared' }))
      await containers.remove(id)
    }
  }
  await Promise.all([comeAndGo(), comeAndGo()]).finally(() => over.abort())
  await leaving
  await leave('shared')
  expect(await host.engine.networks.list()).toEqual([])
})

test('the firewall goes with the last network, and comes with the next', async () => {
  const { containers, networks } = host.engine
  await Promise.all([networks.ensure('one'), networks.ensure('other')])
  await leave('one')
  expect(tables()).toHaveLength(2)
  await leave('other')
  expect(tables()).toEqual([])
  const { id } = await containers.create(host.spec({ network: 'again' }))
  await containers.start(id)
  expect(tables()).toHaveLength(2)
  await containers.remove(id, { force: true })
  await host.reopen()
  expect(tables()).toHaveLength(2)
  await leave('again')
  expect(tables()).toEqual([])
})
