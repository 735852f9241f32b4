import { readFileSync, statSync } from 'node:fs'
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

describe('signals', () => {
  test('kill delivers any signal, and SIGKILL ends it for good whatever its restart policy', async () => {
    const { id } = await run({ command: counting, restart: 'always' })
    await until('it counts', async () => (await lines(id)) > 2)
    expect(await containers().kill(id, { killSignal: 'HUP' })).toMatchObject({ status: 'running' })
    await until('it heard', async () => (await readLines(host.engine, id)).includes('got HUP'))
    expect(await containers().kill(id)).toMatchObject({ status: 'exited', exitCode: 137, restarts: 0 })
    await expect(containers().kill(id)).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: expect.stringContaining('it is exited'),
    })
    await expect(containers().kill(id, { killSignal: 'SIGFOO' })).rejects.toMatchObject({ kind: 'invalid' })
  })

  test('restart makes a new run on the same address, and starts one that has ended', async () => {
    const first = await run({})
    const second = await containers().restart(first.id, { graceMs: 0 })
    expect(second).toMatchObject({ status: 'running', address: first.address, restarts: 0 })
    expect(second.pid).not.toBe(first.pid)
    await containers().stop(first.id, { graceMs: 0 })
    expect(await containers().restart(first.id, { graceMs: 0 })).toMatchObject({ status: 'running' })
    await containers().remove(first.id, { force: true })
  })
})

describe('held still', () => {
  test('a paused container does nothing until it is resumed, also across engines', async () => {
    const { id } = await run({ command: counting })
    await until('it counts', async () => (await lines(id)) > 2)
    expect(await containers().pause(id)).toMatchObject({ status: 'paused' })
    expect(await containers().pause(id)).toMatchObject({ status: 'paused' })
    const before = await lines(id)
    await host.reopen()
    expect(await containers().inspect(id)).toMatchObject({ status: 'paused' })
    expect(await lines(id)).toBe(before)
    expect(await containers().resume(id)).toMatchObject({ status: 'running' })
    expect(await containers().resume(id)).toMatchObject({ status: 'running' })
    await until('it goes on', async () => (await lines(id)) > before)
    await containers().pause(id)
    expect(await containers().stop(id, { graceMs: 50 })).toMatchObject({ status: 'exited' })
    await expect(containers().pause(id)).rejects.toMatchObject({ kind: 'failed-precondition' })
    await expect(containers().resume(id)).rejects.toMatchObject({ kind: 'failed-precondition' })
  })

  test('it can be removed by force while it is held still', async () => {
    const { id } = await run({})
    await containers().pause(id)
    await containers().remove(id, { force: true })
    await expect(containers().inspect(id)).rejects.toMatchObject({ kind: 'not-found' })
  })
})

describe('names', () => {
  test('a renamed container answers to both, and nobody else can take either', async () => {
    const spec = host.spec()
    await containers().create(spec)
    expect(await containers().rename(spec.id, 'shop')).toMatchObject({ id: spec.id, name: 'shop' })
    expect(await containers().inspect('shop')).toMatchObject({ id: spec.id })
    const other = host.spec()
    await containers().create(other)
    await expect(containers().rename(other.id, 'shop')).rejects.toMatchObject({ kind: 'already-exists' })
    await expect(containers().rename(other.id, spec.id)).rejects.toMatchObject({ kind: 'already-exists' })
    await expect(containers().create(host.spec({ id: 'shop' }))).rejects.toMatchObject({
      kind: 'already-exists',
    })
    await expect(containers().rename(other.id, '../x')).rejects.toMatchObject({ kind: 'invalid' })
    await containers().rename('shop', spec.id)
    await containers().rename(other.id, 'shop')
    await containers().remove('shop')
    await containers().remove(spec.id)
  })
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

  test('memory below what is in use is refused, and nothing has changed', async () => {
    const hog = sh('dd if=/dev/zero of=/dev/shm/x bs=1M count=40; echo full; sleep 1000')
    const { id } = await run({ limits, command: hog })
    await until('it is full', async () => (await readLines(host.engine, id)).includes('full'))
    await expect(
      containers().update(id, { limits: { memoryBytes: 16 * 2 ** 20, pids: 5 } }),
    ).rejects.toMatchObject({ kind: 'failed-precondition' })
    expect(await containers().inspect(id)).toMatchObject({ status: 'running', spec: { limits } })
    await expect(containers().update(id, { limits: { pids: 0 } })).rejects.toMatchObject({ kind: 'invalid' })
    await containers().remove(id, { force: true })
  })
})

describe('what it uses', () => {
  test('stats count processor, memory, processes and traffic', async () => {
    const { id, address } = await run({
      command: sh('httpd -p 80 -h /bin; dd if=/dev/zero of=/dev/shm/x bs=1M count=20; while :; do :; done'),
    })
    await until('it serves and burns', async () => {
      await fetch(`http://${address}/busybox`).then((response) => response.arrayBuffer())
      const { cpuNs, cpuThrottledNs } = await containers().stats(id)
      // It is allowed half a processor and wants a whole one.
      return cpuNs > 50_000_000 && cpuThrottledNs > 0
    })
    const stats = await containers().stats(id)
    expect(stats).toMatchObject({ limits: { memoryBytes: 64 * 2 ** 20, cpuMillis: 500, pids: 64 } })
    expect(stats.memoryBytes).toBeGreaterThan(20 * 2 ** 20)
    expect(stats.memoryBytes).toBeLessThan(64 * 2 ** 20)
    expect(stats.pids).toBeGreaterThanOrEqual(2)
    expect(stats.sentBytes).toBeGreaterThan(statSync('/bin/busybox').size)
    expect(stats.receivedPackets).toBeGreaterThan(2)
    const rising: number[] = []
    for await (const { cpuNs } of containers().watchStats(id, { everyMs: 50 })) {
      rising.push(cpuNs)
      if (rising.length === 3) await containers().kill(id)
    }
    expect(rising).toEqual([...rising].sort((a, b) => a - b))
    await expect(containers().stats(id)).rejects.toMatchObject({ kind: 'failed-precondition' })
  })

  test('top shows the processes as the container numbers them', async () => {
    const image = await host.pull('top:1', { user: 'app', command: sh('sleep 999 & sleep 1000') })
    const { id, pid } = await run({ image })
    const found = await until('both', async () => {
      const all = await containers().top(id)
      return all.filter(({ command }) => command[0] === 'sleep').length === 2 && all
    })
    expect(found[0]).toMatchObject({ pid: 1, hostPid: pid, uid: 1000, state: 'S' })
    expect(found.map(({ command }) => command.join(' '))).toContain('sleep 999')
    await containers().remove(id, { force: true })
    await expect(containers().top(id)).rejects.toMatchObject({ kind: 'not-found' })
  })
})

test('inspect says all of it but the values of its environment', async () => {
  const spec = host.spec({ environment: { PASSWORD: 'hush' }, aliases: ['web'], stopGraceMs: 5 })
  await containers().create(spec)
  const { environment: _, ...rest } = spec
  const found = await containers().inspect(spec.id)
  expect(found.spec).toEqual({ ...rest, environmentNames: ['PASSWORD'], fileTargets: [] })
  expect(JSON.stringify(found)).not.toContain('hush')
  await containers().remove(spec.id)
})
