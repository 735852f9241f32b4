import { afterAll, beforeAll, expect, test } from 'vitest'
import { shouldGiveWay } from '../../../engine/builder/giving-way.ts'
import { startBuilder, type TestBuilder } from '../../support/builder.ts'
import { until } from '../../support/until.ts'

let builder: TestBuilder

beforeAll(async () => {
  builder = await startBuilder()
  await builder.base('base:1', {})
})
afterAll(() => builder?.close())

test('a build that wants the processors leaves them to whoever else wants them', async () => {
  const stop = new AbortController()
  const steps = `FROM ${builder.host}/base:1\nRUN echo begun && while true; do :; done\n`
  const running = builder.build({ Dockerfile: steps }, {}, { signal: stop.signal }).catch(String)
  await until('its step runs', () => builder.said().includes('begun'))
  const { containers } = builder.t.engine
  await until('it gives way', async () => {
    const [ran] = (await containers.list()).filter(({ id }) => id.startsWith('build-'))
    return ran !== undefined && (await containers.inspect(ran.id)).spec.limits.cpuIdle === true
  })
  stop.abort(new Error('enough'))
  await running
  await builder.nothingIsLeft()
})

test('one that is left nearly nothing has its small share, until it gets what it needs', () => {
  expect(shouldGiveWay(true, 0.9)).toBe(true)
  expect(shouldGiveWay(true, 0.01)).toBe(false)
  // A tenth of what an app gets is no sign that the host has time again.
  expect(shouldGiveWay(false, 0.09)).toBe(false)
  expect(shouldGiveWay(false, 0.2)).toBe(false)
  expect(shouldGiveWay(false, 0.5)).toBe(true)
})
