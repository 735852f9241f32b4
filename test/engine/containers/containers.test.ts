import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ContainerEvent, LogLine } from '../../../engine/index.ts'
import { collect, idRange, outputOf, readLines, startEngine, type TestEngine } from '../../support/engine.ts'
import { until } from '../../support/until.ts'

let host: TestEngine
beforeAll(async () => {
  host = await startEngine()
})
afterAll(() => host.close())

const sh = (script: string) => ['/bin/sh', '-c', script]

async function run(changes: Parameters<TestEngine['spec']>[0]) {
  const spec = host.spec(changes)
  await host.engine.containers.create(spec)
  return host.engine.containers.start(spec.id)
}

/** The groups of a process: path of its group by controller. */
function cgroupFile(pid: number, controller: string, file: string): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n')
  const v1 = lines.map((line) => line.split(':')).find(([, names]) => names?.split(',').includes(controller))
  const folder = v1
    ? join('/sys/fs/cgroup', controller, v1[2] ?? '')
    : join('/sys/fs/cgroup', lines[0]?.slice(3) ?? '')
  return readFileSync(join(folder, file), 'utf8').trim()
}

describe('a life', () => {
  test('created, started, exited with its code, its output kept, removed: each told as an event', async () => {
    const stop = new AbortController()
    const events = host.engine.containers.events({ signal: stop.signal })
    const spec = host.spec({
      command: sh('echo out; echo err >&2; printf "no newline"; exit 7'),
      labels: { app: 'a1' },
    })
    const created = await host.engine.containers.create(spec)
    expect(created).toMatchObject({ status: 'created', pid: null, exitCode: null, labels: { app: 'a1' } })
    await expect(host.engine.containers.create(spec)).rejects.toMatchObject({ kind: 'already-exists' })
    await host.engine.containers.start(spec.id)
    expect((await outputOf(host.engine, spec.id)).sort()).toEqual(['err', 'no newline', 'out'])
    const ended = await host.engine.containers.inspect(spec.id)
    expect(ended).toMatchObject({ status: 'exited', exitCode: 7, oomKilled: false, pid: null })
    expect([ended]).toMatchObject(await host.engine.containers.list({ labels: { app: 'a1' } }))
    expect(await host.engine.containers.list({ labels: { app: 'a2' } })).toEqual([])
    await host.engine.containers.remove(spec.id)
    await host.engine.containers.remove(spec.id)
    await expect(host.engine.containers.inspect(spec.id)).rejects.toMatchObject({ kind: 'not-found' })
    stop.abort()
    const told: ContainerEvent[] = await collect(events)
    const ours = told.filter(({ container }) => container.id === spec.id).map(({ type }) => type)
    expect(ours).toEqual(['created', 'started', 'exited', 'removed'])
  })

  test('it may be started again: the writable layer, the address and the old log are still there', async () => {
    const first = await run({ command: sh('test -e /tmp/mark && echo again || echo first; touch /tmp/mark') })
    expect(await outputOf(host.engine, first.id)).toEqual(['first'])
    const second = await host.engine.containers.start(first.id)
    expect(second.address).toBe(first.address)
    expect(await outputOf(host.engine, first.id)).toEqual(['first', 'again'])
  })

  test('a command that is not there is an error of start, and leaves nothing running', async () => {
    const spec = host.spec({ command: ['/no/such/program'] })
    await host.engine.containers.create(spec)
    await expect(host.engine.containers.start(spec.id)).rejects.toThrow(/no such/i)
    expect(await host.engine.containers.inspect(spec.id)).toMatchObject({ status: 'created', pid: null })
  })

  test('stop asks first; who does not listen is killed after the grace', async () => {
    const polite = await run({
      command: sh('trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 0.1; done'),
    })
    await until('ready', async () => (await readLines(host.engine, polite.id)).includes('ready'))
    expect(await host.engine.containers.stop(polite.id, { graceMs: 60_000 })).toMatchObject({ exitCode: 0 })
    expect(await readLines(host.engine, polite.id)).toEqual(['ready', 'bye'])
    const deaf = await run({ command: sh('trap "" TERM; while :; do sleep 0.1; done') })
    const stopped = await host.engine.containers.stop(deaf.id, { graceMs: 300 })
    expect(stopped).toMatchObject({ status: 'exited', exitCode: 137, oomKilled: false })
    expect(await host.engine.containers.stop(deaf.id)).toEqual(stopped)
    await host.engine.containers.remove(deaf.id)
  })

  test('on-failure restarts with counting, keeps the address, and a stop ends it', async () => {
    const spec = { restart: 'on-failure' as const, command: sh('echo up; exit 1') }
    const started = await run(spec)
    await until('three runs', async () => (await readLines(host.engine, started.id)).length >= 3)
    const stopped = await host.engine.containers.stop(started.id, { graceMs: 0 })
    expect(stopped).toMatchObject({ status: 'exited', address: started.address })
    expect(stopped.restarts).toBeGreaterThanOrEqual(2)
    const done = await run({ restart: 'on-failure', command: sh('exit 0') })
    expect(await host.engine.containers.wait(done.id)).toMatchObject({ exitCode: 0, restarts: 0 })
    await host.engine.containers.remove(started.id)
    // Longer than it would wait for its own start.
    const later = await run(spec)
    await until('another started twice', async () => (await readLines(host.engine, later.id)).length >= 3)
    expect(await host.engine.containers.inspect(done.id)).toMatchObject({ status: 'exited', restarts: 0 })
    for (const { id } of [done, later]) await host.engine.containers.remove(id, { force: true })
  })
})

describe('limits and isolation', () => {
  test('limits are in the control groups, and the first process has the host id of the range', async () => {
    const image = await host.pull('user:1', {
      user: 'app',
      command: ['/bin/sleep', '1000'],
      workingDir: '/made/for/it',
    })
    const { id, pid } = await run({ image })
    if (pid === null) throw new Error('no pid')
    const v2 = existsSync('/sys/fs/cgroup/cgroup.controllers')
    expect(cgroupFile(pid, 'memory', v2 ? 'memory.max' : 'memory.limit_in_bytes')).toBe(String(64 * 2 ** 20))
    expect(cgroupFile(pid, 'pids', 'pids.max')).toBe('64')
    expect(cgroupFile(pid, 'cpu', v2 ? 'cpu.max' : 'cpu.cfs_quota_us')).toMatch(/^50000/)
    // Just started it is still the runtime, which lays its privileges down one after another.
    const status = await until('the image’s own program', () => {
      const text = readFileSync(`/proc/${pid}/status`, 'utf8')
      return text.startsWith('Name:\tsleep\n') && text
    })
    expect(status).toMatch(new RegExp(`^Uid:\\s+${idRange.base + 1000}\\s`, 'm'))
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m)
    expect(status).toMatch(/^CapEff:\s+0+$/m)
    expect(status).toMatch(/^Seccomp:\s+2$/m)
    await host.engine.containers.remove(id, { force: true })
  })

  test('new namespaces and mounts are refused inside, even to its root', async () => {
    const { id } = await run({
      command: sh(
        'unshare -U true && echo user; unshare -m true && echo mount-ns; mount -t tmpfs x /tmp && echo mount; ' +
          'cat /proc/kcore | head -c 1; echo x > /proc/sys/kernel/hostname && echo sysctl; echo done',
      ),
    })
    const lines = await outputOf(host.engine, id)
    expect(lines).toContain('done')
    for (const word of ['user', 'mount-ns', 'mount', 'sysctl']) expect(lines).not.toContain(word)
  })

  test('standard input has ended, and the host’s own devices stay the host’s', async () => {
    const { id } = await run({ command: sh('cat; stat -c %u /dev/null; echo x > /dev/null && echo ok') })
    expect(await outputOf(host.engine, id)).toEqual(['65534', 'ok'])
    expect(statSync('/dev/null')).toMatchObject({ uid: 0, gid: 0 })
  })

  test('a container that outgrows its memory is killed, and says so', async () => {
    const { id } = await run({
      limits: { memoryBytes: 16 * 2 ** 20, cpuMillis: 1000, pids: 16 },
      command: ['/bin/tail', '/dev/zero'],
    })
    const ended = await host.engine.containers.wait(id, { signal: AbortSignal.timeout(60_000) })
    expect(ended).toMatchObject({ exitCode: 137, oomKilled: true })
  })

  test('what confuses the runtime is refused before anything is made', async () => {
    const bad = [
      { id: '../x' },
      { id: 'A' },
      { aliases: ['a b'] },
      { environment: { 'A=B': 'c' } },
      { idRange: { base: 0, size: 65_536 } },
      { stopSignal: 'SIGNOTHING' },
      { limits: { memoryBytes: 64 * 2 ** 20, cpuMillis: 0, pids: 1 } },
    ]
    for (const changes of bad)
      await expect(
        host.engine.containers.create(host.spec(changes)),
        JSON.stringify(changes),
      ).rejects.toMatchObject({ kind: 'invalid' })
  })
})

describe('logs', () => {
  test('tail, a cursor and following agree on the lines, in order, none lost', async () => {
    const { id } = await run({ command: sh('seq 1 20000; while test ! -e /tmp/go; do sleep 0.1; done') })
    const all = await until('all lines', async () => {
      const lines = await collect(host.engine.containers.logs(id))
      return lines.length === 20_000 && lines
    })
    expect(all.map(({ text }) => text)).toEqual(
      Array.from({ length: 20_000 }, (_, index) => String(index + 1)),
    )
    const tail = await collect(host.engine.containers.logs(id, { tail: 3 }))
    expect(tail).toEqual(all.slice(-3))
    const after = await collect(host.engine.containers.logs(id, { after: all[19_989]?.cursor ?? '' }))
    expect(after).toEqual(all.slice(19_990))
    const stop = new AbortController()
    const followed: LogLine[] = []
    const following = (async () => {
      for await (const line of host.engine.containers.logs(id, {
        follow: true,
        tail: 1,
        signal: stop.signal,
      }))
        followed.push(line)
    })()
    await host.engine.containers.stop(id, { graceMs: 0 })
    await host.engine.containers.start(id)
    await until('the second run’s lines', () => followed.length === 20_001)
    expect(followed.slice(-1)[0]?.text).toBe('20000')
    await host.engine.containers.remove(id, { force: true })
    await following
  })

  test('listening ports are seen, those of loopback are not', async () => {
    const { id } = await run({ command: sh('nc -l -p 81 -s 127.0.0.1 & httpd -p 80 -h /tmp; sleep 1000') })
    await until('port 80', async () => (await host.engine.containers.listeningPorts(id)).includes(80))
    expect(await host.engine.containers.listeningPorts(id)).toEqual([80])
    await host.engine.containers.remove(id, { force: true })
  })
})
