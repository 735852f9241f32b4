/** Sandboxes that wait for the next build with their cache: who gets one, and when it goes. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openSandbox } from '../../../engine/builder/sandbox.ts'
import { createSpares, type Spares } from '../../../engine/builder/spares.ts'
import type { BuildSpec } from '../../../engine/index.ts'
import { startBuilder, type TestBuilder, tarOf } from '../../support/builder.ts'
import { leftOnHost } from '../../support/engine.ts'
import { until } from '../../support/until.ts'

let builder: TestBuilder
let from: string
let caches = 0

beforeAll(async () => {
  builder = await startBuilder()
  from = await builder.base('base:1', {})
})
afterAll(() => builder?.close())

beforeEach(async () => {
  for (let cache = 1; cache <= caches; cache++) await builder.t.engine.builder.dropCache(`cache-${cache}`)
  expect(await waiting()).toEqual([])
})

const newCache = () => `cache-${++caches}`

async function waiting(): Promise<string[]> {
  return (await builder.t.engine.containers.list())
    .filter(({ id, status }) => id.startsWith('spare-') && status === 'running')
    .map(({ id }) => id)
}

/** Once nothing of the build is left but what waits: another than that. */
async function waitingFor(cache: string, than?: string): Promise<string> {
  return until(`one waits for ${cache}`, async () => {
    const { usedBy } = await builder.t.engine.volumes.inspect(`build-${cache}`)
    const running = await waiting()
    return usedBy.length === 1 && usedBy.find((id) => id !== than && running.includes(id))
  })
}

const build = (step: string, changes: Partial<BuildSpec>, options = {}) =>
  builder.build({ Dockerfile: `${from}RUN ${step}\n` }, changes, options)

/** The sandbox that a step of a build runs in. */
async function whereItRuns(cache: string): Promise<string[]> {
  await until('its step runs', () => builder.said().includes('begun'))
  return (await builder.t.engine.volumes.inspect(`build-${cache}`)).usedBy
}

test('the next build with a cache runs in what waited for it, which then goes; another waits', async () => {
  const cache = newCache()
  await build('echo first', { cache })
  const first = await waitingFor(cache)
  const secrets = { token: 'of-this-build' }
  const running = builder.build(
    {
      Dockerfile: `${from}RUN --mount=type=secret,id=token cat /run/secrets/token && echo && echo begun && sleep 1\n`,
    },
    { cache, secrets },
  )
  expect(await whereItRuns(cache)).toEqual([first])
  const { lines, hadCache } = await running
  expect(hadCache).toBe(true)
  expect(lines).toContain('of-this-build')
  const second = await waitingFor(cache, first)
  await builder.nothingIsLeft()
  await until('the source of before is gone', async () => {
    const command = ['ls', '-A', '/var/lib/containers/context']
    const { output, exited } = await builder.t.engine.containers.exec(second, { command })
    const [names] = await Promise.all([text(output), exited])
    return names === ''
  })
  expect(await waiting()).toEqual([second])
})

test('a build in what waited is ended at its limits, and within two seconds of being called off', async () => {
  const cache = newCache()
  await build('true', { cache })
  const before = await waitingFor(cache)
  const stop = new AbortController()
  const reason = new Error('called off')
  const running = build('echo begun && sleep 1000', { cache }, { signal: stop.signal })
  const ended = expect(running).rejects.toBe(reason)
  await whereItRuns(cache)
  const askedAt = Date.now()
  stop.abort(reason)
  await ended
  expect(Date.now() - askedAt).toBeLessThan(2_000)
  const waits = await waitingFor(cache, before)
  const { limits } = builder.specOf(Buffer.alloc(0))
  const greedy = build("a=$(head -c 300000000 /dev/zero | tr '\\0' x)", { cache })
  await expect(greedy).rejects.toMatchObject({ reason: 'out-of-memory' })
  expect((await builder.t.engine.containers.list()).map(({ id }) => id)).not.toContain(waits)
  const next = await waitingFor(cache, waits)
  const { spec } = await builder.t.engine.containers.inspect(next)
  expect(spec.limits).toMatchObject({ memoryBytes: limits.memoryBytes, pids: limits.pids })
})

test('what is not as it would be made now is given to nobody', async () => {
  const cache = newCache()
  await build('true', { cache })
  const first = await waitingFor(cache)
  const limits = { ...builder.specOf(Buffer.alloc(0)).limits, pids: 200 }
  const running = build('echo begun && sleep 1', { cache, limits })
  expect(await whereItRuns(cache)).not.toContain(first)
  await running
  await waitingFor(cache, first)
})

test('two wait at most, the oldest goes, and a cache that is dropped has none', async () => {
  const all = [newCache(), newCache(), newCache()]
  const waits: string[] = []
  for (const cache of all) {
    await build('true', { cache })
    waits.push(await waitingFor(cache))
  }
  await until('the oldest is gone', async () => (await waiting()).length === 2)
  expect((await waiting()).sort()).toEqual(waits.slice(1).sort())
  await builder.t.engine.builder.dropCache(all[2] ?? '')
  expect(await waiting()).toEqual([waits[1]])
  expect((await builder.t.engine.volumes.list()).map(({ name }) => name)).not.toContain(`build-${all[2]}`)
})

test('a cache that is dropped right behind an answer stays dropped', async () => {
  const cache = newCache()
  await build('true', { cache })
  await builder.t.engine.builder.dropCache(cache)
  expect(await waiting()).toEqual([])
  expect((await builder.t.engine.volumes.list()).map(({ name }) => name)).not.toContain(`build-${cache}`)
})

test('none is made while another build is under way', async () => {
  const [one, other] = [newCache(), newCache()]
  const stop = new AbortController()
  const long = build('echo begun && sleep 1000', { cache: other }, { signal: stop.signal }).catch(String)
  await until('it runs', () => builder.said().includes('begun'))
  await build('true', { cache: one })
  await until('nothing of it is left', async () => {
    const { usedBy } = await builder.t.engine.volumes.inspect(`build-${one}`)
    return usedBy.length === 0
  })
  stop.abort(new Error('enough'))
  await long
  await waitingFor(other)
  expect(await waiting()).toHaveLength(1)
})

/** One that is there when it answers, and its container's id. */
async function keepOne(spares: Spares, id: string): Promise<string> {
  const { containers, networks, volumes } = builder.t.engine
  const { idRange, limits } = builder.specOf(Buffer.alloc(0))
  const spec = { role: 'spare', id, image: builder.t.image, idRange, limits, volume: null, files: [] }
  await spares.keep(id, 'alike', () =>
    openSandbox({ containers, networks, volumes }, { ...spec, workDir: '/work' }),
  )
  expect(await waiting()).toEqual([`spare-${id}`])
  return `spare-${id}`
}

test('it goes when its time is over', async () => {
  const spares = createSpares({ most: 2, keptMs: 3_000 })
  await keepOne(spares, 'timed')
  await until('it is gone', async () => (await waiting()).length === 0)
  expect(await spares.take('timed', 'alike')).toBeNull()
})

test('one that has ended is given to nobody, and nothing of it is left', async () => {
  const spares = createSpares({ most: 2, keptMs: 600_000 })
  const { containers } = builder.t.engine
  const id = await keepOne(spares, 'ended')
  // As for want of memory.
  await containers.kill(id)
  await containers.wait(id)
  expect(await spares.take('ended', 'alike')).toBeNull()
  expect((await containers.list()).map((each) => each.id)).not.toContain(id)
})

test('once it is over none waits, and none is kept any more', async () => {
  const spares = createSpares({ most: 2, keptMs: 600_000 })
  await keepOne(spares, 'closed')
  await spares.close()
  expect(await waiting()).toEqual([])
  await spares.keep('late', 'alike', () => Promise.reject(new Error('it was asked for')))
  expect(await spares.take('late', 'alike')).toBeNull()
})

test('an engine that closes leaves none', async () => {
  const cache = newCache()
  await build('true', { cache })
  const waits = await waitingFor(cache)
  await builder.t.engine.close()
  expect(leftOnHost(builder.t.stateDir).filter((what) => what.includes(waits))).toEqual([])
  await builder.t.reopen()
  expect((await builder.t.engine.volumes.inspect(`build-${cache}`)).usedBy).toEqual([])
})

test('what waited in an engine that was killed is swept by the next', async () => {
  await builder.t.engine.close()
  const cache = newCache()
  const { stateDir, registry } = builder.t
  const { timestamp, source, ...spec } = builder.specOf(Buffer.alloc(0), { cache })
  const options = {
    ...{ stateDir, networkPool: '10.90.0.0/16', allowedHostPorts: [Number(builder.host.split(':')[1])] },
    registries: { [registry.host]: { url: `http://127.0.0.1:${registry.port}` } },
  }
  const archive = (await tarOf({ Dockerfile: `${from}RUN true\n` })).toString('base64')
  const child = fork(new URL('../../support/build-child.ts', import.meta.url), [
    JSON.stringify({ options, spec, source: archive }),
  ])
  const [{ waits }] = (await once(child, 'message')) as [{ waits: string }]
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
  expect(leftOnHost(stateDir).filter((what) => what.includes(waits))).not.toEqual([])
  await builder.t.reopen()
  expect(await builder.t.engine.containers.list()).toEqual([])
  expect((await builder.t.engine.networks.list()).map(({ name }) => name)).not.toContain(waits)
  await until('nothing of it is left on the host', () =>
    leftOnHost(stateDir).every((what) => !what.includes(waits)),
  )
  expect(await build('true', { cache })).toMatchObject({ hadCache: true })
})
