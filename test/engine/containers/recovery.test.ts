import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Container,
  type ContainerSpec,
  createEngine,
  type EngineOptions,
} from '../../../engine/index.ts'
import { freezeCgroup, isFrozen } from '../../../engine/sys/cgroup-control.ts'
import { childCgroups, removeCgroup } from '../../../engine/sys/cgroups.ts'
import { killProcesses, processStart } from '../../../engine/sys/processes.ts'
import { unmount } from '../../../engine/sys/syscalls.ts'
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
  { onFork = () => {}, ...changes }: Partial<ContainerSpec> & { onFork?: (pid: number) => void } = {},
): Promise<{ child: ChildProcess; id: string }> {
  const spec = host.spec({ command, ...changes })
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
    const { child } = await startChild(['/bin/sleep', '1000'], true, { aside: round % 2 === 1 })
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

test('a container aside is found in its own group by the next engine', async () => {
  const { child, id } = await startChild(['/bin/sleep', '1000'], false, { aside: true })
  await kill(child)
  host.engine = await createEngine(options)
  expect((await host.engine.containers.stats(id)).cpuNs).toBeGreaterThan(0)
  await host.engine.containers.remove(id, { force: true })
})

test('containers outlive the end of the control group that their engine was started in, as Docker and systemd end it', async () => {
  const root = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'].find((path) =>
    existsSync(join(path, 'cgroup.procs')),
  )
  const group = join(root ?? '', `berth-test-${process.pid}`)
  mkdirSync(group)
  const script = 'echo before; while ! test -e /tmp/go; do sleep 0.1; done; echo after; exit 6'
  const { child, id } = await startChild(['/bin/sh', '-c', script], false, {
    onFork: (pid) => writeFileSync(join(group, 'cgroup.procs'), String(pid)),
  })
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

test('a container that ran out of memory while no engine was there is known to have', async () => {
  const script = 'while ! test -e /tmp/go; do sleep 0.05; done; exec tail /dev/zero'
  const limits = { memoryBytes: 16 * 2 ** 20, cpuMillis: 1_000, pids: 16 }
  const { child, id } = await startChild(['/bin/sh', '-c', script], false, { limits })
  await kill(child)
  const db = new DatabaseSync(join(host.stateDir, 'engine.db'), { readOnly: true })
  const pid = Number(db.prepare('SELECT pid FROM containers WHERE id = ?').get(id)?.pid)
  db.close()
  writeFileSync(`/proc/${pid}/root/tmp/go`, '')
  await until('the exit file', () => existsSync(`/run/berth/${instanceOf(host.stateDir)}/exits/${id}`))
  host.engine = await createEngine(options)
  const ended = { status: 'exited', exitCode: 137, oomKilled: true }
  expect(await host.engine.containers.inspect(id)).toMatchObject(ended)
})

test('restarts wait on as if the engine had never been away, and one that has given up stays so', async () => {
  const restart = 'on-failure' as const
  const command = ['/bin/sh', '-c', 'exit 1']
  const failing = host.spec({ restart, command })
  const over = host.spec({ restart, maxRestarts: 1, command })
  for (const spec of [over, failing]) {
    await host.engine.containers.create(spec)
    await host.engine.containers.start(spec.id)
  }
  const ends = async (id: string, count: number) => {
    const all: Container[] = []
    const signal = AbortSignal.timeout(60_000)
    for await (const { type, container } of host.engine.containers.events({ after: '0', signal }))
      if (container.id === id && type === 'exited' && all.push(container) === count) break
    return all
  }
  await ends(failing.id, 5)
  await ends(over.id, 2)
  await host.engine.close()
  host.engine = await createEngine(options)
  const [before, after] = (await ends(failing.id, 6)).slice(-2)
  // The fifth waits for 100 ms, four times doubled.
  const waitedMs = Date.parse(after?.startedAt ?? '') - Date.parse(before?.finishedAt ?? '')
  expect(waitedMs).toBeGreaterThanOrEqual(1_600)
  expect(await host.engine.containers.inspect(over.id)).toMatchObject({ status: 'exited', restarts: 1 })
  for (const { id } of [over, failing]) await host.engine.containers.remove(id, { force: true })
})

test('what a killed engine held still for a moment goes on, and what it had let go on says so', async () => {
  const [held, going] = [host.spec(), host.spec()]
  for (const { id } of [held, going]) {
    await host.engine.containers.create({ ...held, id })
    await host.engine.containers.start(id)
  }
  await host.engine.containers.pause(going.id)
  const groups = await Promise.all(
    [held, going].map(async ({ id }) => (await host.engine.containers.inspect(id)).cgroup),
  )
  const [heldGroup = '', goingGroup = ''] = groups
  await host.engine.close()
  // As it is between the two halves of a diff, and between those of a resume.
  await freezeCgroup(heldGroup, true)
  await freezeCgroup(goingGroup, false)
  host.engine = await createEngine(options)
  for (const [{ id }, group] of [
    [held, heldGroup],
    [going, goingGroup],
  ] as const) {
    expect(await host.engine.containers.inspect(id)).toMatchObject({ status: 'running' })
    expect(await isFrozen(group)).toBe(false)
    await host.engine.containers.remove(id, { force: true })
  }
})

/** Another boot: the same folder, and nothing that runs, is mounted or was made in memory. */
async function reboot(): Promise<void> {
  await host.engine.close()
  const instance = instanceOf(host.stateDir)
  const runDir = `/run/berth/${instance}`
  await killProcesses((argv) => argv.some((word) => word.includes(runDir)))
  for (const id of await childCgroups(`/berth-${instance}`)) await removeCgroup(`/berth-${instance}/${id}`)
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n').reverse()) {
    const target = line.split(' ')[4] ?? ''
    if (target.startsWith(`${runDir}/`) || target.startsWith(`${host.stateDir}/`))
      unmount(target, { detach: true })
  }
  for (const link of readdirSync('/sys/class/net').filter((name) => name.includes(instance)))
    try {
      execFileSync('ip', ['link', 'delete', link], { stdio: 'pipe' })
    } catch (error) {
      // The kernel takes those of namespaces that nobody is in any more, in its own time.
      if (existsSync(`/sys/class/net/${link}`)) throw error
    }
  for (const family of ['inet', 'bridge'])
    execFileSync('nft', ['delete', 'table', family, `berth_${instance}`])
  rmSync(runDir, { recursive: true })
  const db = new DatabaseSync(join(host.stateDir, 'engine.db'))
  db.exec(`UPDATE containers SET boot_id = 'another'`)
  db.close()
  host.engine = await createEngine(options)
}

test('after a restart of the host all have exited, and those start again whose policy says so', async () => {
  const command = ['/bin/sh', '-c', 'echo up; exec sleep 1000']
  const specs = {
    once: host.spec({ command }),
    always: host.spec({ command, restart: 'always' }),
    failure: host.spec({ command, restart: 'on-failure' }),
    stopped: host.spec({ command, restart: 'always' }),
  }
  const { containers } = host.engine
  for (const spec of Object.values(specs)) {
    await containers.create(spec)
    await containers.start(spec.id)
    await until('it is up', async () => (await readLines(host.engine, spec.id)).includes('up'))
  }
  const before = await host.engine.containers.inspect(specs.always.id)
  await containers.stop(specs.stopped.id, { graceMs: 0 })
  await reboot()
  const lost = await host.engine.containers.inspect(specs.once.id)
  expect(lost).toMatchObject({ status: 'exited', exitCode: null, oomKilled: false })
  for (const { id } of [specs.always, specs.failure])
    await until(`${id} runs again`, async () => {
      const { status } = await host.engine.containers.inspect(id)
      return status === 'running' && (await readLines(host.engine, id)).length === 2
    })
  expect(await host.engine.containers.inspect(specs.always.id)).toMatchObject({
    address: before.address,
    restarts: 1,
  })
  const stay = [specs.once, specs.stopped]
  for (const { id } of stay)
    expect(await host.engine.containers.inspect(id)).toMatchObject({ status: 'exited', restarts: 0 })
  expect(await host.engine.containers.start(specs.once.id)).toMatchObject({ status: 'running' })
  for (const { id } of Object.values(specs)) await host.engine.containers.remove(id, { force: true })
})

test('another boot’s row with this boot’s leftovers: all of them are swept', async () => {
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
  expect(processStart(before.pid ?? 0)).toBe(null)
  expect(leftOnHost(host.stateDir).filter((what) => !/dnsmasq|^names\/|^bth/.test(what))).toEqual([])
  expect(await host.engine.containers.start(spec.id)).toMatchObject({ address: before.address })
})
