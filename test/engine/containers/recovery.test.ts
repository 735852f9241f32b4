import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createEngine, type EngineOptions } from '../../../engine/index.ts'
import {
  instanceOf,
  leftOnHost,
  outputOf,
  readLines,
  startEngine,
  type TestEngine,
} from '../../support/engine.ts'
import { until } from '../../support/until.ts'

let host: TestEngine
let options: EngineOptions
beforeAll(async () => {
  host = await startEngine()
  const registries = { [host.registry.host]: { url: `http://127.0.0.1:${host.registry.port}` } }
  options = { stateDir: host.stateDir, networkPool: '10.90.0.0/16', registries }
})
afterAll(() => host.close())

/** Lets another process own the engine's state; `host.engine` is closed meanwhile. */
async function startChild(
  command: string[],
  loop: boolean,
  onFork: (pid: number) => void = () => {},
): Promise<{ child: ChildProcess; id: string }> {
  const spec = host.spec({ command })
  await host.engine.close()
  const argument = JSON.stringify({ options, spec, loop })
  const child = fork(new URL('../../support/engine-child.ts', import.meta.url), [argument], {
    stdio: 'inherit',
  })
  onFork(child.pid ?? 0)
  const [message] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [
    { started: string },
  ]
  return { child, id: message.started }
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

/** Monitors end a moment after their containers. */
async function nothingLeft(when: string, counts: (what: string) => boolean = () => true): Promise<void> {
  await until(`${when}: nothing is left`, () => {
    const left = leftOnHost(host.stateDir).filter(counts)
    if (left.length > 0) throw new Error(left.join('\n'))
    return true
  })
}

test('an engine that is killed at any moment leaves nothing that the next one does not sweep', async () => {
  for (let round = 0; round < 10; round++) {
    const { child } = await startChild(['/bin/sleep', '1000'], true)
    // Moments spread over a whole create, start and remove; whichever it hits, the outcome is the same.
    await sleep(round * 23)
    await kill(child)
    host.engine = await createEngine(options)
    const rest = await host.engine.containers.list()
    // One that was seen to run was adopted; ended, it holds as little as one that was cut off in its start.
    for (const { id, status } of rest)
      if (status === 'running') await host.engine.containers.stop(id, { graceMs: 0 })
    await nothingLeft(`round ${round}, runs`, (what) => !/bth|names/.test(what))
    for (const { id } of rest) await host.engine.containers.remove(id)
    await host.engine.networks.remove('net')
    await nothingLeft(`round ${round}`)
    expect(readdirSync(join(host.stateDir, 'snapshots'))).toEqual([])
    expect(readdirSync(join(host.stateDir, 'containers'))).toEqual([])
  }
})

test('containers outlive a killed engine: the next one has their output, their exit code and their address', async () => {
  const script = 'echo before; while ! test -e /tmp/go; do sleep 0.1; done; echo after; exit 5'
  const { child, id } = await startChild(['/bin/sh', '-c', script], false)
  await kill(child)
  host.engine = await createEngine(options)
  const found = await host.engine.containers.inspect(id)
  expect(found).toMatchObject({ status: 'running', exitCode: null })
  await expect(createEngine(options)).rejects.toMatchObject({ kind: 'failed-precondition' })
  const neighbour = host.spec({ command: ['/bin/nslookup', id] })
  await host.engine.containers.create(neighbour)
  await host.engine.containers.start(neighbour.id)
  expect((await outputOf(host.engine, neighbour.id)).join('\n')).toContain(found.address)
  writeFileSync(`/proc/${found.pid}/root/tmp/go`, '')
  const ended = await host.engine.containers.wait(id, { signal: AbortSignal.timeout(60_000) })
  expect(ended).toMatchObject({ status: 'exited', exitCode: 5 })
  expect(await readLines(host.engine, id)).toEqual(['before', 'after'])
})

test('containers outlive the end of the control group that their engine was started in, as Docker and systemd end it', async () => {
  const root = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'].find((path) =>
    existsSync(join(path, 'cgroup.procs')),
  )
  const group = join(root ?? '', `berth-test-${process.pid}`)
  mkdirSync(group)
  const script = 'echo before; while ! test -e /tmp/go; do sleep 0.1; done; echo after; exit 6'
  const { child, id } = await startChild(['/bin/sh', '-c', script], false, (pid) =>
    writeFileSync(join(group, 'cgroup.procs'), String(pid)),
  )
  const gone = once(child, 'exit')
  await until('the group has ended', () => {
    const pids = readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)
    for (const pid of pids) process.kill(Number(pid), 'SIGKILL')
    return pids.length === 0
  })
  rmdirSync(group)
  await gone
  host.engine = await createEngine(options)
  const { status, pid } = await host.engine.containers.inspect(id)
  expect(status).toBe('running')
  writeFileSync(`/proc/${pid}/root/tmp/go`, '')
  const ended = await host.engine.containers.wait(id, { signal: AbortSignal.timeout(60_000) })
  expect(ended).toMatchObject({ status: 'exited', exitCode: 6 })
  expect(await readLines(host.engine, id)).toEqual(['before', 'after'])
})

test('an exit while no engine was there is seen by the next', async () => {
  const { child, id } = await startChild(['/bin/sh', '-c', 'sleep 0.3; echo late; exit 9'], false)
  await kill(child)
  await until('the exit file', () => existsSync(`/run/berth/${instanceOf(host.stateDir)}/exits/${id}`))
  host.engine = await createEngine(options)
  expect(await host.engine.containers.inspect(id)).toMatchObject({ status: 'exited', exitCode: 9 })
  expect(await readLines(host.engine, id)).toEqual(['late'])
})

test('after a restart of the host all have exited, and start again as they were', async () => {
  const spec = host.spec()
  await host.engine.containers.create(spec)
  const before = await host.engine.containers.start(spec.id)
  await host.engine.close()
  const db = new DatabaseSync(join(host.stateDir, 'engine.db'))
  db.exec(`UPDATE containers SET boot_id = 'another'`)
  db.close()
  host.engine = await createEngine(options)
  const after = await host.engine.containers.inspect(spec.id)
  expect(after).toMatchObject({ status: 'exited', exitCode: null, address: before.address })
  expect(await host.engine.containers.start(spec.id)).toMatchObject({ address: before.address })
})
