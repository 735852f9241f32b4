/** What else is mounted on the host is nothing to a start, and a start holds none of it. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ContainerSpec } from '../../../engine/index.ts'
import { mountPointsOf } from '../../../engine/sys/processes.ts'
import { detach, mount, mountFlags } from '../../../engine/sys/syscalls.ts'
import {
  idRange,
  instanceOf,
  outputOf,
  readLines,
  startEngine,
  type TestEngine,
} from '../../support/engine.ts'
import { until } from '../../support/until.ts'

const mib = 2 ** 20
const many = 1_000
const usual = process.env.TMPDIR
let parent: string
let host: TestEngine

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'berth-mounts-'))
  // The host's root may be shared, as systemd makes it: then what is mounted anywhere comes to every copy.
  mount(parent, parent, '', mountFlags.bind, '')
  execFileSync('mount', ['--make-shared', parent])
  process.env.TMPDIR = parent
  mountOthers(0)
  host = await startEngine()
})

afterAll(async () => {
  await host?.close()
  process.env.TMPDIR = usual ?? ''
  if (usual === undefined) delete process.env.TMPDIR
  await detach(parent)
  rmSync(parent, { recursive: true, force: true })
})

function mountOthers(from: number): void {
  for (let at = from; at < from + many; at++) {
    const path = join(parent, `other-${at}`)
    mkdirSync(path)
    mount(path, path, '', mountFlags.bind, '')
  }
}

async function run(changes: Partial<ContainerSpec> = {}) {
  const spec = host.spec(changes)
  await host.engine.containers.create(spec)
  const { pid } = await host.engine.containers.start(spec.id)
  return { id: spec.id, pid: pid ?? 0, monitor: monitorOf(spec.id) }
}

function monitorOf(id: string): number {
  return Number(
    readFileSync(join('/run/berth', instanceOf(host.stateDir), 'bundles', id, 'conmon.pid'), 'utf8'),
  )
}

/** What of ours or of the others' is mounted where a process is. */
const oursIn = (pid: number) =>
  mountPointsOf(pid)
    .map(String)
    .filter((point) => point.startsWith(`${parent}/`) || point.startsWith('/run/berth/'))

const loopsOf = (image: string) => execFileSync('losetup', ['--associated', image], { encoding: 'utf8' })

test('a monitor sees none of a thousand mounts of others, nor of other containers, and so its runtime copies none', async () => {
  const [first, second] = [await run(), await run()]
  mountOthers(many)
  const third = await run()
  expect(oursIn(process.pid).length).toBeGreaterThan(2 * many)
  for (const { monitor, pid } of [first, second, third]) {
    expect(oursIn(monitor)).toEqual([])
    expect(mountPointsOf(monitor).map(String)).toEqual(expect.arrayContaining(['/', '/proc', parent]))
    expect(mountPointsOf(monitor).length).toBeLessThan(many / 10)
    expect(oursIn(pid)).toEqual([])
  }
  for (const { id } of [first, second, third]) await host.engine.containers.remove(id, { force: true })
})

test('where control groups are of both kinds, the one that the runtime refuses is not there', async () => {
  const { id, monitor } = await run()
  const unified = '/sys/fs/cgroup/unified'
  const { cgroups } = await host.engine.info()
  const points = mountPointsOf(monitor).map(String)
  expect(points.some((point) => point.startsWith('/sys/fs/cgroup'))).toBe(true)
  if (cgroups === 'hybrid') expect(points).not.toContain(unified)
  await host.engine.containers.remove(id, { force: true })
})

test('a volume that is a file system of its own comes to containers that start later, and is free when they have gone', async () => {
  const { id: stays, monitor } = await run()
  await host.engine.volumes.create({ name: 'late', idRange, sizeBytes: 32 * mib })
  const image = join(host.stateDir, 'volumes', 'late', 'disk.img')
  const mounts = [{ kind: 'volume' as const, volume: 'late', target: '/data' }]
  const writes = {
    mounts,
    command: ['/bin/sh', '-c', 'echo $HOSTNAME >/data/who; df /data | tail -1; exec sleep 1000'],
  }
  const one = await run({ ...writes, hostname: 'one' })
  const two = await run({ mounts, command: ['/bin/cat', '/data/who'] })
  expect(await outputOf(host.engine, two.id)).toEqual(['one'])
  const [line = ''] = await until('it has written', () => readLines(host.engine, one.id))
  expect(line).toMatch(/^\/dev\/loop\d+ /)
  expect(loopsOf(image)).not.toBe('')
  expect(oursIn(monitor)).toEqual([])
  for (const { id } of [one, two]) await host.engine.containers.remove(id, { force: true })
  await until('nobody holds it', () => loopsOf(image) === '')
  await host.engine.volumes.remove('late')
  await host.engine.containers.remove(stays, { force: true })
})

test('a disk of others can be unmounted while containers run', async () => {
  const image = join(parent, 'disk.img')
  const disk = join(parent, 'disk')
  mkdirSync(disk)
  execFileSync('truncate', ['--size=16M', image])
  execFileSync('mkfs.ext4', ['-q', image])
  execFileSync('mount', ['-o', 'loop', image, disk])
  // What starts containers is started anew, after that.
  await host.reopen()
  const { id } = await run()
  execFileSync('umount', [disk])
  // A namespace that is just being made elsewhere on the host may have it for a moment.
  await until('nobody holds it', () => loopsOf(image) === '')
  await host.engine.containers.remove(id, { force: true })
})

test('a new engine starts, runs more in, and ends what an older one’s monitors see', async () => {
  const { id, monitor } = await run({ command: ['/bin/sh', '-c', 'exec sleep 1000'] })
  await host.reopen()
  const { id: later } = await run()
  expect(oursIn(monitorOf(later))).toEqual([])
  expect(oursIn(monitor)).toEqual([])
  for (const each of [id, later]) {
    const process = await host.engine.containers.exec(each, { command: ['/bin/sh', '-c', 'exit 3'] })
    expect(await process.exited).toBe(3)
    await host.engine.containers.remove(each, { force: true })
  }
})
