import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readLines, startEngine, type TestEngine } from '../../support/engine.ts'
import { until } from '../../support/until.ts'

let host: TestEngine
beforeAll(async () => {
  host = await startEngine()
})
afterAll(() => host.close())

const sh = (script: string) => ['/bin/sh', '-c', script]
const containers = () => host.engine.containers

async function run(changes: Parameters<TestEngine['spec']>[0]) {
  const spec = host.spec(changes)
  await containers().create(spec)
  return containers().start(spec.id)
}

const counting = sh('trap "echo got HUP" HUP; i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done')
const lines = async (id: string) => (await readLines(host.engine, id)).length

test('a paused container stays paused across engines', async () => {
  const { id } = await run({ command: counting })
  await until('it counts', async () => (await lines(id)) > 2)
  await containers().pause(id)
  const before = await lines(id)
  await host.reopen()
  expect(await containers().inspect(id)).toMatchObject({ status: 'paused' })
  expect(await lines(id)).toBe(before)
  await containers().resume(id)
  await until('it goes on', async () => (await lines(id)) > before)
  await containers().remove(id, { force: true })
})

describe('limits while it runs', () => {
  const inside = async (id: string, file: string) => {
    const { pid } = await containers().inspect(id)
    return readFileSync(`/proc/${pid}/root/sys/fs/cgroup/${file}`, 'utf8').trim()
  }
  const limits = { memoryBytes: 64 * 2 ** 20, cpuMillis: 500, pids: 64, cpuWeight: 200 }

  test('update is in force at once, seen from inside, and at the next start too', async () => {
    const { id } = await run({ limits, command: ['/bin/sleep', '1000'] })
    const isV2 = host.engine.info().then(({ cgroups }) => cgroups === 'v2')
    const files = (await isV2)
      ? { memory: 'memory.max', pids: 'pids.max', cpu: 'cpu.max', weight: 'cpu.weight' }
      : {
          memory: 'memory/memory.limit_in_bytes',
          pids: 'pids/pids.max',
          cpu: 'cpu/cpu.cfs_quota_us',
          weight: 'cpu/cpu.shares',
        }
    expect(await inside(id, files.weight)).toBe((await isV2) ? '200' : '2048')
    const changes = { memoryBytes: 128 * 2 ** 20, cpuMillis: 250, pids: 33, cpuWeight: 50 }
    await containers().update(id, { limits: changes, restart: 'on-failure' })
    const look = async () => ({
      memory: await inside(id, files.memory),
      pids: await inside(id, files.pids),
      cpu: (await inside(id, files.cpu)).split(' ')[0],
      weight: await inside(id, files.weight),
    })
    const expected = {
      memory: String(128 * 2 ** 20),
      pids: '33',
      cpu: '25000',
      weight: (await isV2) ? '50' : '512',
    }
    expect(await look()).toEqual(expected)
    await containers().restart(id, { graceMs: 0 })
    expect(await look()).toEqual(expected)
    const { spec } = await containers().inspect(id)
    expect(spec).toMatchObject({ restart: 'on-failure', limits: changes })
    await containers().remove(id, { force: true })
  })
})
